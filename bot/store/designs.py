"""Designs in the store: what was shown to somebody."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from bot.codes import Code
from bot.store.database import Database, now
from bot.store.models import Design, Favorite, Vote


class Designs(Database):
    """What was shown, by code."""

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
                "created_at": now(),
            }
            for code in codes
        ]
        async with self.engine.begin() as connection:
            await connection.execute(self.insert(Design).on_conflict_do_nothing(), rows)

    async def versions_in_use(self) -> set[str]:
        """Generator versions that a vote or a favorite names: these are never deleted."""
        loved = select(Vote.code).union(select(Favorite.code))
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(Design.version).distinct().where(Design.code.in_(loved)))
            return set(rows.scalars())
