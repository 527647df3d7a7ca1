"""The best bags of the week, once a week."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from bot import words
from bot.features.card import Message
from bot.features.daily.post import Choice, RegularPost
from bot.guilds import Rules
from bot.store.votes import week

BEST = 9


def week_told(day: date) -> date:
    """The Monday of the last ISO week that is over at the end of a day: on a Sunday it is that week."""
    inside = day - timedelta(days=6)
    return inside - timedelta(days=inside.weekday())


class WeeklyBest(RegularPost):
    """Shows each server its best designs of the week, by its own votes; nothing if nobody voted."""

    kind = "best"

    def cron(self, rules: Rules) -> str:
        """When it is due."""
        return rules.best_at

    def heading(self, day: date) -> str:
        """“The week's best · told on Sunday, 22 November 2026”."""
        return words.weekly_title(day)

    async def choose(self, guild_id: int, day: date) -> Choice | None:
        """The week, if anybody liked anything in it."""
        period = week(datetime.combine(week_told(day), time(), UTC))
        return Choice(period) if await self._store.top(guild_id, 1, period) else None

    async def message(self, guild_id: int, choice: Choice) -> Message:
        """The designs as one numbered picture with votes and dreamers. Raises Refusal."""
        best = await self._store.top(guild_id, BEST, choice.code)
        notes = []
        for code, tally in best:
            card = await self._store.card(code, guild_id)
            notes.append(words.weekly_note(tally.up, tally.down, card.user_id if card else None))
        codes = [code for code, _ in best]
        monday = date.fromisoformat(f"{choice.code}-1")
        title = words.week_title(monday, monday + timedelta(days=6))
        return await self._cards.grid(codes, title, words.listing(codes, notes))
