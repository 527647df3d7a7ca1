"""Favorites: what it takes to keep a design, whoever asks: the store, its files and the halls of fame."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.client.bot import BagBot
from bot.client.edits import Edits
from bot.codes import Code
from bot.errors import Refusal
from bot.features.card import Cards
from bot.features.favorites.files import FavoriteFiles
from bot.features.favorites.hall import Hall

CRASHED_WITHIN = timedelta(days=1)
"""A younger favorite without a post in the hall of fame met a crash; an older one had no hall to go to."""
log = logging.getLogger(__name__)


class FavoriteService:
    """Makes designs favorites, and shows them in the halls of fame."""

    def __init__(self, bot: BagBot, cards: Cards) -> None:
        services = bot.services
        self._store = services.store
        self._studio = services.studio
        self._now = services.now
        self.edits = Edits()
        self.hall = Hall(bot, cards, self.edits)
        self.files = FavoriteFiles(services.settings.favorites, self._store, self._studio)

    async def keep(self, code: str, guild: int, user_id: int) -> bool:
        """Make a design a favorite: a row, its files, a post in the hall of fame. False if it is one already.

        Raises Refusal if it can't be drawn, OSError if its files can't be written.
        """
        named = Code.of(code)
        model = await self._studio.model(named.version)
        await self._store.add_designs([named], model.epoch, guild, None)
        if not await self._store.save(code, guild, user_id):
            return False
        try:
            await self.files.put(code)
        except BaseException:
            # The row must not promise files that are not there; saving can then be tried again.
            await self._store.unsave(code, guild, user_id)
            raise
        self.hall.refresh(guild, code)
        return True

    async def mend(self) -> None:
        """Write the files that favorites lack, and post what a crash kept from the halls of fame."""
        for guild, code in await self._store.missing_in_hall(self._now() - CRASHED_WITHIN):
            self.hall.refresh(guild, code)
        for code in await self.files.missing(await self._store.favorite_codes()):
            try:
                await self.files.put(code)
            except (Refusal, OSError) as error:
                log.warning("favorite %s stays without its files: %s", code, error)
