"""A community's taste: the daily dream bag is the one of many dreams that its votes say it would like."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from bot import codes, words
from bot.codes import Code
from bot.drawing.studio import Studio
from bot.drawing.workers import Easel
from bot.features.daily import preference
from bot.store.store import Store
from gan.seeds import derived

CANDIDATES = 2048
TOGETHER = 64
"""Candidates drawn in one go; then whoever waits for the easel has a turn."""
VOTES = 2000
"""The newest votes say what is liked; with more the fit would take long, and tastes change."""


@dataclass(frozen=True)
class Pick:
    """A design for a guild, and why it was picked; no reason for a plain dream."""

    code: Code
    reason: str | None


class Taste:
    """Picks designs for guilds by their votes."""

    def __init__(self, store: Store, studio: Studio, easel: Easel) -> None:
        self._store = store
        self._studio = studio
        self._easel = easel

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
            looks += await self._easel.draw(
                preference.draw_looks, model.path, seeds[at : at + TOGETHER], lane="slow"
            )
        choice = await self._easel.draw(
            preference.choose, looks, opinions, derived(guild_id, str(day)), lane="slow"
        )
        votes = sum(opinion.up + opinion.down for opinion in opinions)
        return Pick(
            Code.seeded(model.version, seeds[choice.index]), words.picked(CANDIDATES, votes, choice.chance)
        )
