"""Guilds in the store: what their admins have set up."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.models import GuildSettings


class Guilds(Database):
    """The settings of guilds."""

    async def guild_settings(self) -> dict[int, dict[str, int | str]]:
        """Everything that was set, by guild id and column; whatever is missing has config.toml's value."""
        table = GuildSettings.__table__
        async with self.engine.connect() as connection:
            rows = (await connection.execute(select(table))).mappings().all()
        return {
            row["guild_id"]: {
                key: value for key, value in row.items() if key != "guild_id" and value is not None
            }
            for row in rows
        }

    async def set_up(self, guild_id: int, changes: dict[str, int | str | None]) -> None:
        """Record settings of a guild; None restores config.toml's value."""
        await self.execute(
            self.insert(GuildSettings)
            .values(guild_id=guild_id, **changes)
            .on_conflict_do_update(index_elements=["guild_id"], set_=changes)
        )
