"""A small Discord on loopback: its state, and how its HTTP API is reached.

What we use of https://docs.discord.com/developers is in the `routes` of `Application`, `Messages` and
`Answers`. Every payload is checked against `limits`; what Discord would refuse is refused and noted in
`violations`.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

from aiohttp import web

from tests.wire import limits
from tests.wire.answers import Answers
from tests.wire.application import Application
from tests.wire.faults import CutError, Fault, RateLimits, RefusedError
from tests.wire.gateway import MESSAGE_CONTENT, Gateway
from tests.wire.messages import Messages
from tests.wire.models import ADMIN, EPHEMERAL, EPOCH_MS, TEXT, Channel, Guild, Interaction, Message, now
from tests.wire.people import Person
from tests.wire.requests import Work, json_response, read

API = "/api/v10"
REPLY = 19
"""A message's type."""


@dataclass(frozen=True)
class Call:
    """One request of the bot."""

    method: str
    path: str
    payload: dict[str, Any]
    at: float
    """time.monotonic."""


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
        self._faults: list[Fault] = []
        self._interactions_by_token: dict[str, Interaction] = {}
        self._last_id = 0
        self._port = 0
        self.me = self.person("Bag Dreams", bot=True)
        first = base64.b64encode(str(self.me.id).encode()).decode().rstrip("=")
        self.token = f"{first}.GWired.{'w' * 38}"
        application = Application(self)
        self.gateway = Gateway(
            self.token, self.me.id, application.ready, application.members_chunk, self.violations
        )

        messages = Messages(self)
        routes = application.routes() | messages.routes() | Answers(self, messages).routes()
        app = web.Application(client_max_size=limits.REQUEST_SIZE + limits.MIB)
        for route, work in routes.items():
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

    @property
    def message_content(self) -> bool:
        """Whether the Message Content intent is on in the developer portal; IDENTIFY is refused otherwise."""
        return bool(self.gateway.allowed_intents & MESSAGE_CONTENT)

    @message_content.setter
    def message_content(self, on: bool) -> None:
        self.gateway.allowed_intents = -1 if on else ~MESSAGE_CONTENT

    @property
    def gateway_url(self) -> str:
        """ws://127.0.0.1:PORT/gateway."""
        return f"ws://127.0.0.1:{self._port}/gateway"

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._runner.setup()
        await self.come_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        self.gateway.cut()
        await self._runner.cleanup()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Nothing is there until the context's end."""
        await self.go_down()
        try:
            yield
        finally:
            await self.come_back()

    async def go_down(self) -> None:
        """Cut all connections and refuse new ones."""
        for site in list(self._runner.sites):
            await site.stop()
        self.gateway.cut()
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            if connection.transport is not None:
                connection.transport.abort()

    async def come_back(self) -> None:
        """Listen, at the same address as before."""
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

        `path` is a pattern for what follows /api/v10, such as "/channels/*/messages"; `method` may be "*".
        The answer is `status` with Discord's `code`, or none (`cut`), before the request has its effect or
        after it. A 429 says `retry_after`, for everything if `everywhere`, and comes from Discord (`via`) or
        from Cloudflare. `delay` (seconds) and `hold` (until it is set) come before all that, and may come
        alone.
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
        return [call for call in self.calls if call.method == method and fnmatchcase(call.path, path)]

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

    # What the rest builds on ------------------------------------------------------------------

    def new_id(self) -> int:
        """A new id; as with Discord's, the time is in it."""
        self._last_id = max(self._last_id + 1, (int(time.time() * 1000) - EPOCH_MS) << 22)
        return self._last_id

    def add_channel(
        self, name: str, guild: Guild | None, kind: int = TEXT, recipient: Person | None = None
    ) -> Channel:
        """A new channel."""
        channel = Channel(self, self.new_id(), name, guild, kind, recipient)
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
        self._interactions_by_token[interaction.token] = interaction
        self.gateway.dispatch("INTERACTION_CREATE", interaction.payload, interaction.channel.guild_id)
        return interaction

    def by_token(self, token: str) -> Interaction | None:
        """The interaction that a token belongs to."""
        return self._interactions_by_token.get(token)

    # Requests ---------------------------------------------------------------------------------

    def _handler(self, route: str, work: Work) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(API)
            headers: dict[str, str] = {}
            try:
                asked = await read(request)
                self.calls.append(Call(request.method, path, asked.payload or {}, time.monotonic()))
                fault = next((one for one in self._faults if one.meets(request.method, path)), None)
                if fault is not None:
                    fault.hits += 1
                if fault is not None and not fault.after_effect:
                    await fault.strike()
                interactions = path.startswith(("/webhooks", "/interactions"))
                if not interactions and request.headers.get("Authorization") != f"Bot {self.token}":
                    raise RefusedError(401, 0, "401: Unauthorized")
                headers = self.rate_limits.spend(route, asked.parameters)
                result = work(asked)
                if fault is not None and fault.after_effect:
                    await fault.strike()
            except CutError:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
            except RefusedError as error:
                return json_response(error.body, error.status, headers | error.headers)
            return (
                web.Response(status=204, headers=headers)
                if result is None
                else json_response(result, 200, headers)
            )

        return handle

    async def _unknown_route(self, request: web.Request) -> web.Response:
        self.violations.append(f"{request.method} {request.path}: the wire knows no such route")
        return json_response({"message": "404: Not Found", "code": 0}, 404)

    async def _serve_gateway(self, request: web.Request) -> web.WebSocketResponse:
        return await self.gateway.serve(request)

    async def _serve_file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["id"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    def check(self, what: str, problems: Iterable[str]) -> None:
        """Note what is wrong with a payload, and refuse it then. Raises RefusedError."""
        found = list(problems)
        if found:
            self.violations += [f"{what}: {problem}" for problem in found]
            empty = any("50006" in problem for problem in found)
            raise RefusedError(400, 50006 if empty else 50035, f"Invalid Form Body: {'; '.join(found)}")
