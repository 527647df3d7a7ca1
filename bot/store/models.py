"""The schema. Its constraints guarantee that nobody votes twice and no day is posted twice."""

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
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOWHERE = 0
"""The guild id of what was dreamed in direct messages of somebody who is forgotten, or not known.

All other rows from direct messages have the negative id of their person, so a guild id names one place.
"""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, in UTC. SQLite drops the zone, so it is restored on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as UTC."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """All tables; constraints have names so that migrations can refer to them."""

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
    """A bag that was shown to somebody.

    A bred one keeps its parents' codes (one for a variation, two for a child or a step between them, none if
    it was found for a photo), the seed of its breeding and its latent (float32 [z + w]), since no seed alone
    can draw it.
    """

    __tablename__ = "designs"
    __table_args__ = (
        Index("ix_designs_user", "user_id", "created_at"),
        Index("ix_designs_guild", "guild_id", "created_at"),
    )

    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[str] = mapped_column(String(8), index=True)
    seed: Mapped[int]
    epoch: Mapped[int]
    guild_id: Mapped[int]
    user_id: Mapped[int | None]
    created_at: Mapped[datetime]
    parents: Mapped[str | None] = mapped_column(String(161))
    latent: Mapped[bytes | None] = mapped_column(LargeBinary)
    look: Mapped[bytes | None] = mapped_column(LargeBinary)
    """A tiny version of the picture, from which taste is learned: see `bot.drawing.look`."""
    words: Mapped[str | None] = mapped_column(String(200))
    """The slugs of its words with spaces between them, for taste too; null: not noted yet."""


class Descent(Base):
    """Which design was bred from which: leads from a parent to its children."""

    __tablename__ = "descent"

    parent: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)
    child: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)


class Vote(Base):
    """One person's vote on one design: 1 for it, -1 against it."""

    __tablename__ = "votes"
    __table_args__ = (
        CheckConstraint("value in (-1, 1)", name="value"),
        Index("ix_votes_guild", "guild_id", "voted_at"),
        Index("ix_votes_user", "user_id"),
    )

    code: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guild_id: Mapped[int]
    value: Mapped[int]
    voted_at: Mapped[datetime]


class Score(Base):
    """A guild's votes on one design in one period, updated with every vote so that `top` need not count.

    A period is a month (`2026-11`) or an ISO week (`2026-W47`), both in UTC, or all time (the empty string).
    """

    __tablename__ = "scores"
    __table_args__ = (
        # With the code in it, equal bounds are ordered too, and `top` reads nine rows without sorting.
        Index("ix_scores_best", "guild_id", "period", "bound", "code"),
        Index("ix_scores_code", "code", "period"),
    )

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(String(8), primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)
    up: Mapped[int]
    down: Mapped[int]
    bound: Mapped[float]
    """Lower bound of its share of votes for it, in [0, 1): see `bot.store.votes.lower_bound`."""


class Favorite(Base):
    """A design that somebody saved or (user 0) that a guild voted in."""

    __tablename__ = "favorites"
    __table_args__ = (Index("ix_favorites_guild", "guild_id", "saved_at"),)

    code: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True)
    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    saved_at: Mapped[datetime]


class HallPost(Base):
    """A favorite's post in a hall of fame. The row is written before the message is sent.

    `message_id` is null until the message is sent, and 0 if somebody deleted it: it is not posted again.
    """

    __tablename__ = "hall_posts"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(ForeignKey("designs.code"), primary_key=True, index=True)
    channel_id: Mapped[int]
    message_id: Mapped[int | None]


class GuildSettings(Base):
    """What a guild's admins have set up; null stands for config.toml's value."""

    __tablename__ = "guild_settings"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel_id: Mapped[int | None]
    hall_id: Mapped[int | None]
    timezone: Mapped[str | None] = mapped_column(String(64))
    dream_at: Mapped[str | None] = mapped_column(String(64))
    best_at: Mapped[str | None] = mapped_column(String(64))
    favorite_votes: Mapped[int | None]
    theme: Mapped[str | None] = mapped_column(String(80))
    """Of its daily bags: words as in a code, or `bot.guilds.BY_VOTES`."""


class KeptChannel(Base):
    """The channel that was found in a guild by a name in config.toml, so that it is known when renamed."""

    __tablename__ = "kept_channels"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    channel_id: Mapped[int]


class PublishedCommands(Base):
    """Which slash commands Discord knows of an application, as a digest."""

    __tablename__ = "published_commands"

    application_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))


class Post(Base):
    """A post that a guild gets once per local day. The row is written before the message is sent."""

    __tablename__ = "posts"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80))
    message_id: Mapped[int | None]


class RunPost(Base):
    """How far a training run has been posted in a guild, and in which thread."""

    __tablename__ = "run_posts"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[str] = mapped_column(String(64), primary_key=True)
    thread_id: Mapped[int]
    epoch: Mapped[int]
    ended: Mapped[bool]


class Poll(Base):
    """A poll between designs, with a deadline. The table keeps its first name, `rounds`."""

    __tablename__ = "rounds"

    # SQLite generates ids only in a column of type INTEGER.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    guild_id: Mapped[int]
    channel_id: Mapped[int]
    message_id: Mapped[int | None]
    codes: Mapped[str] = mapped_column(String(323))
    closes_at: Mapped[datetime] = mapped_column(index=True)
    closed: Mapped[bool]
    announced: Mapped[bool] = mapped_column(default=False)


class Ballot(Base):
    """One person's choice in a poll."""

    __tablename__ = "ballots"

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    code: Mapped[str] = mapped_column(String(80))
