"""Designs in the store: what was shown to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from sqlalchemy import select

from bot.codes import Code
from bot.store.database import Database, now
from bot.store.models import Design, Favorite, Vote


class Designs(Database):
    """What was shown, by code."""

    async def add_designs(
        self,
        codes: Sequence[Code],
        epoch: int,
        guild_id: int,
        user_id: int | None,
        looks: Sequence[bytes | None] = (),
    ) -> None:
        """Remember designs that are being shown, and their looks; who asked first stays on record."""
        rows = [
            {
                "code": str(code),
                "version": code.version,
                "seed": code.seed,
                "epoch": epoch,
                "guild_id": guild_id,
                "user_id": user_id,
                "created_at": now(),
                "look": look,
            }
            for code, look in zip_longest(codes, looks)
        ]
        insert = self.insert(Design)
        added = insert.on_conflict_do_update(
            index_elements=["code"],
            set_={"look": insert.excluded.look},
            where=Design.look.is_(None) & insert.excluded.look.is_not(None),
        )
        async with self.engine.begin() as connection:
            await connection.execute(added, rows)

    async def versions_in_use(self) -> set[str]:
        """Generator versions that a vote or a favorite names: these are never deleted."""
        loved = select(Vote.code).union(select(Favorite.code))
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(Design.version).distinct().where(Design.code.in_(loved)))
            return set(rows.scalars())
