"""A small Discord on loopback: its state, and its HTTP API as far as the bot uses it.

The routes in `Wire.__init__` are the list of what we use of https://docs.discord.com/developers. Every payload
is checked against `limits`; what Discord would refuse is refused and noted in `violations`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.wire import limits
from tests.wire.faults import Cut, Fault, RateLimits, Refused
from tests.wire.gateway import Gateway, Session
from tests.wire.people import (
    ADMIN,
    CHOICES,
    COMMAND,
    DEADLINE,
    DEFERRED,
    EPHEMERAL,
    EPOCH_MS,
    FORM,
    LOADING,
    MESSAGE,
    MODAL,
    TEXT,
    THINKING,
    THREAD,
    TOKEN_SECONDS,
    UPDATE,
    Channel,
    Guild,
    Interaction,
    Message,
    Person,
    now,
)

API = "/api/v10"
FILES_KEPT = 500
"""The newest uploads whose bytes stay readable."""
HAS_THREAD = 1 << 5
REPLY, BY_COMMAND = 19, 20
"""Types of messages."""


@dataclass(frozen=True)
class Call:
    """One request of the bot."""

    method: str
    path: str
    payload: dict[str, Any]
    at: float
    """time.monotonic."""


@dataclass(frozen=True)
class _Request:
    """What a route works on."""

    parameters: dict[str, str]
    query: dict[str, str]
    payload: Any
    files: dict[str, bytes]
    """Uploads by name, in order."""

    def id(self, name: str) -> int:
        """A parameter that is an id."""
        if not self.parameters[name].isdigit():
            raise Refused(400, 50035, f"{self.parameters[name]} is not an id")
        return int(self.parameters[name])


class Wire:
    """The whole of it: `async with Wire() as wire`, then `wire.url` is its address."""

    def __init__(self) -> None:
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.people: dict[int, Person] = {}
        self.messages: dict[int, Message] = {}
        """Those that are not deleted, ephemeral ones too."""
        self.interactions: list[Interaction] = []
        self.files: dict[str, bytes] = {}
        """The newest uploads, by the id of their attachment."""
        self.commands: list[dict[str, Any]] = []
        """The synced slash commands and menu entries."""
        self.syncs = 0
        """How often they were synced."""
        self.calls: list[Call] = []
        self.violations: list[str] = []
        """What Discord would have refused, in words; the fixture fails the test for any."""
        self.rate_limits = RateLimits()
        self.message_content = True
        """Whether the Message Content intent is on in the developer portal."""
        self._faults: list[Fault] = []
        self._nonces: dict[tuple[int, str], Message] = {}
        self._tokens: dict[str, Interaction] = {}
        self._last_id = 0
        self._port = 0
        self.me = self.person("Bag Dreams", bot=True)
        first = base64.b64encode(str(self.me.id).encode()).decode().rstrip("=")
        self.token = f"{first}.GWired.{'w' * 38}"
        self.gateway = Gateway(self.token, self.me.id, self._ready)
        self.gateway.violations = self.violations
        self.gateway.members = self._members_chunk

        routes: list[tuple[str, Callable[[_Request], object]]] = [
            ("GET /users/@me", lambda _: self.me.payload | {"mfa_enabled": True, "verified": True}),
            ("GET /users/{user}", lambda request: self._person(request.id("user")).payload),
            ("GET /users/@me/guilds", lambda _: self._guild_list()),
            ("POST /users/@me/channels", self._open_dm),
            ("GET /oauth2/applications/@me", lambda _: self._application()),
            ("GET /applications/@me", lambda _: self._application()),
            ("GET /applications/{app}/commands", lambda _: self.commands),
            ("PUT /applications/{app}/commands", self._sync),
            ("GET /gateway/bot", lambda _: self._gateway_bot()),
            ("GET /guilds/{guild}", lambda request: self._guild(request).payload),
            ("GET /guilds/{guild}/channels", lambda request: self._guild(request).payload["channels"]),
            ("GET /guilds/{guild}/members/search", self._search_members),
            ("GET /guilds/{guild}/members/{user}", self._member),
            ("GET /channels/{channel}", lambda request: self._channel(request).payload),
            ("PATCH /channels/{channel}", self._edit_thread),
            ("POST /channels/{channel}/typing", lambda _: None),
            ("GET /channels/{channel}/messages", self._history),
            ("POST /channels/{channel}/messages", self._send),
            ("GET /channels/{channel}/messages/{message}", lambda request: self._message(request).payload),
            ("PATCH /channels/{channel}/messages/{message}", self._edit),
            ("DELETE /channels/{channel}/messages/{message}", self._delete),
            ("POST /channels/{channel}/messages/{message}/threads", self._begin_thread),
            ("POST /interactions/{interaction}/{token}/callback", self._callback),
            ("POST /webhooks/{app}/{token}", self._follow_up),
            (
                "GET /webhooks/{app}/{token}/messages/{message}",
                lambda request: self._answer(request)[1].payload,
            ),
            ("PATCH /webhooks/{app}/{token}/messages/{message}", self._edit_answer),
            ("DELETE /webhooks/{app}/{token}/messages/{message}", self._delete_answer),
        ]
        app = web.Application(client_max_size=limits.REQUEST_SIZE + limits.MIB)
        for route, work in routes:
            method, path = route.split()
            app.router.add_route(method, API + path, self._handler(route, work))
        app.router.add_get("/gateway", self._serve_gateway)
        app.router.add_get("/gateway/", self._serve_gateway)
        app.router.add_get("/attachments/{channel}/{id}/{name}", self._serve_file)
        app.router.add_route("*", "/{path:.*}", self._unknown_route)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    # Where it is, and when it is not there ----------------------------------------------------

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Wire:
        """Listen."""
        await self._runner.setup()
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        self.gateway.cut()
        await self._runner.cleanup()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Nothing is there: connections are cut and new ones refused."""
        for site in list(self._runner.sites):
            await site.stop()
        self.gateway.cut()
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            if connection.transport is not None:
                connection.transport.abort()
        try:
            yield
        finally:
            await self._listen()

    async def _listen(self) -> None:
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    # What tests do ----------------------------------------------------------------------------

    def fail(
        self,
        method: str,
        path: str,
        *,
        times: int | None = 1,
        status: int | None = None,
        code: int = 0,
        cut: bool = False,
        after_effect: bool = False,
        delay: float = 0.0,
        hold: asyncio.Event | None = None,
        retry_after: float = 0.5,
        everywhere: bool = False,
        via: bool = True,
    ) -> Fault:
        """Let the next `times` requests (None: all, until `fault.end()`) go wrong.

        `path` is a pattern for what follows /api/v10, such as "/channels/*/messages"; `method` may be "*". The
        answer is `status` with Discord's `code`, or none (`cut`), before the request has its effect or after
        it. A 429 says `retry_after`, for everything if `everywhere`, and comes from Discord (`via`) or from
        Cloudflare. `delay` (seconds) and `hold` (until it is set) come before all that, and may come alone.
        """
        fault = Fault(
            method, path, times, status, code, cut, after_effect, delay, hold, retry_after, everywhere, via
        )
        self._faults.append(fault)
        return fault

    def thinking(self) -> list[Interaction]:
        """Interactions whose people still see "thinking…"."""
        return [interaction for interaction in self.interactions if interaction.thinking]

    def failed(self) -> list[Interaction]:
        """Interactions whose people see "This interaction failed"."""
        return [interaction for interaction in self.interactions if interaction.failed]

    def called(self, route: str) -> list[Call]:
        """The bot's requests to a route, such as "POST /channels/*/messages"."""
        method, path = route.split()
        pattern = Fault(method, path, None, None, 0, False, False, 0, None, 0, False, True)
        return [call for call in self.calls if pattern.meets(call.method, call.path)]

    def person(self, name: str, bot: bool = False) -> Person:
        """A new user, in no server yet."""
        person = Person(self, self.new_id(), name, bot)
        self.people[person.id] = person
        return person

    def add_guild(self, name: str, owner: Person) -> Guild:
        """A new server with the bot in it; if the bot is there already, it is told that it was invited."""
        guild = Guild(self, self.new_id(), name, owner)
        self.new_id()  # the bot's role
        guild.join(owner, ADMIN)
        guild.members[self.me.id] = 0
        self.guilds[guild.id] = guild
        self.gateway.dispatch("GUILD_CREATE", guild.payload, guild.id)
        return guild

    def kick(self, guild: Guild) -> None:
        """The bot is thrown out of a server."""
        del self.guilds[guild.id]
        self.gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)

    # What people.py builds on -----------------------------------------------------------------

    def new_id(self) -> int:
        """A new id; as with Discord's, the time is in it."""
        self._last_id = max(self._last_id + 1, (int(time.time() * 1000) - EPOCH_MS) << 22)
        return self._last_id

    def add_channel(
        self, name: str, guild: Guild | None, type: int = TEXT, recipient: Person | None = None
    ) -> Channel:
        """A new channel."""
        channel = Channel(self, self.new_id(), name, guild, type, recipient)
        self.channels[channel.id] = channel
        return channel

    def add_message(self, channel: Channel, author: Person, **payload: Any) -> Message:
        """A new message, which nobody is told of yet."""
        flags = payload.pop("flags", 0)
        reference = payload.pop("reference", None)
        message_id = self.new_id()
        given = {
            "id": str(message_id),
            "channel_id": str(channel.id),
            "author": author.payload,
            "content": "",
            "embeds": [],
            "attachments": [],
            "components": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "timestamp": now(),
            "edited_timestamp": None,
            "tts": False,
            "pinned": False,
            "type": REPLY if reference else 0,
            "flags": flags,
        }
        message = Message(self, channel, author, given | payload)
        if reference is not None:
            referred = self.messages.get(int(reference["message_id"]))
            ids = {"channel_id": str(channel.id), "message_id": str(reference["message_id"])}
            message.payload["message_reference"] = reference | ids
            message.payload["referenced_message"] = referred and {
                key: value for key, value in referred.payload.items() if key != "referenced_message"
            }
        self.messages[message_id] = message
        if not flags & EPHEMERAL:
            channel.messages[message_id] = message
        return message

    def tell(self, event: str, message: Message) -> None:
        """Tell the bot of a message; nobody is told of ephemeral ones."""
        if message.payload["flags"] & EPHEMERAL:
            return
        data, guild = message.payload, message.channel.guild
        if guild is not None:
            member = guild.member(message.author)
            del member["user"]
            data = data | {"guild_id": str(guild.id), "member": member}
        self.gateway.dispatch(event, data, message.channel.guild_id)

    def interact(self, interaction: Interaction) -> Interaction:
        """Send an interaction to the bot."""
        interaction.token = f"aW50ZXJhY3Rpb246{secrets.token_hex(60)}"
        self.interactions.append(interaction)
        self._tokens[interaction.token] = interaction
        self.gateway.dispatch("INTERACTION_CREATE", interaction.payload, interaction.channel.guild_id)
        return interaction

    # Requests ---------------------------------------------------------------------------------

    def _handler(
        self, route: str, work: Callable[[_Request], object]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(API)
            headers: dict[str, str] = {}
            try:
                asked = await _read(request)
                self.calls.append(Call(request.method, path, asked.payload or {}, time.monotonic()))
                fault = next((one for one in self._faults if one.meets(request.method, path)), None)
                if fault is not None:
                    fault.hits += 1
                if fault is not None and not fault.after_effect:
                    await fault.strike()
                interactions = path.startswith(("/webhooks", "/interactions"))
                if not interactions and request.headers.get("Authorization") != f"Bot {self.token}":
                    raise Refused(401, 0, "401: Unauthorized")
                headers = self.rate_limits.spend(route, asked.parameters)
                result = work(asked)
                if fault is not None and fault.after_effect:
                    await fault.strike()
            except Cut:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
            except Refused as error:
                return _json(error.body, error.status, headers | error.headers)
            return (
                web.Response(status=204, headers=headers) if result is None else _json(result, 200, headers)
            )

        return handle

    async def _unknown_route(self, request: web.Request) -> web.Response:
        self.violations.append(f"{request.method} {request.path}: the wire knows no such route")
        return _json({"message": "404: Not Found", "code": 0}, 404)

    async def _serve_gateway(self, request: web.Request) -> web.WebSocketResponse:
        return await self.gateway.serve(request)

    async def _serve_file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["id"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    def _check(self, what: str, problems: Iterable[str]) -> None:
        found = list(problems)
        if found:
            self.violations += [f"{what}: {problem}" for problem in found]
            empty = any("50006" in problem for problem in found)
            raise Refused(400, 50006 if empty else 50035, f"Invalid Form Body: {'; '.join(found)}")

    # The bot itself ---------------------------------------------------------------------------

    def _application(self) -> dict[str, Any]:
        return {
            "id": str(self.me.id),
            "name": self.me.name,
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "00",
            "flags": 1 << 19 if self.message_content else 0,  # GATEWAY_MESSAGE_CONTENT_LIMITED
            "owner": next((one.payload for one in self.people.values() if not one.bot), self.me.payload),
            "approximate_guild_count": len(self.guilds),
            "install_params": None,
        }

    def _gateway_bot(self) -> dict[str, Any]:
        url = f"ws://127.0.0.1:{self._port}/gateway"
        limit = self.gateway.session_start_limit
        return {"url": url, "shards": self.gateway.shards, "session_start_limit": limit}

    def _ready(self, session: Session) -> Iterator[tuple[str, Any]]:
        guilds = [guild for guild in self.guilds.values() if session.concerns(guild.id)]
        yield (
            "READY",
            {
                "v": 10,
                "user": self.me.payload,
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": f"ws://127.0.0.1:{self._port}/gateway",
                "shard": list(session.shard),
                "application": {"id": str(self.me.id), "flags": self._application()["flags"]},
            },
        )
        for guild in guilds:
            yield "GUILD_CREATE", guild.payload | {"unavailable": False}

    def _sync(self, request: _Request) -> list[dict[str, Any]]:
        self.syncs += 1
        self._check("command sync", limits.commands(request.payload))
        known = {(one["name"], one["type"]): one["id"] for one in self.commands}
        given = [{"type": 1, "description": ""} | one for one in request.payload]
        self.commands = [
            one
            | {
                "id": known.get((one["name"], one["type"]), str(self.new_id())),
                "application_id": str(self.me.id),
                "version": str(self.new_id()),
                "default_member_permissions": one.get("default_member_permissions"),
            }
            for one in given
        ]
        return self.commands

    # Servers and people -----------------------------------------------------------------------

    def _guild_list(self) -> list[dict[str, Any]]:
        shown = ("id", "name", "features")
        return [
            {key: guild.payload[key] for key in shown} | {"icon": None, "owner": False, "permissions": "0"}
            for guild in self.guilds.values()
        ]

    def _guild(self, request: _Request) -> Guild:
        if request.id("guild") not in self.guilds:
            raise Refused(404, 10004, "Unknown Guild")
        return self.guilds[request.id("guild")]

    def _person(self, user_id: int) -> Person:
        if user_id not in self.people:
            raise Refused(404, 10013, "Unknown User")
        return self.people[user_id]

    def _member(self, request: _Request) -> dict[str, Any]:
        guild, person = self._guild(request), self._person(request.id("user"))
        if person.id not in guild.members:
            raise Refused(404, 10007, "Unknown Member")
        return guild.member(person)

    def _search_members(self, request: _Request) -> list[dict[str, Any]]:
        most = int(request.query.get("limit", 1))
        return self._members_named(self._guild(request), request.query["query"])[:most]

    def _members_named(self, guild: Guild, beginning: str) -> list[dict[str, Any]]:
        def names(person: Person) -> Iterator[str]:
            yield from (person.name, guild.nicks.get(person.id, person.name))

        found = (self.people[member] for member in guild.members)
        wanted = beginning.lower()
        return [
            guild.member(one) for one in found if any(name.lower().startswith(wanted) for name in names(one))
        ]

    def _members_chunk(self, guild_id: int, asked: dict[str, Any]) -> dict[str, Any]:
        guild = self.guilds[guild_id]
        wanted = asked.get("user_ids") or []
        ids = [int(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
        members = [guild.member(self.people[one]) for one in ids if one in guild.members]
        if not ids:
            members = self._members_named(guild, asked.get("query", ""))[: asked["limit"] or None]
        chunk = {"guild_id": str(guild_id), "members": members, "chunk_index": 0, "chunk_count": 1}
        return chunk | {"nonce": asked.get("nonce"), "not_found": []}

    # Channels and threads ---------------------------------------------------------------------

    def _channel(self, request: _Request) -> Channel:
        if request.id("channel") not in self.channels:
            raise Refused(404, 10003, "Unknown Channel")
        return self.channels[request.id("channel")]

    def _open_dm(self, request: _Request) -> dict[str, Any]:
        return self._person(int(request.payload["recipient_id"])).dm_channel.payload

    def _begin_thread(self, request: _Request) -> dict[str, Any]:
        message = self._message(request)
        self._check("a new thread", limits.thread(request.payload))
        if message.id in self.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        if message.channel.type != TEXT:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        thread = Channel(self, message.id, request.payload["name"], message.channel.guild, THREAD)
        thread.parent = message.channel
        thread.auto_archive_duration = request.payload.get("auto_archive_duration") or 1440
        self.channels[thread.id] = thread
        message.payload["flags"] |= HAS_THREAD
        self.gateway.dispatch("THREAD_CREATE", thread.payload | {"newly_created": True}, thread.guild_id)
        return thread.payload

    def _edit_thread(self, request: _Request) -> dict[str, Any]:
        channel = self._channel(request)
        if channel.type != THREAD:
            raise Refused(403, 50013, "Missing Permissions")
        self._check("a thread's change", limits.thread(request.payload, edit=True))
        channel.name = request.payload.get("name", channel.name)
        channel.archived = request.payload.get("archived", channel.archived)
        self.gateway.dispatch("THREAD_UPDATE", channel.payload, channel.guild_id)
        return channel.payload

    # Messages ---------------------------------------------------------------------------------

    def _message(self, request: _Request) -> Message:
        message = self._channel(request).messages.get(request.id("message"))
        if message is None:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def _history(self, request: _Request) -> list[dict[str, Any]]:
        query, most = request.query, int(request.query.get("limit", 50))
        self._check("a channel's history", [] if 1 <= most <= 100 else [f"limit {most}"])
        messages = list(self._channel(request).messages.values())
        if "after" in query:
            later = [one for one in messages if one.id > int(query["after"])][:most]
            return [one.payload for one in reversed(later)]
        before = int(query.get("before", self._last_id + 1))
        return [one.payload for one in reversed(messages) if one.id < before][:most]

    def _send(self, request: _Request) -> dict[str, Any]:
        channel, payload = self._channel(request), request.payload
        if channel.recipient is not None and not channel.recipient.dms_open:
            raise Refused(403, 50007, "Cannot send messages to this user")
        self._check("a message", limits.message(payload, request.files))
        nonce = (channel.id, str(payload.get("nonce")))
        if payload.get("enforce_nonce") and nonce in self._nonces:
            return self._nonces[nonce].payload
        reference = payload.get("message_reference")
        if reference is not None and int(reference["message_id"]) not in channel.messages:
            if reference.get("fail_if_not_exists", True):
                raise Refused(400, 50035, "message_reference: Unknown message")
            reference = None
        message = self._post(channel, request, reference=reference)
        if payload.get("nonce") is not None:
            message.payload["nonce"] = payload["nonce"]
            self._nonces[nonce] = message
        return message.payload

    def _post(self, channel: Channel, request: _Request, **more: Any) -> Message:
        """A message of the bot, as it asks for it."""
        if channel.archived:  # a message opens a thread again
            channel.archived = False
            self.gateway.dispatch("THREAD_UPDATE", channel.payload, channel.guild_id)
        message = self.add_message(channel, self.me, **more)
        self._fill(message, request)
        self.tell("MESSAGE_CREATE", message)
        return message

    def _edit(self, request: _Request) -> dict[str, Any]:
        message = self._message(request)
        if message.author is not self.me:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        return self._change(message, request)

    def _change(self, message: Message, request: _Request) -> dict[str, Any]:
        kept = [file["filename"] for file in self._kept(message, request)]
        self._check("a message's change", limits.message(request.payload, request.files, kept, edit=True))
        message.versions.append(message.content)
        self._fill(message, request)
        if limits.is_empty(message.payload, {}):
            self._check("a message's change", ["an empty message (50006)"])
        message.payload["edited_timestamp"] = now()
        self.tell("MESSAGE_UPDATE", message)
        return message.payload

    def _fill(self, message: Message, request: _Request) -> None:
        """Write into a message what is given."""
        payload, given = message.payload, request.payload
        message.payload = payload | {
            key: given[key] or "" if key == "content" else given[key] or []
            for key in ("content", "embeds", "components")
            if key in given
        }
        described = {str(one["id"]): one for one in given.get("attachments") or ()}
        attachments = self._kept(message, request)
        for number, (name, data) in enumerate(request.files.items()):
            file_id = str(self.new_id())
            url = f"{self.url}/attachments/{message.channel.id}/{file_id}/{name}"
            told = {
                key: value for key, value in described.get(str(number), {}).items() if key == "description"
            }
            attachments.append(
                told | {"id": file_id, "filename": name, "size": len(data), "url": url, "proxy_url": url}
            )
            self.files[file_id] = data
        while len(self.files) > FILES_KEPT:
            del self.files[next(iter(self.files))]
        urls = {f"attachment://{file['filename']}": file["url"] for file in attachments}
        message.payload["attachments"] = attachments
        message.payload["embeds"] = [
            embed
            | {
                part: {"url": urls.get(embed[part]["url"], embed[part]["url"])}
                for part in ("image", "thumbnail")
                if part in embed
            }
            for embed in message.payload["embeds"]
        ]

    def _kept(self, message: Message, request: _Request) -> list[dict[str, Any]]:
        """Of the files of a message, those that stay: all, unless a list of them is given."""
        if "attachments" not in request.payload:
            return list(message.files)
        named = {str(one["id"]) for one in request.payload["attachments"] or ()}
        return [file for file in message.files if file["id"] in named]

    def _delete(self, request: _Request) -> None:
        self._remove(self._message(request))

    def _remove(self, message: Message) -> None:
        channel = message.channel
        del self.messages[message.id]
        if channel.messages.pop(message.id, None) is not None:
            data = {"id": str(message.id), "channel_id": str(channel.id)}
            guild = {} if channel.guild is None else {"guild_id": str(channel.guild.id)}
            self.gateway.dispatch("MESSAGE_DELETE", data | guild, channel.guild_id)

    # Interactions -----------------------------------------------------------------------------

    def _callback(self, request: _Request) -> dict[str, Any] | None:
        interaction = self._tokens.get(request.parameters["token"])
        seconds = 0.0 if interaction is None else time.monotonic() - interaction.began
        if interaction is None or interaction.id != request.id("interaction") or seconds > DEADLINE:
            if interaction is not None:
                interaction.refused.append(10062)
            raise Refused(404, 10062, "Unknown interaction")
        if interaction.acknowledged:
            interaction.refused.append(40060)
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        type, data = request.payload["type"], request.payload.get("data") or {}
        allowed = limits.CALLBACKS[interaction.type]
        if interaction.type == FORM and interaction.message is None:
            allowed = allowed - {DEFERRED, UPDATE}
        self._check("a callback", [] if type in allowed else [f"type {type} for a {interaction.type}"])
        asked = _Request(request.parameters, request.query, data, request.files)
        match type:
            case _ if type == MESSAGE:
                self._check("an answer", limits.message(data, request.files, flags=EPHEMERAL))
                self._respond(interaction, asked)
            case _ if type == THINKING:
                self._check("a deferral", [] if data.get("flags", 0) in (0, EPHEMERAL) else ["flags"])
                interaction.original = self._loading(interaction, data.get("flags", 0))
            case _ if type in (DEFERRED, UPDATE):
                interaction.original = interaction.message
                if type == UPDATE and interaction.message is not None:
                    self._change(interaction.message, asked)
            case _ if type == CHOICES:
                self._check("autocomplete", limits.autocomplete(data))
                interaction.choices = data["choices"]
            case _ if type == MODAL:
                self._check("a form", limits.modal(data))
                interaction.modal = data
        interaction.callback, interaction.callback_seconds = type, seconds
        if request.query.get("with_response") not in ("1", "true"):
            return None
        told: dict[str, Any] = {"id": str(interaction.id), "type": interaction.type}
        resource: dict[str, Any] = {"type": type}
        if interaction.original is not None and type in (MESSAGE, THINKING, UPDATE):
            told["response_message_id"] = str(interaction.original.id)
            resource["message"] = interaction.original.payload
        told |= {"response_message_loading": type == THINKING, "response_message_ephemeral": False}
        return {"interaction": told, "resource": resource}

    def _loading(self, interaction: Interaction, flags: int) -> Message:
        """The message "thinking…"."""
        message = self._made_by(interaction, flags | LOADING)
        self.tell("MESSAGE_CREATE", message)
        return message

    def _made_by(self, interaction: Interaction, flags: int) -> Message:
        message = self.add_message(
            interaction.channel,
            self.me,
            type=BY_COMMAND if interaction.type == COMMAND else 0,
            flags=flags,
            webhook_id=str(self.me.id),
            application_id=str(self.me.id),
            interaction_metadata=interaction.metadata,
        )
        if flags & EPHEMERAL:
            interaction.person.whispers.append(message)
        return message

    def _respond(self, interaction: Interaction, request: _Request) -> Message:
        """A message as an answer: the callback's own, or a followup."""
        message = self._made_by(interaction, request.payload.get("flags", 0) & EPHEMERAL)
        self._fill(message, request)
        self.tell("MESSAGE_CREATE", message)
        if interaction.acknowledged:
            interaction.followups.append(message)
        else:
            interaction.original = message
        return message

    def _by_token(self, request: _Request) -> Interaction:
        interaction = self._tokens.get(request.parameters["token"])
        if interaction is None or not interaction.acknowledged:
            raise Refused(404, 10015, "Unknown Webhook")
        if time.monotonic() - interaction.began > TOKEN_SECONDS:
            raise Refused(401, 50027, "Invalid Webhook Token")
        return interaction

    def _follow_up(self, request: _Request) -> dict[str, Any]:
        interaction = self._by_token(request)
        self._check("a followup", limits.message(request.payload, request.files, flags=EPHEMERAL))
        if interaction.thinking and interaction.original is not None:
            # The first one takes the place of "thinking…", and is as private as that.
            return self._complete(interaction.original, request)
        return self._respond(interaction, request).payload

    def _complete(self, loading: Message, request: _Request) -> dict[str, Any]:
        loading.payload["flags"] &= ~LOADING
        self._fill(loading, request)
        self.tell("MESSAGE_UPDATE", loading)
        return loading.payload

    def _answer(self, request: _Request) -> tuple[Interaction, Message]:
        """The message of an interaction that a request names."""
        interaction = self._by_token(request)
        named = request.parameters["message"]
        own = [interaction.original, *interaction.followups]
        found = [one for one in own if one is not None and str(one.id) == named]
        message = interaction.original if named == "@original" else next(iter(found), None)
        if message is None or message.id not in self.messages:
            raise Refused(404, 10008, "Unknown Message")
        return interaction, message

    def _edit_answer(self, request: _Request) -> dict[str, Any]:
        interaction, message = self._answer(request)
        if interaction.thinking and message is interaction.original:
            self._check("an answer", limits.message(request.payload, request.files))
            return self._complete(message, request)
        return self._change(message, request)

    def _delete_answer(self, request: _Request) -> None:
        interaction, message = self._answer(request)
        message.payload["flags"] &= ~LOADING
        self._remove(message)


def _json(data: object, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    # discord.py reads JSON only if there is nothing behind its type, such as a charset.
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


async def _read(request: web.Request) -> _Request:
    """Read JSON, or JSON with files as multipart."""
    payload: Any = {}
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if part.name == "payload_json":
                payload = json.loads(await part.read())
            else:
                files[part.filename or ""] = bytes(await part.read())
    elif request.can_read_body:
        payload = await request.json()
    return _Request(dict(request.match_info), dict(request.query), payload, files)
