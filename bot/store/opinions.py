"""Opinions in the store: votes and ballots, from which a community's taste is learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, case, func, select, update

from bot.store.database import Database
from bot.store.models import Ballot, Design, Poll, Vote
from bot.store.votes import Tally


class Opinions(Database):
    """What communities like, and what they have seen."""

    async def opinions(self, guild_id: int, limit: int) -> dict[str, Tally]:
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
                newest.c.code,
                func.sum(case((newest.c.value > 0, 1), else_=0)).label("up"),
                func.sum(case((newest.c.value < 0, 1), else_=0)).label("down"),
            )
            .group_by(newest.c.code)
            .order_by(newest.c.code)
        )
        async with self.engine.connect() as connection:
            return {row.code: Tally(row.up, row.down) for row in await connection.execute(query)}

    async def ballots(self, guild_id: int, limit: int) -> list[dict[str, int]]:
        """The ballots of a guild's newest `limit` polls, by code; of polls in which somebody voted."""
        polls = select(Poll.id, Poll.codes).where(Poll.guild_id == guild_id)
        newest = polls.order_by(Poll.id.desc()).limit(limit).subquery()
        query = (
            select(newest.c.id, newest.c.codes, Ballot.code, func.count().label("ballots"))
            .join(Ballot, Ballot.round_id == newest.c.id)
            .group_by(newest.c.id, newest.c.codes, Ballot.code)
            .order_by(newest.c.id, Ballot.code)
        )
        found: dict[int, dict[str, int]] = {}
        async with self.engine.connect() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.id, dict.fromkeys(row.codes.split(), 0))[row.code] = row.ballots
        return list(found.values())

    async def traits(self, codes: Iterable[str]) -> dict[str, tuple[bytes, str]]:
        """The looks and words of designs by code; of those of which both were noted."""
        query = select(Design.code, Design.look, Design.words).where(
            Design.code.in_(list(codes)), Design.look.is_not(None), Design.words.is_not(None)
        )
        async with self.engine.connect() as connection:
            rows = await connection.execute(query)
            return {row.code: (row.look, row.words) for row in rows}

    async def note_traits(self, found: Mapping[str, tuple[bytes, str]]) -> None:
        """Record the looks and words of designs: the slugs of those, with spaces between them."""
        if not found:
            return
        noted = (
            update(Design)
            .where(Design.code == bindparam("of"))
            .values(look=bindparam("seen"), words=bindparam("said"))
        )
        rows = [{"of": code, "seen": look, "said": said} for code, (look, said) in found.items()]

        def note(connection: Connection) -> None:
            connection.execute(noted, rows)

        await self.write(note)
