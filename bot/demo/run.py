"""The demo: a shop of drawn bags, the real scraper, the real trainer, and the real bot on a chat page.

All of it runs on this machine and writes to one folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from bot.app import App, freeze_memory
from bot.demo.chat.server import Chat
from bot.demo.live_card import LiveCard
from bot.demo.story import Story
from bot.settings import load_config
from gan.toml_settings import SettingsError

BAGS = 600
MINUTES = 10
SHOP_PORT = 8090
CHANNELS = {
    "bag-dreams": "Where new handbags are dreamed up",
    "hall-of-fame": "The bags that were loved most",
}
HOME, HALL = CHANNELS
DAILY_AFTER = timedelta(minutes=2)
CONFIG = """\
# Rewritten whenever the demo starts.
[scraper]
folder = "{folder}/shop"
dataset = "{folder}/dataset"
image_size = 64
delay = 0
connections = 8

[scraper.shops.rebag]
kind = "rebag"
url = "{shop}/rebag/collections/all-bags"

[scraper.shops.therealreal]
kind = "therealreal"
url = ["{shop}/therealreal/sales/1", "{shop}/therealreal/sales/2", "{shop}/therealreal/sales/3"]

[scraper.shops.shopify]
kind = "shopify"
url = "{shop}/shopify/collections/bags"

[gan]
dataset = "{folder}/dataset"
runs = "{folder}/runs"
checkpoint_seconds = 10

[bot]
channel = "{home}"
hall = "{hall}"
timezone = "UTC"
store = "sqlite+aiosqlite:///{folder}/bot.db"
favorites = "{folder}/favorites"
generators = "{folder}/generators"
scrape_at = ""
train_at = ""
dream_at = "{dream_at}"
best_at = ""
train_minutes = {minutes}
grid_seconds = 15
favorite_votes = 2
vote_minutes = 2
cooldown_seconds = 0
server_per_minute = 0
"""


class Demo:
    """`async with Demo(folder, port) as demo`: the page is at `demo.address`.

    If the port is taken, the page is at another one. Raises SettingsError for an invalid environment
    variable or folder.
    """

    def __init__(self, folder: Path, port: int, bags: int = BAGS, minutes: float = MINUTES) -> None:
        self._folder = folder
        self._port = port
        self._bags = bags
        self._minutes = minutes
        self._stack = AsyncExitStack()
        self.app: App
        self.chat: Chat

    @property
    def address(self) -> str:
        """The URL of the chat page."""
        return self.chat.address

    async def __aenter__(self) -> Self:
        """Start the shop, the app and the page, then the story."""
        async with AsyncExitStack() as stack:
            shop = await stack.enter_async_context(_shop(self._bags))
            config = await asyncio.to_thread(self._configure, shop)
            self.app = await stack.enter_async_context(App(load_config(config)))
            gallery = self._folder / "gallery"
            chat = Chat(
                self.app.create_bot(), channels=CHANNELS, gallery=gallery, port=_free_port(self._port)
            )
            await self.app.store.lose_messages(chat.guild_id)
            self.chat = await stack.enter_async_context(chat)
            freeze_memory()
            story = Story(self.app, self.chat, self._bags, gallery)
            for scene in (story.tell(), story.keep_gallery(), LiveCard(self.app, self._bags).run()):
                stack.push_async_callback(_cancel, asyncio.create_task(scene))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything that was started, in reverse."""
        await self._stack.aclose()

    def _configure(self, shop: str) -> Path:
        if "?" in str(self._folder):  # it ends the path in the store's URL
            raise SettingsError(f"--folder {self._folder}: must be without question marks")
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "config.toml"
        # JSON's strings are TOML's, whatever is in the folder's name.
        folder = json.dumps(self._folder.as_posix())[1:-1]
        daily = datetime.now(UTC) + DAILY_AFTER
        values = {"home": HOME, "hall": HALL, "minutes": self._minutes}
        values["dream_at"] = f"{daily.minute} {daily.hour} * * *"
        config.write_text(CONFIG.format(folder=folder, shop=shop, **values), "utf-8")
        return config


@asynccontextmanager
async def _shop(bags: int) -> AsyncIterator[str]:
    """Run the shop in its own process; gives its URL.

    It keeps its port if it can, because the catalog knows pages by their URL.
    """
    for port in (_free_port(SHOP_PORT), 0):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot.demo.shop.server", "--port", str(port), "--bags", str(bags)),
            "--leashed",  # a demo that is killed can't stop it
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        line = (await process.stdout.readline()).decode().split() if process.stdout else []
        if line:
            break
        await process.wait()  # somebody else took the port first
    else:
        raise OSError("the demo's shop did not start")
    try:
        yield line[-1].rstrip("/")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _free_port(wanted: int) -> int:
    """The wanted port, or 0 (any free one) if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
