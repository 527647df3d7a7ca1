"""A community's taste: of many dreams, the one that its votes say it would like best."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from bot import codes, words
from bot.codes import Code
from bot.drawing import look, preference
from bot.drawing.studio import Studio
from bot.drawing.workers import DrawingPool
from bot.store.store import Store
from gan.seeds import derived

CANDIDATES = 2048
TOGETHER = 64
"""Candidates per call; between two calls, others get their turn."""
VOTES = 2000
"""The newest votes count: with more the fit would take long, and tastes change."""


@dataclass(frozen=True)
class Pick:
    """A design for a guild, and why it was picked; no reason for a plain dream."""

    code: Code
    reason: str | None


class Taste:
    """Picks designs for guilds by their votes."""

    def __init__(self, store: Store, studio: Studio, pool: DrawingPool) -> None:
        self._store = store
        self._studio = studio
        self._pool = pool

    async def pick(self, guild_id: int, day: date) -> Pick:
        """The design for a guild's day: with the same votes and generator always the same. Raises Refusal.

        It takes some seconds, so ask only for a day that has no design yet.
        """
        model = await self._studio.current()
        chance = random.Random(f"{guild_id} {day}")  # noqa: S311  # dreams, no secrets
        seeds = chance.sample(range(codes.FRESH), CANDIDATES)
        opinions = await self._store.opinions(guild_id, VOTES)
        if not opinions:
            return Pick(Code.seeded(model.version, seeds[0]), None)
        looks: list[bytes] = []
        for at in range(0, CANDIDATES, TOGETHER):
            looks += await self._pool.draw(
                look.draw_looks, model.path, seeds[at : at + TOGETHER], lane="slow"
            )
        choice = await self._pool.draw(
            preference.choose,
            looks,
            [opinion.look for opinion in opinions],
            [opinion.up for opinion in opinions],
            [opinion.down for opinion in opinions],
            derived(guild_id, str(day)),
            lane="slow",
        )
        votes = sum(opinion.up + opinion.down for opinion in opinions)
        return Pick(
            Code.seeded(model.version, seeds[choice.index]), words.picked(CANDIDATES, votes, choice.chance)
        )
