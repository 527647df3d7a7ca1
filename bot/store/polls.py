"""Rounds in the store: votes between designs, with a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

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
    announced: bool
    votes: dict[str, int]

    @property
    def most(self) -> int:
        """The votes of the best."""
        return max(self.votes.values())

    @property
    def winners(self) -> list[str]:
        """The best, if anybody voted; more than one in a tie."""
        return [code for code, count in self.votes.items() if count == self.most] if self.most else []


class Rounds(Database):
    """Who chose what."""

    async def open_round(
        self, guild_id: int, channel_id: int, codes: Sequence[str], closes_at: datetime
    ) -> OpenRound:
        """Begin a vote between designs."""
        async with self.begin() as connection:
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
            number = int(added.scalar_one())
        votes = dict.fromkeys(codes, 0)
        return OpenRound(number, guild_id, channel_id, None, tuple(codes), closes_at, False, False, votes)

    async def round_posted(self, round_id: int, message_id: int) -> None:
        """Remember the message in which a round is shown."""
        async with self.begin() as connection:
            await connection.execute(update(Round).where(Round.id == round_id).values(message_id=message_id))

    async def drop_round(self, round_id: int) -> None:
        """Forget a round that could not be shown, so nobody has voted in it."""
        async with self.begin() as connection:
            await connection.execute(delete(Round).where(Round.id == round_id))

    async def cast(self, round_id: int, user_id: int, code: str) -> bool:
        """Record a choice, one a person, changeable; False if it comes too late or there is no such round."""

        def cast(connection: Connection) -> bool:
            row = _hold(connection, round_id)
            if row is None or row.closed or row.closes_at <= now() or code not in row.codes:
                return False
            connection.execute(
                self.insert(Ballot)
                .values(round_id=round_id, user_id=user_id, code=code)
                .on_conflict_do_update(index_elements=["round_id", "user_id"], set_={"code": code})
            )
            return True

        return await self.write(cast)

    async def round(self, round_id: int) -> OpenRound | None:
        """A round and its tally."""
        async with self.engine.connect() as connection:
            return await connection.run_sync(_read, round_id)

    async def unposted_rounds(self) -> list[int]:
        """Numbers of the open rounds whose message is not known."""
        async with self.engine.connect() as connection:
            rows = await connection.scalars(
                select(Round.id).where(Round.closed.is_(False), Round.message_id.is_(None)).order_by(Round.id)
            )
            return list(rows)

    async def due_rounds(self, at: datetime) -> list[int]:
        """Numbers of the rounds whose deadline is past and whose end nobody has announced."""
        async with self.engine.connect() as connection:
            rows = await connection.scalars(
                select(Round.id).where(Round.announced.is_(False), Round.closes_at <= at).order_by(Round.id)
            )
            return list(rows)

    async def close_round(self, round_id: int) -> tuple[OpenRound, bool] | None:
        """Close a round: its last tally, and whether it was open until now; None if there is none."""

        def close(connection: Connection) -> tuple[OpenRound, bool] | None:
            row = _hold(connection, round_id)
            if row is None:
                return None
            if not row.closed:
                connection.execute(update(Round).where(Round.id == round_id).values(closed=True))
            final = _read(connection, round_id)
            return (final, not row.closed) if final else None

        return await self.write(close)

    async def round_announced(self, round_id: int) -> None:
        """Remember that the end of a round is told."""
        async with self.begin() as connection:
            await connection.execute(update(Round).where(Round.id == round_id).values(announced=True))


def _hold(connection: Connection, round_id: int) -> OpenRound | None:
    """A round that nobody else changes until the transaction ends."""
    connection.execute(select(Round.id).where(Round.id == round_id).with_for_update())
    return _read(connection, round_id)


def _read(connection: Connection, round_id: int) -> OpenRound | None:
    row = connection.execute(select(Round.__table__).where(Round.id == round_id)).first()
    if row is None:
        return None
    counts = connection.execute(
        select(Ballot.code, func.count().label("votes"))
        .where(Ballot.round_id == round_id)
        .group_by(Ballot.code)
    )
    codes = tuple(row.codes.split())
    votes = dict.fromkeys(codes, 0) | {row.code: row.votes for row in counts}
    return OpenRound(
        row.id,
        row.guild_id,
        row.channel_id,
        row.message_id,
        codes,
        row.closes_at,
        row.closed,
        row.announced,
        votes,
    )
