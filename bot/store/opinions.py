"""Opinions in the store: the votes from which a community's taste is learned."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select

from bot.store.database import Database
from bot.store.models import Design, Vote


@dataclass(frozen=True)
class Opinion:
    """A design's look (see `bot.drawing.look`) and its votes for and against."""

    look: bytes
    up: int
    down: int


class Opinions(Database):
    """What communities like."""

    async def opinions(self, guild_id: int, limit: int) -> list[Opinion]:
        """A guild's newest `limit` votes, added up by design, in the order of codes."""
        newest = (
            select(Vote.code, Vote.value)
            .where(Vote.guild_id == guild_id)
            .order_by(Vote.voted_at.desc())
            .limit(limit)
            .subquery()
        )
        query = (
            select(
                Design.look,
                func.sum(case((newest.c.value > 0, 1), else_=0)).label("up"),
                func.sum(case((newest.c.value < 0, 1), else_=0)).label("down"),
            )
            .join(newest, newest.c.code == Design.code)
            .where(Design.look.is_not(None))
            .group_by(Design.code, Design.look)
            .order_by(Design.code)
        )
        async with self.engine.connect() as connection:
            return [Opinion(row.look, row.up, row.down) for row in await connection.execute(query)]
