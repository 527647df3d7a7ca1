"""The dream bag of the day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from bot import words
from bot.client.announcer import Herald
from bot.client.bot import BagBot
from bot.codes import Code
from bot.features.daily.post import Choice, RegularPost
from bot.features.daily.taste import Pick
from bot.features.feature import Feature, Message
from bot.guilds import Guilds, Rules
from bot.store.store import Store

Picker = Callable[[int, date], Awaitable[Pick]]
"""Chooses the design of a server (by guild id) and day."""


class DailyDream(RegularPost):
    """Each server's dream bag of the day."""

    kind = "dream"

    def __init__(self, herald: Herald, store: Store, guilds: Guilds, late: timedelta, pick: Picker) -> None:
        super().__init__(herald, store, guilds, late)
        self._pick = pick

    def cron(self, rules: Rules) -> str:
        """When it is due."""
        return rules.dream_at

    def heading(self, day: date) -> str:
        """“Dream bag of Saturday, 21 November 2026”."""
        return words.daily_title(day)

    async def choose(self, guild_id: int, day: date) -> Choice:
        """The bag. Raises Refusal while there is no generator."""
        pick = await self._pick(guild_id, day)
        return Choice(str(pick.code), pick.reason or "")

    async def message(self, bot: BagBot, guild_id: int, choice: Choice) -> Message:
        """The bag with its buttons. Raises Refusal."""
        return await Feature(bot).design(Code.of(choice.code), guild_id, None)
