"""Votes in the store: one a person and design."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, now
from bot.store.models import Vote


@dataclass(frozen=True)
class Tally:
    """Votes for and against one design."""

    up: int = 0
    down: int = 0

    @property
    def score(self) -> int:
        """Votes for minus votes against."""
        return self.up - self.down


class Votes(Database):
    """Who likes what."""

    async def vote(self, code: str, user_id: int, guild_id: int, value: int) -> Tally:
        """Record a vote (+1 or -1), one a person: another takes its place, the same again takes it back."""
        async with self.engine.begin() as connection:
            changed = await connection.execute(
                self.insert(Vote)
                .values(code=code, user_id=user_id, guild_id=guild_id, value=value, voted_at=now())
                .on_conflict_do_update(
                    index_elements=["code", "user_id"],
                    set_={"value": value, "guild_id": guild_id, "voted_at": now()},
                    where=Vote.value != value,
                )
                .returning(Vote.code)
            )
            if changed.first() is None:
                await connection.execute(delete(Vote).where(Vote.code == code, Vote.user_id == user_id))
            return await self._tally(connection, code)

    async def tally(self, code: str) -> Tally:
        """The votes of a design now."""
        async with self.engine.connect() as connection:
            return await self._tally(connection, code)

    async def _tally(self, connection: AsyncConnection, code: str) -> Tally:
        rows = await connection.execute(
            select(Vote.value, func.count().label("votes")).where(Vote.code == code).group_by(Vote.value)
        )
        counts = {row.value: row.votes for row in rows}
        return Tally(counts.get(1, 0), counts.get(-1, 0))

    async def top(self, guild_id: int, limit: int) -> list[tuple[str, Tally]]:
        """A guild's best designs by votes for minus votes against; ties go to the older one."""
        score = func.sum(Vote.value)
        query = (
            select(Vote.code, score.label("score"), func.count().label("votes"))
            .where(Vote.guild_id == guild_id)
            .group_by(Vote.code)
            .having(score > 0)
            .order_by(score.desc(), func.min(Vote.voted_at))
            .limit(limit)
        )
        async with self.engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [(row.code, Tally((row.votes + row.score) // 2, (row.votes - row.score) // 2)) for row in rows]
