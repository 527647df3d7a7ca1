from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, Insert, bindparam, delete, func, or_, select, update

from bot.store.database import Database
from bot.store.models import Ballot, Poll


@dataclass(frozen=True)
class PollState:
    """A poll and its tally: `votes` by code, in the order of `codes`."""

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
        """The number of votes of the leading designs."""
        return max(self.votes.values())

    @property
    def winners(self) -> list[str]:
        """The leading designs, more than one in a tie; none if nobody voted."""
        return [code for code, count in self.votes.items() if count == self.most] if self.most else []


_HELD = (
    select(Poll.closed, Poll.closes_at, Poll.codes).where(Poll.id == bindparam("poll_id")).with_for_update()
)
"""A poll, locked until the transaction ends. Built once, as in `votes`."""


class Polls(Database):
    """Polls and their ballots."""

    async def open_poll(
        self, guild_id: int, channel_id: int, codes: Sequence[str], closes_at: datetime
    ) -> PollState:
        """Open a poll between designs until `closes_at` (aware)."""
        added = (
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
        number = await self.write(lambda connection: int(connection.execute(added).scalar_one()))
        votes = dict.fromkeys(codes, 0)
        return PollState(number, guild_id, channel_id, None, tuple(codes), closes_at, False, False, votes)

    async def poll_posted(self, poll_id: int, message_id: int) -> None:
        """Record the message that shows a poll."""
        await self.execute(update(Poll).where(Poll.id == poll_id).values(message_id=message_id))

    async def drop_poll(self, poll_id: int) -> None:
        """Delete a poll that could not be posted, so nobody has voted in it."""
        await self.execute(delete(Poll).where(Poll.id == poll_id))

    async def cast(self, poll_id: int, user_id: int, code: str) -> bool:
        """Record or change a person's choice; False if it is too late or there is no such poll or design."""

        def cast(connection: Connection) -> bool:
            poll = connection.execute(_HELD, {"poll_id": poll_id}).first()
            if poll is None or poll.closed or poll.closes_at <= self.now() or code not in poll.codes.split():
                return False
            connection.execute(self._choose, {"round_id": poll_id, "user_id": user_id, "code": code})
            return True

        return await self.write(cast)

    @cached_property
    def _choose(self) -> Insert:
        ballot = self.insert(Ballot)
        return ballot.on_conflict_do_update(
            index_elements=["round_id", "user_id"], set_={"code": ballot.excluded.code}
        )

    async def poll(self, poll_id: int) -> PollState | None:
        """A poll and its tally; None if there is none."""
        async with self.engine.connect() as connection:
            return await connection.run_sync(_read, poll_id)

    async def pending_polls(self, at: datetime) -> list[int]:
        """Ids of polls that have no known message, or that are due at `at` (aware) and not yet announced."""
        query = (
            select(Poll.id)
            .where(Poll.announced.is_(False))
            .where(or_(Poll.closes_at <= at, Poll.closed.is_(False) & Poll.message_id.is_(None)))
            .order_by(Poll.id)
        )
        async with self.engine.connect() as connection:
            return list(await connection.scalars(query))

    async def close_poll(self, poll_id: int) -> tuple[PollState, bool] | None:
        """Close a poll: its final tally, and whether it was still open; None if there is no such poll."""

        def close(connection: Connection) -> tuple[PollState, bool] | None:
            poll = connection.execute(_HELD, {"poll_id": poll_id}).first()
            if poll is None:
                return None
            if not poll.closed:
                connection.execute(update(Poll).where(Poll.id == poll_id).values(closed=True))
            final = _read(connection, poll_id)
            return (final, not poll.closed) if final else None

        return await self.write(close)

    async def poll_announced(self, poll_id: int) -> None:
        """Record that a poll's result was announced."""
        await self.execute(update(Poll).where(Poll.id == poll_id).values(announced=True))


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
