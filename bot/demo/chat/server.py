"""The chat page: a simulated Discord in the browser with the unmodified bot."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import discord
import simcord
from aiohttp import WSMsgType, web

from bot.demo.chat.room import PEOPLE, RefusedError, Room
from bot.demo.chat.tab import Tab, hello

log = logging.getLogger(__name__)

CHANNELS = {"bag-dreams": "Where new handbags are dreamed up"}
_PAGE = Path(__file__).with_name("page")
_TICK_SECONDS = 0.1
_TICKS_TO_SETTLE = 10
_POLICY = "default-src 'self'; frame-ancestors 'none'; form-action 'none'"
_SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Chat:
    """`async with Chat(bot) as chat:` runs `bot` and serves the page at `chat.address`.

    `channels` are names and topics; the first one is open at first. What is in the folder `gallery` is served
    at `chat.address + "/gallery/"`. `port` 0 takes any free one; `name` is the bot's. An action waits for the
    bot's work for at most `settle_timeout` seconds before the next one has its turn. Entering raises OSError
    if the port is taken.
    """

    def __init__(
        self,
        bot: discord.Client,
        *,
        channels: Mapping[str, str] = CHANNELS,
        gallery: Path | None = None,
        port: int = 0,
        name: str = "Bag Dreams",
        settle_timeout: float = 1.0,
    ) -> None:
        self._room = Room(bot, channels=channels, name=name, settle_timeout=settle_timeout)
        self._gallery = gallery
        self._port = port
        self._tabs: set[Tab] = set()
        self._deeds: set[asyncio.Task[None]] = set()
        self._address = ""
        self._exits = AsyncExitStack()

    @property
    def address(self) -> str:
        """URL of the page, without a trailing slash; `?as=ben` chooses a person."""
        return self._address

    @property
    def env(self) -> simcord.Env:
        return self._room.env

    @property
    def guild_id(self) -> int:
        return self._room.guild_id

    @property
    def channel_id(self) -> int:
        return self._room.channel_id

    @property
    def people(self) -> Mapping[str, simcord.MemberActor]:
        """The actors by the key that `?as=` takes; the first one owns the server."""
        return self._room.people

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            self._address = "http://{}:{}".format(*runner.addresses[0][:2])
            await self._room.start()
            stack.push_async_callback(self._room.stop)
            watch = asyncio.create_task(self._watch())
            stack.push_async_callback(self._end, watch)
            self._exits = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    async def _end(self, watch: asyncio.Task[None]) -> None:
        tasks = [watch, *self._deeds]
        for task in tasks:
            task.cancel()
        for tab in list(self._tabs):
            await tab.socket.close(code=1001)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def restart(self, bot: discord.Client) -> None:
        """Replace the current bot with `bot`; server, messages and page stay.

        Raises TimeoutError if the old bot's work does not end; the chat is then over.
        """
        await self._room.restart(bot)
        self._wake()

    async def act(self, person: str, action: Mapping[str, Any]) -> dict[str, Any]:
        """What the page's buttons do: see Room.act. Raises RefusedError, whose message is for the person."""
        self._wake()  # for the typing indicator
        try:
            return await self._room.act(person, action)
        finally:
            self._wake()

    def messages(self) -> list[dict[str, Any]]:
        """The newest messages of the first channel as the guest sees them, oldest first."""
        return self._room.view.messages(self.channel_id, self._room.guest.id)

    # One task watches the room and wakes the tabs.

    async def _watch(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            tick += 1
            try:
                if self._room.changed():
                    self._wake()
                if tick % _TICKS_TO_SETTLE == 0:
                    await self._room.settle()
            except Exception:
                log.exception("the chat page could not watch the simulated Discord")

    def _wake(self) -> None:
        for tab in self._tabs:
            tab.changed.set()

    # HTTP

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[_guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/{name:chat\\.css|chat\\.js|icon\\.svg}", self._page)
        app.router.add_get("/cdn/{path:.+}", self._file)
        app.router.add_get("/gallery/{path:.*}", self._exhibit)
        app.router.add_get("/state", self._state)
        app.router.add_post("/act", self._act)
        app.router.add_get("/ws", self._socket)
        return app

    async def _page(self, request: web.Request) -> web.StreamResponse:
        path = _PAGE / request.match_info.get("name", "index.html")
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        data = self._room.file(path)
        if data is None:
            raise web.HTTPNotFound(text="no such file")
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        if not kind.startswith(("image/", "video/")):
            headers["Content-Disposition"] = "attachment"
        return web.Response(body=data, content_type=kind, headers=headers)

    async def _exhibit(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"] or "index.html"
        root = self._gallery.resolve() if self._gallery else None
        file = root and (root / path).resolve()
        if not root or not file or not file.is_relative_to(root) or not file.is_file():
            raise web.HTTPNotFound(text="there is no such page in the gallery yet")
        # The pages have the bags' colors in style attributes.
        policy = {"Content-Security-Policy": f"{_POLICY}; style-src 'self' 'unsafe-inline'"}
        return web.FileResponse(file, headers={"Cache-Control": "no-cache", **policy})

    async def _state(self, request: web.Request) -> web.Response:
        person = _person(request)
        channel = request.query.get("channel", "")
        open_ = int(channel) if channel.isascii() and channel.isdecimal() else self.channel_id
        viewer = self.people[person].id
        return web.json_response(
            {
                **hello(self._room, person),
                "channels": self._room.view.channels(viewer),
                "channel": str(open_),
                "messages": self._room.view.messages(open_, viewer),
            }
        )

    async def _act(self, request: web.Request) -> web.Response:
        person = _person(request)
        try:
            action = await request.json()
        except ValueError:
            raise web.HTTPBadRequest(text="not JSON") from None
        if not isinstance(action, dict):
            raise web.HTTPBadRequest(text="not an action")
        try:
            shown = await self.act(person, action)
        except RefusedError as error:
            return web.json_response({"ok": False, "error": str(error)})
        return web.json_response({"ok": True, **shown})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        # Compression would keep the loop busy, and the page is on this machine.
        socket = web.WebSocketResponse(heartbeat=30, compress=False)
        await socket.prepare(request)
        tab = Tab(self._room, self.act, socket, _person(request))
        self._tabs.add(tab)
        pump = asyncio.create_task(tab.pump())
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                # In a task of its own that outlives the tab, so that it is done even if the tab closes.
                deed = asyncio.create_task(tab.hear(message.data))
                self._deeds.add(deed)
                deed.add_done_callback(self._deeds.discard)
        finally:
            self._tabs.discard(tab)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        return socket


@web.middleware
async def _guard(request: web.Request, handler: Any) -> web.StreamResponse:
    """Let only this machine's own page talk to the chat, whatever else is open in the browser."""
    if (request.url.host or "") not in ("127.0.0.1", "localhost"):
        raise web.HTTPForbidden(text="the demo answers on loopback only")
    origin = request.headers.get("Origin")
    if origin is not None and origin != str(request.url.origin()):
        raise web.HTTPForbidden(text="not from another page")
    response: web.StreamResponse = await handler(request)
    if not response.prepared:
        for name, value in _SAFE.items():
            response.headers.setdefault(name, value)
    return response


def _person(request: web.Request) -> str:
    person = request.query.get("as", next(iter(PEOPLE)))
    if person not in PEOPLE:
        raise web.HTTPBadRequest(text=f"nobody here is called {person!r}; choose one of {', '.join(PEOPLE)}")
    return person
