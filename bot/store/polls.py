from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from bot.store.database import Database
from bot.store.models import Ballot, Poll


@dataclass(frozen=True)
class PollState:
    """A poll as it stands."""

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
        """The votes of the leading designs."""
        return max(self.votes.values())

    @property
    def winners(self) -> list[str]:
        """The leading designs, if anybody voted; more than one in a tie."""
        return [code for code, count in self.votes.items() if count == self.most] if self.most else []


class Polls(Database):
    """Polls, and who chose what in them."""

    async def open_poll(
        self, guild_id: int, channel_id: int, codes: Sequence[str], closes_at: datetime
    ) -> PollState:
        """Open a poll."""
        async with self.begin() as connection:
            added = await connection.execute(
                self.insert(Poll)
                .values(
                    guild_id=guild_id,
                    channel_id=channel_id,
                    codes=" ".join(codes),
                    closes_at=closes_at,
                    closed=False,
                    announced=False,
                )
                .returning(Poll.id)
            )
            number = int(added.scalar_one())
        votes = dict.fromkeys(codes, 0)
        return PollState(number, guild_id, channel_id, None, tuple(codes), closes_at, False, False, votes)

    async def poll_posted(self, poll_id: int, message_id: int) -> None:
        """Remember the message in which a poll is shown."""
        async with self.begin() as connection:
            await connection.execute(update(Poll).where(Poll.id == poll_id).values(message_id=message_id))

    async def drop_poll(self, poll_id: int) -> None:
        """Forget a poll that could not be shown, so nobody has voted in it."""
        async with self.begin() as connection:
            await connection.execute(delete(Poll).where(Poll.id == poll_id))

    async def cast(self, poll_id: int, user_id: int, code: str) -> bool:
        """Record a choice, one a person, changeable; False if it comes too late or there is no such poll."""

        def cast(connection: Connection) -> bool:
            row = _hold(connection, poll_id)
            if row is None or row.closed or row.closes_at <= self.now() or code not in row.codes:
                return False
            connection.execute(
                self.insert(Ballot)
                .values(round_id=poll_id, user_id=user_id, code=code)
                .on_conflict_do_update(index_elements=["round_id", "user_id"], set_={"code": code})
            )
            return True

        return await self.write(cast)

    async def poll(self, poll_id: int) -> PollState | None:
        """A poll and its tally."""
        async with self.engine.connect() as connection:
            return await connection.run_sync(_read, poll_id)

    async def pending_polls(self, at: datetime) -> list[int]:
        """Numbers of the polls whose message is not known, or that are due at `at` and not announced."""
        query = (
            select(Poll.id)
            .where(Poll.announced.is_(False))
            .where(or_(Poll.closes_at <= at, Poll.closed.is_(False) & Poll.message_id.is_(None)))
            .order_by(Poll.id)
        )
        async with self.engine.connect() as connection:
            return list(await connection.scalars(query))

    async def close_poll(self, poll_id: int) -> tuple[PollState, bool] | None:
        """Close a poll: its last tally, and whether it was open until now; None if there is none."""

        def close(connection: Connection) -> tuple[PollState, bool] | None:
            row = _hold(connection, poll_id)
            if row is None:
                return None
            if not row.closed:
                connection.execute(update(Poll).where(Poll.id == poll_id).values(closed=True))
            final = _read(connection, poll_id)
            return (final, not row.closed) if final else None

        return await self.write(close)

    async def poll_announced(self, poll_id: int) -> None:
        """Remember that the end of a poll is announced."""
        async with self.begin() as connection:
            await connection.execute(update(Poll).where(Poll.id == poll_id).values(announced=True))


def _hold(connection: Connection, poll_id: int) -> PollState | None:
    """A poll that nobody else changes until the transaction ends."""
    connection.execute(select(Poll.id).where(Poll.id == poll_id).with_for_update())
    return _read(connection, poll_id)


def _read(connection: Connection, poll_id: int) -> PollState | None:
    row = connection.execute(select(Poll.__table__).where(Poll.id == poll_id)).first()
    if row is None:
        return None
    counts = connection.execute(
        select(Ballot.code, func.count().label("votes"))
        .where(Ballot.round_id == poll_id)
        .group_by(Ballot.code)
    )
    codes = tuple(row.codes.split())
    votes = dict.fromkeys(codes, 0) | {row.code: row.votes for row in counts}
    return PollState(
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
