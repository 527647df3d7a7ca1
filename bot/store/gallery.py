"""The store's data for the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.models import Design, Favorite, Post, Score

AT_ONCE = 500
"""Codes per query: databases limit the number of parameters."""


@dataclass(frozen=True)
class Exhibit:
    """What may be public about a design: not who dreamed it, saved it or voted on it."""

    code: str
    epoch: int
    created_at: datetime
    parents: tuple[str, ...]
    up: int
    down: int
    saved_at: datetime | None
    """When it first became somebody's favorite."""
    days: tuple[date, ...]
    """The days whose dream bag it was, newest first."""


class Galleries(Database):
    """Designs in public."""

    async def exhibits(self, generations: int) -> dict[str, Exhibit]:
        """All favorites and daily bags by code, with this many generations of their ancestors."""
        saved = select(Favorite.code, func.min(Favorite.saved_at).label("at")).group_by(Favorite.code)
        posted = (
            select(Post.code, Post.day)
            .where(Post.kind == "dream", Post.message_id > 0)
            .distinct()
            .order_by(Post.day.desc(), Post.code)
        )
        async with self.engine.connect() as connection:
            saved_at = {row.code: row.at for row in await connection.execute(saved)}
            days: dict[str, list[date]] = {}
            for row in await connection.execute(posted):
                days.setdefault(row.code, []).append(row.day)
            found: dict[str, Exhibit] = {}
            wanted = sorted(saved_at.keys() | days.keys())
            for _ in range(generations + 1):
                for at in range(0, len(wanted), AT_ONCE):
                    some = wanted[at : at + AT_ONCE]
                    votes = (
                        select(Score.code, func.sum(Score.up).label("up"), func.sum(Score.down).label("down"))
                        .where(Score.period == "", Score.code.in_(some))
                        .group_by(Score.code)
                    )
                    tally = {row.code: (row.up, row.down) for row in await connection.execute(votes)}
                    designs = select(Design.code, Design.epoch, Design.created_at, Design.parents).where(
                        Design.code.in_(some)
                    )
                    for design in await connection.execute(designs):
                        found[design.code] = Exhibit(
                            design.code,
                            design.epoch,
                            design.created_at,
                            tuple((design.parents or "").split()),
                            *tally.get(design.code, (0, 0)),
                            saved_at.get(design.code),
                            tuple(days.get(design.code, ())),
                        )
                wanted = sorted({parent for each in found.values() for parent in each.parents} - found.keys())
        return found
