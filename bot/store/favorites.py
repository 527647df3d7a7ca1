"""Favorites in the store, their posts in halls of fame, and everything known about one design."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, select, update

from bot.store.models import Design, Favorite, HallPost, Score
from bot.store.votes import EVER, Tally, Votes

COMMUNITY = 0
"""The user id of favorites that a guild voted in."""


@dataclass(frozen=True)
class Card:
    """Everything known about a design."""

    code: str
    epoch: int
    user_id: int | None
    """Who asked for it, if that was in the guild that looks at it."""
    created_at: datetime
    tally: Tally
    saved_by: tuple[int, ...]


@dataclass(frozen=True)
class Kept:
    """One favorite, as in the index of an export. It names nobody."""

    code: str
    saved_at: datetime
    by_vote: bool
    up: int
    down: int


class Favorites(Votes):
    """Favorites, and their posts in halls of fame."""

    async def card(self, code: str, guild_id: int) -> Card | None:
        """Everything known about a design, or None if nobody has seen it; its people only to their guild."""
        async with self.engine.connect() as connection:
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
                row.user_id if row.guild_id == guild_id else None,
                row.created_at,
                await self._tally(connection, code),
                tuple(saved.scalars()),
            )

    async def save(self, code: str, guild_id: int, user_id: int) -> bool:
        """Make a design a person's (or COMMUNITY's) favorite in a guild; False if it already is."""
        added = (
            self.insert(Favorite)
            .values(code=code, guild_id=guild_id, user_id=user_id, saved_at=self.now())
            .on_conflict_do_nothing()
            .returning(Favorite.code)
        )
        return await self.write(lambda connection: connection.execute(added).first() is not None)

    async def unsave(self, code: str, guild_id: int, user_id: int) -> bool:
        """Make a design no longer a person's favorite; False if it was not one."""
        gone = (
            delete(Favorite)
            .where(Favorite.code == code, Favorite.guild_id == guild_id, Favorite.user_id == user_id)
            .returning(Favorite.code)
        )
        return await self.write(lambda connection: connection.execute(gone).first() is not None)

    async def is_favorite(self, code: str, guild_id: int) -> bool:
        """Whether a design is anybody's favorite in a guild."""
        query = select(Favorite.code).where(Favorite.code == code, Favorite.guild_id == guild_id).limit(1)
        async with self.engine.connect() as connection:
            return await connection.scalar(query) is not None

    async def favorite_codes(self) -> list[str]:
        """The codes of all favorites of all guilds, sorted."""
        async with self.engine.connect() as connection:
            return list(await connection.scalars(select(Favorite.code).distinct().order_by(Favorite.code)))

    async def kept(self, guild_id: int) -> list[Kept]:
        """All favorites of a guild, newest first."""
        ever = and_(Score.code == Favorite.code, Score.guild_id == guild_id, Score.period == EVER)
        saved_at = func.max(Favorite.saved_at)
        query = (
            select(
                Favorite.code,
                saved_at,
                func.min(Favorite.user_id) == COMMUNITY,
                func.coalesce(func.max(Score.up), 0),
                func.coalesce(func.max(Score.down), 0),
            )
            .outerjoin(Score, ever)
            .where(Favorite.guild_id == guild_id)
            .group_by(Favorite.code)
            .order_by(saved_at.desc(), Favorite.code)
        )
        async with self.engine.connect() as connection:
            return [Kept(*row) for row in await connection.execute(query)]

    async def favorites(
        self, guild_id: int, user_id: int | None, offset: int, limit: int
    ) -> tuple[list[str], int]:
        """One page of a guild's favorites (or of one person's), newest first, and their total number."""
        where = [Favorite.guild_id == guild_id]
        if user_id is not None:
            where.append(Favorite.user_id == user_id)
        grouped = select(Favorite.code, func.max(Favorite.saved_at).label("at")).where(*where)
        grouped = grouped.group_by(Favorite.code)
        page = grouped.order_by(func.max(Favorite.saved_at).desc(), Favorite.code).offset(offset).limit(limit)
        async with self.engine.connect() as connection:
            total = await connection.scalar(select(func.count()).select_from(grouped.subquery()))
            return list((await connection.execute(page)).scalars()), total or 0

    async def hall_post(self, guild_id: int, code: str) -> HallPost | None:
        """A favorite's post in a guild's hall of fame, or the claim of one."""
        async with self.engine.connect() as connection:
            row = (
                await connection.execute(
                    select(HallPost.__table__).where(HallPost.guild_id == guild_id, HallPost.code == code)
                )
            ).first()
            return HallPost(**row._mapping) if row else None

    async def hall_posts(self, code: str) -> list[HallPost]:
        """A favorite's posts in all halls of fame."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(HallPost.__table__).where(HallPost.code == code))
            return [HallPost(**row._mapping) for row in rows]

    async def claim_hall_post(self, guild_id: int, code: str, channel_id: int) -> None:
        """Record that a favorite's post is about to be sent to a hall of fame."""
        claim = {"channel_id": channel_id, "message_id": None}
        await self.execute(
            self.insert(HallPost)
            .values(guild_id=guild_id, code=code, **claim)
            .on_conflict_do_update(index_elements=["guild_id", "code"], set_=claim)
        )

    async def complete_hall_post(self, guild_id: int, code: str, message_id: int) -> None:
        """Record the message that fulfilled a claim; 0 if somebody has deleted it."""
        await self.execute(
            update(HallPost)
            .where(HallPost.guild_id == guild_id, HallPost.code == code)
            .values(message_id=message_id)
        )

    async def drop_hall_post(self, guild_id: int, code: str) -> None:
        """Forget a post in a hall of fame."""
        await self.execute(delete(HallPost).where(HallPost.guild_id == guild_id, HallPost.code == code))

    async def missing_in_hall(self, since: datetime) -> list[tuple[int, str]]:
        """Guilds and codes of favorites with a claim but no message, or saved since then without either."""
        at_home = (HallPost.guild_id == Favorite.guild_id) & (HallPost.code == Favorite.code)
        query = (
            select(Favorite.guild_id, Favorite.code)
            .outerjoin(HallPost, at_home)
            .where(HallPost.message_id.is_(None))
            .where(HallPost.code.is_not(None) | (Favorite.saved_at >= since))
            .distinct()
        )
        async with self.engine.connect() as connection:
            return [(row.guild_id, row.code) for row in await connection.execute(query)]
