"""The store: every question the bot asks of its memory, one method each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, delete, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.codes import Code
from bot.store.models import Ballot, Base, Design, Favorite, Post, Round, RunPost, Vote

COMMUNITY = 0
"""The user id under which a guild's votes save a favorite."""


@dataclass(frozen=True)
class Tally:
    """Votes for and against one design."""

    up: int = 0
    down: int = 0

    @property
    def score(self) -> int:
        """Votes for minus votes against."""
        return self.up - self.down


@dataclass(frozen=True)
class Card:
    """All that is known of a design."""

    code: str
    epoch: int
    user_id: int | None
    created_at: datetime
    tally: Tally
    saved_by: tuple[int, ...]


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


def _now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Designs, votes, favorites, rounds and posts behind one SQLAlchemy URL (SQLite or PostgreSQL)."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine: AsyncEngine = create_async_engine(self._url)
        self._insert = postgresql.insert if self._url.get_backend_name() == "postgresql" else sqlite.insert
        self._opening = asyncio.Lock()
        self._opened = False
        if self._url.get_backend_name() == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _set_up_sqlite)

    async def open(self) -> None:
        """Bring the schema up to date. Calling it again does nothing."""
        async with self._opening:
            if self._opened:
                return
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                await asyncio.to_thread(Path(self._url.database).parent.mkdir, parents=True, exist_ok=True)
            async with self._engine.begin() as connection:
                await connection.run_sync(_migrate)
            self._opened = True

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    # Designs ------------------------------------------------------------------------------

    async def add_designs(
        self, codes: Sequence[Code], epoch: int, guild_id: int, user_id: int | None
    ) -> None:
        """Remember designs that are being shown; who asked first stays on record."""
        rows = [
            {
                "code": str(code),
                "version": code.version,
                "seed": code.seed,
                "epoch": epoch,
                "guild_id": guild_id,
                "user_id": user_id,
                "created_at": _now(),
            }
            for code in codes
        ]
        async with self._engine.begin() as connection:
            await connection.execute(self._insert(Design).on_conflict_do_nothing(), rows)

    async def card(self, code: str, guild_id: int) -> Card | None:
        """What is known of a design, or None if nobody has seen it."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(Design.__table__).where(Design.code == code))).first()
            if row is None:
                return None
            saved = await connection.execute(
                select(Favorite.user_id)
                .where(Favorite.code == code, Favorite.guild_id == guild_id)
                .order_by(Favorite.saved_at)
            )
            return Card(
                code,
                row.epoch,
                row.user_id,
                row.created_at,
                await self._tally(connection, code),
                tuple(saved.scalars()),
            )

    async def versions_in_use(self) -> set[str]:
        """Generator versions that a vote or a favorite names: these are never deleted."""
        loved = select(Vote.code).union(select(Favorite.code))
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(Design.version).distinct().where(Design.code.in_(loved)))
            return set(rows.scalars())

    # Votes --------------------------------------------------------------------------------

    async def vote(self, code: str, user_id: int, guild_id: int, value: int) -> Tally:
        """Record a vote (+1 or -1), one a person: another takes its place, the same again takes it back."""
        async with self._engine.begin() as connection:
            changed = await connection.execute(
                self._insert(Vote)
                .values(code=code, user_id=user_id, guild_id=guild_id, value=value, voted_at=_now())
                .on_conflict_do_update(
                    index_elements=["code", "user_id"],
                    set_={"value": value, "guild_id": guild_id, "voted_at": _now()},
                    where=Vote.value != value,
                )
                .returning(Vote.code)
            )
            if changed.first() is None:
                await connection.execute(delete(Vote).where(Vote.code == code, Vote.user_id == user_id))
            return await self._tally(connection, code)

    async def tally(self, code: str) -> Tally:
        """The votes of a design now."""
        async with self._engine.connect() as connection:
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
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [(row.code, Tally((row.votes + row.score) // 2, (row.votes - row.score) // 2)) for row in rows]

    # Favorites ----------------------------------------------------------------------------

    async def save(self, code: str, guild_id: int, user_id: int) -> bool:
        """Make a design a favorite of a person (or of COMMUNITY); False if it is one already."""
        async with self._engine.begin() as connection:
            added = await connection.execute(
                self._insert(Favorite)
                .values(code=code, guild_id=guild_id, user_id=user_id, saved_at=_now())
                .on_conflict_do_nothing()
                .returning(Favorite.code)
            )
            return added.first() is not None

    async def unsave(self, code: str, guild_id: int, user_id: int) -> None:
        """Take a favorite's row back, because its files could not be written."""
        async with self._engine.begin() as connection:
            await connection.execute(
                delete(Favorite).where(
                    Favorite.code == code, Favorite.guild_id == guild_id, Favorite.user_id == user_id
                )
            )

    async def favorites(
        self, guild_id: int, user_id: int | None, offset: int, limit: int
    ) -> tuple[list[str], int]:
        """One page of a guild's favorites (of one person, if named), newest first, and how many there are."""
        where = [Favorite.guild_id == guild_id]
        if user_id is not None:
            where.append(Favorite.user_id == user_id)
        grouped = select(Favorite.code, func.max(Favorite.saved_at).label("at")).where(*where)
        grouped = grouped.group_by(Favorite.code)
        page = grouped.order_by(func.max(Favorite.saved_at).desc(), Favorite.code).offset(offset).limit(limit)
        async with self._engine.connect() as connection:
            total = await connection.scalar(select(func.count()).select_from(grouped.subquery()))
            return list((await connection.execute(page)).scalars()), total or 0

    # Rounds -------------------------------------------------------------------------------

    async def open_round(
        self, guild_id: int, channel_id: int, codes: Sequence[str], closes_at: datetime
    ) -> int:
        """Begin a vote between designs; its number."""
        async with self._engine.begin() as connection:
            added = await connection.execute(
                self._insert(Round)
                .values(
                    guild_id=guild_id,
                    channel_id=channel_id,
                    codes=" ".join(codes),
                    closes_at=closes_at,
                    closed=False,
                )
                .returning(Round.id)
            )
            return int(added.scalar_one())

    async def round_posted(self, round_id: int, message_id: int) -> None:
        """Remember the message in which a round is shown."""
        async with self._engine.begin() as connection:
            await connection.execute(update(Round).where(Round.id == round_id).values(message_id=message_id))

    async def cast(self, round_id: int, user_id: int, code: str) -> OpenRound | None:
        """Record a choice, one a person, changeable; None if there is no such round."""
        async with self._engine.begin() as connection:
            row = (await connection.execute(select(Round.__table__).where(Round.id == round_id))).first()
            if row is None or code not in row.codes.split():
                return None
            if not row.closed and row.closes_at > _now():
                await connection.execute(
                    self._insert(Ballot)
                    .values(round_id=round_id, user_id=user_id, code=code)
                    .on_conflict_do_update(index_elements=["round_id", "user_id"], set_={"code": code})
                )
        return await self.round(round_id)

    async def round(self, round_id: int) -> OpenRound | None:
        """A round and its tally."""
        async with self._engine.connect() as connection:
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
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                select(Round.id).where(Round.closed.is_(False), Round.closes_at <= at).order_by(Round.id)
            )
            return list(rows.scalars())

    async def close_round(self, round_id: int) -> bool:
        """Close a round; False if somebody else already has."""
        async with self._engine.begin() as connection:
            closed = await connection.execute(
                update(Round)
                .where(Round.id == round_id, Round.closed.is_(False))
                .values(closed=True)
                .returning(Round.id)
            )
            return closed.first() is not None

    # Posts --------------------------------------------------------------------------------

    async def claim_post(self, guild_id: int, kind: str, day: date, code: str) -> Post | None:
        """Claim a guild's post of a day before it is sent; the earlier claim if there is one."""
        async with self._engine.begin() as connection:
            added = await connection.execute(
                self._insert(Post)
                .values(guild_id=guild_id, kind=kind, day=day, code=code)
                .on_conflict_do_nothing()
                .returning(Post.code)
            )
            if added.first() is not None:
                return None
            row = (
                await connection.execute(
                    select(Post.__table__).where(
                        Post.guild_id == guild_id, Post.kind == kind, Post.day == day
                    )
                )
            ).one()
            return Post(**row._mapping)

    async def complete_post(self, guild_id: int, kind: str, day: date, message_id: int) -> None:
        """Remember the message that fulfilled a claim."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(Post)
                .where(Post.guild_id == guild_id, Post.kind == kind, Post.day == day)
                .values(message_id=message_id)
            )

    async def run_post(self, guild_id: int, run: str) -> RunPost | None:
        """How far a run has been told in a guild."""
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(
                    select(RunPost.__table__).where(RunPost.guild_id == guild_id, RunPost.run == run)
                )
            ).first()
            return RunPost(**row._mapping) if row else None

    async def set_run_post(self, guild_id: int, run: str, thread_id: int, epoch: int, ended: bool) -> None:
        """Remember how far a run has been told in a guild."""
        told = {"thread_id": thread_id, "epoch": epoch, "ended": ended}
        async with self._engine.begin() as connection:
            await connection.execute(
                self._insert(RunPost)
                .values(guild_id=guild_id, run=run, **told)
                .on_conflict_do_update(index_elements=["guild_id", "run"], set_=told)
            )


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # A writer does not keep readers waiting, and two writers wait for one another instead of failing.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Base.metadata
    command.upgrade(config, "head")
