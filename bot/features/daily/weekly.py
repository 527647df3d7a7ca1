"""The best bags of the week, once a week."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from bot import words
from bot.client.announcer import Herald
from bot.client.bot import BagBot
from bot.features.daily.post import Choice, RegularPost
from bot.features.feature import Feature, Message
from bot.guilds import Guilds, Rules
from bot.store.store import Store
from bot.store.votes import week

BEST = 9


def week_told(day: date) -> date:
    """The Monday of the last ISO week that is over at the end of a day: on a Sunday it is that week."""
    inside = day - timedelta(days=6)
    return inside - timedelta(days=inside.weekday())


class WeeklyBest(RegularPost):
    """Each server's best designs of the week, by its own votes; nothing if nobody voted."""

    kind = "best"

    def __init__(self, herald: Herald, store: Store, guilds: Guilds, late: timedelta) -> None:
        super().__init__(herald, store, guilds, late)
        self._votes = store

    def cron(self, rules: Rules) -> str:
        """When it is due."""
        return rules.best_at

    def heading(self, day: date) -> str:
        """“The week's best · told on Sunday, 22 November 2026”."""
        return words.weekly_title(day)

    async def choose(self, guild_id: int, day: date) -> Choice | None:
        """The week, if anybody liked anything in it."""
        period = week(datetime.combine(week_told(day), time(), UTC))
        return Choice(period) if await self._votes.top(guild_id, 1, period) else None

    async def message(self, bot: BagBot, guild_id: int, choice: Choice) -> Message:
        """The designs as one numbered picture with votes and dreamers. Raises Refusal."""
        best = await self._votes.top(guild_id, BEST, choice.code)
        notes = []
        for code, tally in best:
            card = await self._votes.card(code, guild_id)
            notes.append(words.weekly_note(tally.up, tally.down, card.user_id if card else None))
        codes = [code for code, _ in best]
        monday = date.fromisoformat(f"{choice.code}-1")
        title = words.week_title(monday, monday + timedelta(days=6))
        return await Feature(bot).grid(codes, title, words.listing(codes, notes))
