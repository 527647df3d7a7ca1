"""The schema. Truth lives in its constraints: nobody votes twice, no day is posted twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A point in time. SQLite drops the zone, so UTC is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as UTC."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """All tables; constraints are named so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar = {int: BigInteger, datetime: UtcTime}


class Design(Base):
    """A bag that was shown to somebody: generator version and seed."""

    __tablename__ = "designs"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[str] = mapped_column(String(8), index=True)
    seed: Mapped[int]
    epoch: Mapped[int]
    guild_id: Mapped[int]
    user_id: Mapped[int | None]
    created_at: Mapped[datetime]


class Vote(Base):
    """One person's opinion of one design."""

    __tablename__ = "votes"
    __table_args__ = (
        CheckConstraint("value in (-1, 1)", name="value"),
        Index("ix_votes_guild_design", "guild_id", "code"),
    )

    code: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guild_id: Mapped[int]
    value: Mapped[int]
    voted_at: Mapped[datetime]


class Favorite(Base):
    """A design that somebody saved, or (user 0) that the community of a guild voted in."""

    __tablename__ = "favorites"

    code: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)
    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    saved_at: Mapped[datetime]


class Post(Base):
    """A post that a guild gets once a local day. The row comes before the message."""

    __tablename__ = "posts"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    message_id: Mapped[int | None]


class RunPost(Base):
    """How far a training run has been told in a guild, and in which thread."""

    __tablename__ = "run_posts"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[str] = mapped_column(String(64), primary_key=True)
    thread_id: Mapped[int]
    epoch: Mapped[int]
    ended: Mapped[bool]


class Round(Base):
    """A vote between designs, with a deadline."""

    __tablename__ = "rounds"

    # SQLite numbers rows by itself only in a column of type INTEGER.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    guild_id: Mapped[int]
    channel_id: Mapped[int]
    message_id: Mapped[int | None]
    codes: Mapped[str] = mapped_column(String(256))
    closes_at: Mapped[datetime] = mapped_column(index=True)
    closed: Mapped[bool]


class Ballot(Base):
    """One person's choice in a round."""

    __tablename__ = "ballots"

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(32))
