"""What happens in the demo without being asked, so that five minutes show everything the bot does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import discord

from bot import codes, words
from bot.app import App
from bot.client.replies import dress
from bot.demo.chat.room import GUEST, RefusedError
from bot.demo.chat.server import Chat
from bot.errors import Refusal
from bot.features.favorites.cog import FavoritesCog
from bot.gallery.build import build
from bot.gallery.folder import GalleryError

FIRST_DREAM_EPOCH = 20
PAUSE_SECONDS = 20.0
"""Between two things that Dora does."""
GALLERY_SECONDS = 30.0
IN_HALL = 10
"""Favorites of earlier evenings that are shown in the hall of fame."""
FIRST_WORDS = "My first dream today. Press a button below it, or type `!bag`."
log = logging.getLogger(__name__)


class Story:
    """A welcome, a crawl, a training run and a first dream; then what a member does, and the gallery."""

    def __init__(self, app: App, chat: Chat, bags: int, gallery: Path) -> None:
        self._app = app
        self._chat = chat
        self._bags = bags
        self._gallery = gallery

    async def tell(self) -> None:
        """Everything in its order, until cancelled."""
        try:
            loved = [kept.code for kept in await self._app.store.kept(self._chat.guild_id)]
            hello = welcome_back(len(loved)) if loved else welcome(self._bags)
            await self._app.announcer.say(words.typed(hello, self._app.guilds.prefix))
            await self._fill_hall(loved[:IN_HALL])
            if not self._app.trainer.running:
                await self._app.scraper.start()
                await self._app.scraper.done.wait()
                await self._app.trainer.start()
            await self._dream_first_bag()
            await self._let_dora_play()
        except discord.DiscordException:
            log.exception("the demo's story failed; the chat goes on")

    async def _fill_hall(self, codes: list[str]) -> None:
        """Post again what was loved: the messages of an earlier evening went with its chat."""
        bot = self._app.announcer.bot
        guild = bot.get_guild(self._chat.guild_id) if bot else None
        hall = bot.hall(guild) if bot and guild else None
        cog = bot.get_cog("FavoritesCog") if bot else None
        if hall is None or not isinstance(cog, FavoritesCog):
            return
        for code in codes:
            await self._app.store.claim_hall_post(self._chat.guild_id, code, hall.id)
        await cog.mend()

    async def _dream_first_bag(self) -> None:
        while True:
            with contextlib.suppress(Refusal):
                model = await self._app.studio.current()
                # The very first dreams are fog, which the grids in the thread show.
                if model.epoch >= FIRST_DREAM_EPOCH or not self._app.trainer.running:
                    break
            await asyncio.sleep(0.5)
        for channel in self._app.announcer.homes():
            design = await self._app.cards.design(codes.fresh(model.version), channel.guild.id, None)
            await channel.send(**dress({"content": FIRST_WORDS, **design}, self._app.guilds.prefix))

    async def _let_dora_play(self) -> None:
        """A member who uses the bot as anybody would: what she does shows what one can do."""
        await self._act(do="send", text="Hi! I am Dora. I live in this demo, and show what one can do here.")
        await self._act(do="send", text="!bag")
        for button in ("save", "up"):
            await self._press(button)
        await asyncio.sleep(PAUSE_SECONDS)
        await self._act(do="send", text="!bag vote")
        await self._press("ballot")
        await asyncio.sleep(PAUSE_SECONDS)
        await self._act(do="send", text="!bag top week")
        address = f"{self._chat.address}/gallery/"
        await self._app.announcer.say(f"🖼 What you save is also in a gallery, a site of its own: {address}")

    async def _press(self, button: str) -> None:
        """Press the first such button under the bot's newest message that has one."""
        messages = self._chat.messages()
        for message in reversed(messages):
            for control in (control for row in message["rows"] for control in row):
                if str(control["custom_id"]).startswith(f"bag:{button}:") and not control["disabled"]:
                    await self._act(do="click", message=message["id"], custom_id=control["custom_id"])
                    return

    async def _act(self, **action: Any) -> None:
        try:
            await self._chat.act(GUEST, {"channel": str(self._chat.channel_id), **action})
        except RefusedError as error:
            log.info("Dora could not %s: %s", action["do"], error)

    async def keep_gallery(self) -> None:
        """Build the gallery now and then, so that it has what was saved."""
        while True:
            try:
                await build(self._app.config, self._app.pool, self._gallery, "")
            except (GalleryError, Refusal, OSError) as error:
                log.info("no gallery yet: %s", error)
            await asyncio.sleep(GALLERY_SECONDS)


def welcome(bags: int) -> str:
    """The first message in the demo's channel."""
    return (
        "👜 **Hello! I dream handbags.** This is a simulated Discord on your own machine, with the real bot "
        f"in it. Right now I am collecting {bags:,} drawn bags from a small shop next door. Then I train on "
        "them, and the bags emerge in a thread, epoch by epoch.\n"
        "Type **`!bag`** for a dream, **`!bag 42`** for the bag of seed 42, **`!bag red tote`**, "
        "**`!bag grid 9`**, **`!bag interpolate 42 7`**, **`!bag vote`** or **`!bag help`**. "
        "You can speak as any of three people: choose one at the lower left."
    )


def welcome_back(favorites: int) -> str:
    """The same for somebody who was here before."""
    what = "Your favorite bag is" if favorites == 1 else f"Your {favorites:,} favorite bags are"
    return (
        f"👋 **Welcome back! I dream handbags.** {what} in **#hall-of-fame**, your votes count, and every "
        "code still draws its bag. A new training run begins; until it is better, I dream with the last "
        "one.\n"
        "Type **`!bag`**, **`!bag top`**, **`!bag favorites`** or **`!bag help`**."
    )
