"""Rounds in the store: votes between designs, with a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from bot.store.database import Database, now
from bot.store.models import Ballot, Round


@dataclass(frozen=True)
class OpenRound:
    """A vote between designs as it stands."""

    id: int
    guild_id: int
    channel_id: int
    message_id: int | None
    codes: tuple[str, ...]
    closes_at: datetime
    closed: bool
    votes: dict[str, int]


class Rounds(Database):
    """Who chose what."""

    async def open_round(
        self, guild_id: int, channel_id: int, codes: Sequence[str], closes_at: datetime
    ) -> int:
        """Begin a vote between designs; its number."""
        async with self.engine.begin() as connection:
            added = await connection.execute(
                self.insert(Round)
                .values(
                    guild_id=guild_id,
                    channel_id=channel_id,
                    codes=" ".join(codes),
                    closes_at=closes_at,
                    closed=False,
                    announced=False,
                )
                .returning(Round.id)
            )
            return int(added.scalar_one())

    async def round_posted(self, round_id: int, message_id: int) -> None:
        """Remember the message in which a round is shown."""
        async with self.engine.begin() as connection:
            await connection.execute(update(Round).where(Round.id == round_id).values(message_id=message_id))

    async def cast(self, round_id: int, user_id: int, code: str) -> OpenRound | None:
        """Record a choice, one a person, changeable; None if there is no such round."""
        async with self.engine.begin() as connection:
            row = (await connection.execute(select(Round.__table__).where(Round.id == round_id))).first()
            if row is None or code not in row.codes.split():
                return None
            if not row.closed and row.closes_at > now():
                await connection.execute(
                    self.insert(Ballot)
                    .values(round_id=round_id, user_id=user_id, code=code)
                    .on_conflict_do_update(index_elements=["round_id", "user_id"], set_={"code": code})
                )
        return await self.round(round_id)

    async def round(self, round_id: int) -> OpenRound | None:
        """A round and its tally."""
        async with self.engine.connect() as connection:
            row = (await connection.execute(select(Round.__table__).where(Round.id == round_id))).first()
            if row is None:
                return None
            counts = await connection.execute(
                select(Ballot.code, func.count().label("votes"))
                .where(Ballot.round_id == round_id)
                .group_by(Ballot.code)
            )
            codes = tuple(row.codes.split())
            votes = dict.fromkeys(codes, 0) | {row.code: row.votes for row in counts}
        return OpenRound(
            row.id, row.guild_id, row.channel_id, row.message_id, codes, row.closes_at, row.closed, votes
        )

    async def due_rounds(self, at: datetime) -> list[int]:
        """Numbers of the rounds whose deadline is past and that nobody has closed."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(
                select(Round.id).where(Round.closed.is_(False), Round.closes_at <= at).order_by(Round.id)
            )
            return list(rows.scalars())

    async def close_round(self, round_id: int) -> bool:
        """Close a round; False if somebody else already has."""
        async with self.engine.begin() as connection:
            closed = await connection.execute(
                update(Round)
                .where(Round.id == round_id, Round.closed.is_(False))
                .values(closed=True)
                .returning(Round.id)
            )
            return closed.first() is not None
