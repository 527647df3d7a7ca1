"""The dream bag of the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from bot import words
from bot.client.announcer import Announcer
from bot.codes import Code
from bot.features.card import Cards, Message
from bot.features.daily.post import Choice, RegularPost
from bot.features.daily.taste import Taste
from bot.guilds import Guilds, Rules
from bot.store.store import Store


class DailyDream(RegularPost):
    """Gives each server a dream bag a day, picked by its taste."""

    kind = "dream"

    def __init__(
        self,
        announcer: Announcer,
        store: Store,
        guilds: Guilds,
        cards: Cards,
        late: timedelta,
        now: Callable[[], datetime],
        taste: Taste,
    ) -> None:
        super().__init__(announcer, store, guilds, cards, late, now)
        self._taste = taste

    def cron(self, rules: Rules) -> str:
        """When it is due."""
        return rules.dream_at

    def heading(self, day: date) -> str:
        """“Dream bag of Saturday, 21 November 2026”."""
        return words.daily_title(day)

    async def choose(self, guild_id: int, day: date) -> Choice:
        """The design that the server would like best. Raises Refusal while there is no generator."""
        pick = await self._taste.pick(guild_id, day, self._guilds.rules(guild_id).theme)
        return Choice(str(pick.code), pick.reason or "")

    async def message(self, guild_id: int, choice: Choice) -> Message:
        """The design's card. Raises Refusal."""
        return await self._cards.design(Code.of(choice.code), guild_id, None)
