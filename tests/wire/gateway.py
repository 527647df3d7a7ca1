"""The wire's gateway: sessions that can be resumed, over WebSockets that can fail in every way.

https://docs.discord.com/developers/events/gateway. A `Session` begins with an IDENTIFY and outlives its
`Connection`s: what is dispatched while nobody is connected is replayed on RESUME.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT = 0, 1, 2, 3, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 8, 9, 10, 11
MESSAGE_CONTENT = 1 << 15
"""The intent without which messages come without what they say."""
ENDS_SESSION = {4003, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014}
"""Close codes after which a session can't be resumed."""
REPLAYED = 5000
"""Events that a session keeps for a RESUME."""
IDENTIFY_SECONDS = 5.0
"""Shortest time between two IDENTIFYs (at `max_concurrency` 1)."""
SENDS, SENDS_SECONDS = 120, 60.0
"""What a client may send at most."""


class Connection:
    """One WebSocket; what is sent goes out in order."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.silent = False
        """Whether it only looks alive: it sends nothing more, not even heartbeat acknowledgements."""
        self._transport, self._socket = request.transport, socket
        compressed = request.query.get("compress") == "zlib-stream"
        self._deflate = zlib.compressobj() if compressed else None
        self._outbox: asyncio.Queue[str | int] = asyncio.Queue()
        self.writer = asyncio.create_task(self._write())
        """Ends when the connection is to be closed; gives the code."""

    def send(self, payload: object) -> None:
        """Send a payload; a string is sent as it is."""
        if not self.silent:
            self._outbox.put_nowait(payload if isinstance(payload, str) else json.dumps(payload))

    def close(self, code: int) -> None:
        """Close with a code, after what is being sent."""
        self._outbox.put_nowait(code)

    def cut(self) -> None:
        """Drop the connection without a word, which the other side sees as code 1006."""
        self.writer.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _write(self) -> int | None:
        with suppress(ConnectionError):
            while True:
                match await self._outbox.get():
                    case int(code):
                        return code
                    case text if self._deflate is None:
                        await self._socket.send_str(text)
                    case text:
                        packed = self._deflate.compress(text.encode())
                        await self._socket.send_bytes(packed + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        return None


@dataclass(eq=False)
class Session:
    """What began with an IDENTIFY."""

    shard: tuple[int, int]
    intents: int
    identified: dict[str, Any]
    connection: Connection | None
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = 0
    _events: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REPLAYED))

    def dispatch(self, name: str, data: Any) -> None:
        """Send an event now or on RESUME."""
        self.sequence += 1
        text = json.dumps({"op": DISPATCH, "t": name, "s": self.sequence, "d": data})
        self._events.append((self.sequence, text))
        if self.connection is not None:
            self.connection.send(text)

    def concerns(self, guild_id: int | None) -> bool:
        """Whether the events of a guild come here; those of direct messages (None) go to shard 0."""
        number, shards = self.shard
        return ((guild_id or 0) >> 22) % shards == number

    def replay(self, since: int, connection: Connection) -> bool:
        """Send all events after one, by its sequence number; False if they are gone."""
        if since > self.sequence or (self._events and since < self._events[0][0] - 1):
            return False
        self.connection = connection
        for number, text in list(self._events):
            if number > since:
                connection.send(text)
        self.dispatch("RESUMED", {})
        return True


class Gateway:
    """All sessions, and what goes wrong with them."""

    def __init__(
        self,
        token: str,
        me: int,
        ready: Callable[[Session], Iterable[tuple[str, Any]]],
        members: Callable[[int, dict[str, Any]], dict[str, Any]],
        violations: list[str],
    ) -> None:
        self.sessions: list[Session] = []
        self.identifies: list[float] = []
        """When each IDENTIFY came (time.monotonic)."""
        self.resumes: list[float] = []
        """When each RESUME succeeded (time.monotonic)."""
        self.shards = 1
        """What /gateway/bot recommends."""
        self.session_starts = 1000
        """How many IDENTIFYs a day has in all."""
        self.reset_seconds = 86_400.0
        """How long it is to the end of that day."""
        self.heartbeat_seconds = 41.25
        self.refuse: int | None = None
        """The code with which every IDENTIFY is refused."""
        self.allowed_intents = -1
        """Others are refused with 4014; all bits by default."""
        self._token, self._me, self._ready, self._members = token, me, ready, members
        self._violations = violations
        self._connections: set[Connection] = set()

    @property
    def session_start_limit(self) -> dict[str, int]:
        """Of /gateway/bot."""
        left = max(self.session_starts - len(self.identifies), 0)
        return {
            "total": self.session_starts,
            "remaining": left,
            "reset_after": round(1000 * self.reset_seconds),
            "max_concurrency": 1,
        }

    @property
    def ready(self) -> bool:
        """Whether a session of every shard is connected."""
        connected = [session.shard for session in self.sessions if session.connection is not None]
        return bool(connected) and {number for number, _ in connected} == set(range(connected[0][1]))

    def dispatch(self, name: str, data: Any, guild_id: int | None = None) -> None:
        """Send any event, also a malformed one, to the shard of a guild."""
        for session in self.sessions:
            if session.concerns(guild_id):
                session.dispatch(name, self._seen(session, name, data))

    def send(self, payload: object) -> None:
        """Send something that is no event, such as `{"op": 42}` or text that is no JSON, to everybody."""
        for connection in self._connections:
            connection.send(payload)

    def close(self, code: int) -> None:
        """Close all connections with a code; some codes end the session."""
        for connection in list(self._connections):
            self._detach(connection, ends=code in ENDS_SESSION)
            connection.close(code)

    def cut(self) -> None:
        """Drop all connections without a word."""
        for connection in list(self._connections):
            self._detach(connection)
            connection.cut()

    def reconnect(self) -> None:
        """Ask everybody to come back (op 7)."""
        self.send({"op": RECONNECT, "d": None})

    def invalidate(self, resumable: bool) -> None:
        """Declare all sessions invalid (op 9)."""
        self.send({"op": INVALID_SESSION, "d": resumable})
        if not resumable:
            self.sessions.clear()

    def fall_silent(self) -> None:
        """Let all connections look alive and send nothing more; new ones work."""
        for connection in self._connections:
            connection.silent = True
            self._detach(connection)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """A client connects."""
        socket = web.WebSocketResponse(max_msg_size=4096)
        await socket.prepare(request)
        connection = Connection(request, socket)
        self._connections.add(connection)
        connection.send({"op": HELLO, "d": {"heartbeat_interval": round(1000 * self.heartbeat_seconds)}})
        reader = asyncio.create_task(self._read(connection, socket))
        connection.writer.add_done_callback(lambda _: reader.cancel())
        try:
            await asyncio.wait([reader])
            if not reader.cancelled():
                reader.result()
            elif not connection.writer.cancelled() and (code := connection.writer.result()) is not None:
                # With nobody reading, aiohttp waits for the other side's answer before it drops the
                # connection (RFC 6455, section 7.1.1); dropped earlier, it may take the code with it.
                await socket.close(code=code)
        finally:
            # A client that closes with 1000 or 1001 has ended its session; with others it means to resume.
            self._detach(connection, ends=socket.close_code in (1000, 1001))
            self._connections.discard(connection)
            connection.writer.cancel()
            reader.cancel()
        return socket

    async def _read(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        sends: deque[float] = deque(maxlen=SENDS)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                connection.close(4002)
                continue
            now = time.monotonic()
            if len(sends) == SENDS and now - sends[0] < SENDS_SECONDS:
                self._violations.append(f"more than {SENDS} sends in {SENDS_SECONDS:.0f} s on the gateway")
                connection.close(4008)
            sends.append(now)
            self._receive(connection, json.loads(message.data))

    def _receive(self, connection: Connection, message: dict[str, Any]) -> None:
        data: Any = message.get("d")
        match message["op"]:
            case op if op == HEARTBEAT:
                connection.send({"op": HEARTBEAT_ACK})
            case op if op == IDENTIFY:
                self._identify(connection, data)
            case op if op == RESUME:
                session = next((one for one in self.sessions if one.id == data["session_id"]), None)
                if session is None or not session.replay(data["seq"] or 0, connection):
                    connection.send({"op": INVALID_SESSION, "d": False})
                    return
                self.resumes.append(time.monotonic())
            case op if op == REQUEST_MEMBERS:
                guild_id = int(data["guild_id"])
                self.dispatch("GUILD_MEMBERS_CHUNK", self._members(guild_id, data), guild_id)
            case op if op != PRESENCE:
                self._violations.append(f"op {op} on the gateway")
                connection.close(4001)

    def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        now = time.monotonic()
        early = bool(self.identifies) and now - self.identifies[-1] < IDENTIFY_SECONDS
        self.identifies.append(now)
        if len(self.identifies) > self.session_starts:
            self._violations.append("more IDENTIFYs than session_start_limit allows: the token is reset")
        number, shards = data.get("shard", (0, 1))
        code = self.refuse
        if data["token"] != self._token:
            code = 4004
        elif not 0 <= number < shards:
            code = 4010
        elif data["intents"] & ~self.allowed_intents:
            code = 4014
        if code is not None:
            connection.close(code)
        elif early:
            connection.send({"op": INVALID_SESSION, "d": False})
        else:
            self.sessions = [
                one for one in self.sessions if one.shard[0] != number or one.connection is not None
            ]
            session = Session((number, shards), data["intents"], data, connection)
            self.sessions.append(session)
            for name, event in self._ready(session):
                session.dispatch(name, event)

    def _seen(self, session: Session, name: str, data: Any) -> Any:
        if not name.startswith("MESSAGE_") or session.intents & MESSAGE_CONTENT or not isinstance(data, dict):
            return data
        ours = (data.get("author") or {}).get("id") == str(self._me)
        named = any(user["id"] == str(self._me) for user in data.get("mentions") or ())
        if "guild_id" not in data or "content" not in data or ours or named:
            return data
        return data | {"content": "", "embeds": [], "attachments": [], "components": []}

    def _detach(self, connection: Connection, ends: bool = False) -> None:
        for session in [one for one in self.sessions if one.connection is connection]:
            session.connection = None
            if ends:
                self.sessions.remove(session)
