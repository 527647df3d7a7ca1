"""A community's taste: of many dreams, the one that its votes say it would like best."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot import codes, words
from bot.codes import Code
from bot.drawing import jobs, preference
from bot.drawing.generators import Model
from bot.drawing.look import Traits
from bot.drawing.studio import Studio
from bot.drawing.workers import DrawingPool
from bot.errors import Refusal
from bot.guilds import BY_VOTES
from bot.store.store import Store
from bot.store.votes import Tally
from gan.seeds import derived

CANDIDATES = 2048
TOGETHER = 64
"""Designs per call; between two calls, others get their turn."""
VOTES = 2000
"""The newest votes count: with more the fit would take long, and tastes change."""
POLLS = 200
"""And the newest polls."""


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

    async def pick(self, guild_id: int, day: date, theme: str = "") -> Pick:
        """The design for a guild's day: with the same votes and generator always the same. Raises Refusal.

        `theme` has words as in a code, or is BY_VOTES. It takes some seconds, so ask only for a day that has
        no design yet.
        """
        model = await self._studio.current()
        chance = random.Random(f"{guild_id} {day}")  # noqa: S311  # dreams, no secrets
        seeds = chance.sample(range(codes.FRESH), CANDIDATES)
        votes = await self._store.opinions(guild_id, VOTES)
        polls = await self._store.ballots(guild_id, POLLS)
        seen = await self._seen([*votes, *(code for poll in polls for code in poll)])
        votes = {code: tally for code, tally in votes.items() if code in seen}
        polls = [{code: poll[code] for code in poll if code in seen} for poll in polls]
        by_votes = theme == BY_VOTES
        if by_votes:
            theme = liked_word({code: said for code, (_, said) in seen.items()}, votes, polls, model, chance)
        said = model.recognize(theme).words if theme else ()
        themed = (
            words.theme_of_day(words.bag_of(model.by_facet(said), brand=True), by_votes) if said else None
        )
        candidates = [model.code(seed, said) for seed in seeds]
        count = sum(tally.up + tally.down for tally in votes.values()) + sum(map(_ballots, polls))
        if not count:
            return Pick(candidates[0], themed)
        places = {code: place for place, code in enumerate(seen)}
        choice = await self._pool.draw(
            preference.choose,
            await self._look_at(candidates),
            list(seen.values()),
            [votes.get(code, Tally()).up for code in seen],
            [votes.get(code, Tally()).down for code in seen],
            [{places[code]: number for code, number in poll.items()} for poll in polls],
            derived(guild_id, str(day)),
            lane="slow",
        )
        picked = words.picked(CANDIDATES, count, choice.chance)
        return Pick(candidates[choice.index], "\n".join(filter(None, [themed, picked])))

    async def _seen(self, named: Iterable[str]) -> dict[str, Traits]:
        """The traits of designs by code, without those that can't be drawn any more; the store notes them."""
        wanted = sorted(set(named))
        known = await self._store.traits(wanted)
        unknown = [Code.of(code) for code in wanted if code not in known]
        found: dict[str, Traits] = {}
        for version in dict.fromkeys(code.version for code in unknown):
            some = [code for code in unknown if code.version == version]
            try:
                found |= zip(map(str, some), await self._look_at(some), strict=True)
            except Refusal:  # its generator is gone
                continue
        await self._store.note_traits(found)
        known |= found
        return {code: known[code] for code in wanted if code in known}

    async def _look_at(self, designs: Sequence[Code]) -> list[Traits]:
        """The traits of designs of one generator. Raises Refusal."""
        sources, found = await self._studio.designs(designs), list[Traits]()
        for at in range(0, len(sources), TOGETHER):
            found += await self._pool.draw(jobs.traits, sources[at : at + TOGETHER], lane="slow")
        return found


def liked_word(
    said: Mapping[str, str],
    votes: Mapping[str, Tally],
    polls: Sequence[Mapping[str, int]],
    model: Model,
    chance: random.Random,
) -> str:
    """A word that votes like, as in a code; "" if they like none that the generator knows.

    `said` has the words of each design. Thompson sampling: of each word the share of likes is drawn from its
    beta distribution, so that a word that is liked more comes more often, and none every day.
    """
    up, down = Counter[str](), Counter[str]()
    for code, tally in votes.items():
        for word in said[code].split():
            up[word] += tally.up
            down[word] += tally.down
    for poll in polls:
        for code, ballots in poll.items():
            for word in said[code].split():
                up[word] += ballots
    known = [word for word in sorted(up) if up[word] > down[word] and model.recognize(word).words]
    return max(known, key=lambda word: chance.betavariate(1 + up[word], 1 + down[word]), default="")


def _ballots(poll: Mapping[str, int]) -> int:
    return sum(poll.values())
