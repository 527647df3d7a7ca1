"""Votes in the store: one per person and design, and the scores that follow from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Insert, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.models import Ballot, Design, Score, Vote

EVER = ""
Z = 1.96
"""95 % of the standard normal distribution lies between −Z and Z."""
CHUNK = 200
"""Designs whose scores change in one statement: far below the limit on parameters."""


class UnknownDesignError(LookupError):
    """A vote for a design that the store has never seen."""


@dataclass(frozen=True)
class Tally:
    """Votes for and against one design."""

    up: int = 0
    down: int = 0

    @property
    def score(self) -> int:
        """Votes for minus votes against."""
        return self.up - self.down


def lower_bound(up: int, down: int) -> float:
    """The lower bound of the Wilson score interval for the share of votes for a design, in [0, 1).

    The votes are taken as a sample: with 95 % confidence, at least this share of all people would like it. So
    many votes count for more than few: 9 of 10 rank above 2 of 2. (E. B. Wilson, "Probable inference, the law
    of succession, and statistical inference", JASA 22, 1927.)
    """
    if up == 0:
        return 0.0
    n = up + down
    share = up / n
    margin = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (share + Z**2 / (2 * n) - margin) / (1 + Z**2 / n)


def month(at: datetime) -> str:
    """The period of a month, such as `2026-11`; `at` in UTC."""
    return f"{at:%Y-%m}"


def week(at: datetime) -> str:
    """The period of an ISO 8601 week, such as `2026-W47`; `at` in UTC."""
    return f"{at:%G-W%V}"


class Cast(NamedTuple):
    """A vote as it was cast: where, when (aware) and which way (1 or -1)."""

    guild_id: int
    voted_at: datetime
    value: int


class Change(NamedTuple):
    """A person's vote on a design before and after; None is no vote."""

    before: Cast | None
    after: Cast | None


# Built once: a click costs several statements, and SQLAlchemy takes longer to build one than to run it.
_MINE = (Vote.code == bindparam("of_code")) & (Vote.user_id == bindparam("of_user"))
_HELD = select(Design.code).where(Design.code == bindparam("of_code")).with_for_update(key_share=True)
_READ = select(Vote.guild_id, Vote.voted_at, Vote.value).where(_MINE)
_ADD = insert(Vote)
_CHANGE = (
    update(Vote)
    .where(_MINE)
    .values(guild_id=bindparam("guild_id"), voted_at=bindparam("voted_at"), value=bindparam("value"))
)
_REMOVE = delete(Vote).where(_MINE)
_SCORES = select(Score.guild_id, Score.period, Score.code, Score.up, Score.down).where(
    Score.code.in_(bindparam("codes", expanding=True)),
    Score.period.in_(bindparam("periods", expanding=True)),
)

Key = tuple[int, str, str]
"""Guild, period and code."""


class Changes(dict[Key, tuple[int, int]]):
    """By key, the change in the number of votes for and against."""

    def count(self, code: str, guild_id: int, at: datetime, value: int, sign: int) -> None:
        """Note a vote that is added (`sign` 1) or removed (-1), in all its periods; `at` in UTC."""
        for period in (EVER, month(at), week(at)):
            up, down = self.get((guild_id, period, code), (0, 0))
            self[guild_id, period, code] = (up + sign, down) if value > 0 else (up, down + sign)


class Votes(Database):
    """Votes for designs, and the scores that follow from them."""

    async def vote(
        self, code: str, user_id: int, guild_id: int, value: int, at: datetime | None = None
    ) -> tuple[Tally, Change]:
        """Record a person's vote (1 or -1): the other value replaces it, the same value takes it back.

        `at` (aware) defaults to now. A vote that is replaced or taken back is removed from the guild and the
        periods in which it was cast. Returns this guild's votes on the design, and what `undo_vote` needs.
        Raises UnknownDesignError.
        """
        cast = Cast(guild_id, (at or self.now()).astimezone(UTC), value)

        def vote(connection: Connection) -> tuple[Tally, Change]:
            old = _cast(connection, code, user_id)
            new = None if old is not None and old.value == value else cast
            scores = self._replace(connection, code, user_id, old, new)
            return Tally(*scores.get((guild_id, EVER, code), (0, 0))), Change(old, new)

        return await self.write(vote)

    async def undo_vote(self, code: str, user_id: int, change: Change) -> None:
        """Give a person the vote on a design that they had before, unless they have voted again."""

        def undo(connection: Connection) -> None:
            if _cast(connection, code, user_id) == change.after:
                self._replace(connection, code, user_id, change.after, change.before)

        await self.write(undo)

    def _replace(
        self, connection: Connection, code: str, user_id: int, old: Cast | None, new: Cast | None
    ) -> dict[Key, tuple[int, int]]:
        changes = Changes()
        mine = {"of_code": code, "of_user": user_id}
        if old is not None:
            changes.count(code, *old, sign=-1)
        if new is not None:
            changes.count(code, *new, sign=1)
        if new is None:
            connection.execute(_REMOVE, mine)
        elif old is None:
            connection.execute(_ADD, {"code": code, "user_id": user_id} | new._asdict())
        else:
            connection.execute(_CHANGE, mine | new._asdict())
        return self._rescore(connection, changes)

    def _forget(self, connection: Connection, user_id: int) -> int:
        voted = Design.code.in_(select(Vote.code).where(Vote.user_id == user_id))
        codes = iter(_hold(connection, voted))
        forgotten = 0
        while chunk := list(islice(codes, CHUNK)):
            changes = Changes()
            gone = connection.execute(
                delete(Vote)
                .where(Vote.user_id == user_id, Vote.code.in_(chunk))
                .returning(Vote.code, Vote.guild_id, Vote.voted_at, Vote.value)
            )
            for vote in gone:
                changes.count(*vote, sign=-1)
                forgotten += 1
            self._rescore(connection, changes)
        connection.execute(delete(Ballot).where(Ballot.user_id == user_id))
        return forgotten

    async def tally(self, code: str, guild_id: int | None = None) -> Tally:
        """The current votes on a design, in one guild or in all."""
        async with self.engine.connect() as connection:
            return await self._tally(connection, code, guild_id)

    async def top(self, guild_id: int, limit: int, period: str = EVER) -> list[tuple[str, Tally]]:
        """A guild's best designs of a period (`month`, `week` or EVER) by `lower_bound`, best first."""
        query = (
            select(Score.code, Score.up, Score.down)
            .where(Score.guild_id == guild_id, Score.period == period, Score.bound > 0)
            .order_by(Score.bound.desc(), Score.code.desc())
            .limit(limit)
        )
        async with self.engine.connect() as connection:
            return [(row.code, Tally(row.up, row.down)) for row in await connection.execute(query)]

    async def _tally(self, connection: AsyncConnection, code: str, guild_id: int | None = None) -> Tally:
        query = select(func.sum(Score.up), func.sum(Score.down)).where(
            Score.code == code, Score.period == EVER
        )
        if guild_id is not None:
            query = query.where(Score.guild_id == guild_id)
        up, down = (await connection.execute(query)).one()
        return Tally(int(up or 0), int(down or 0))

    def _rescore(self, connection: Connection, changes: Changes) -> dict[Key, tuple[int, int]]:
        """Correct the scores; returns votes for and against in all the periods that changed.

        The caller has locked the designs.
        """
        rows = connection.execute(
            _SCORES,
            {
                "codes": list({code for _, _, code in changes}),
                "periods": list({period for _, period, _ in changes}),
            },
        )
        scores = {(guild_id, period, code): (up, down) for guild_id, period, code, up, down in rows}
        changed = []
        for key, (more_up, more_down) in changes.items():
            up, down = scores.get(key, (0, 0))
            up, down = scores[key] = up + more_up, down + more_down
            guild_id, period, code = key
            changed.append(
                {
                    "guild_id": guild_id,
                    "period": period,
                    "code": code,
                    "up": up,
                    "down": down,
                    "bound": lower_bound(up, down),
                }
            )
        connection.execute(self._set_scores, changed)
        return scores

    @cached_property
    def _set_scores(self) -> Insert:
        upsert = self.insert(Score)
        return upsert.on_conflict_do_update(
            index_elements=["guild_id", "period", "code"],
            set_={name: upsert.excluded[name] for name in ("up", "down", "bound")},
        )


def _cast(connection: Connection, code: str, user_id: int) -> Cast | None:
    """A person's vote on a design, whose votes are locked until the transaction ends."""
    if connection.scalar(_HELD, {"of_code": code}) is None:
        raise UnknownDesignError(code)
    row = connection.execute(_READ, {"of_code": code, "of_user": user_id}).first()
    return Cast(*row) if row else None


def _hold(connection: Connection, which: ColumnElement[bool]) -> Sequence[str]:
    """Lock the votes and scores of some designs until the transaction ends; returns their codes.

    Locks the designs' rows in the order of codes, so that two transactions never deadlock.
    """
    return connection.scalars(
        select(Design.code).where(which).order_by(Design.code).with_for_update(key_share=True)
    ).all()
