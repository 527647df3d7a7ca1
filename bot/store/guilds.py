"""Guilds in the store: what their admins have set up."""

from __future__ import annotations

from sqlalchemy import Connection, delete, inspect, select, text

from bot.store.database import Database
from bot.store.models import GuildSettings, KeptChannel


class Guilds(Database):
    """The settings of guilds."""

    async def guild_settings(self) -> dict[int, dict[str, int | str]]:
        """Everything that was set, by guild id and column; whatever is missing has config.toml's value."""
        # An older store, which only the check reads, lacks the newest columns.
        everything = select(text("*")).select_from(GuildSettings.__table__)
        async with self.engine.connect() as connection:
            rows = (await connection.execute(everything)).mappings().all()
        return {
            row["guild_id"]: {
                key: value for key, value in row.items() if key != "guild_id" and value is not None
            }
            for row in rows
        }

    async def kept_channels(self) -> dict[tuple[int, str], int]:
        """The channels that were found by name, by guild id and that name."""
        async with self.engine.connect() as connection:
            # `check` looks at stores that are not upgraded yet.
            if not await connection.run_sync(
                lambda inner: inspect(inner).has_table(KeptChannel.__tablename__)
            ):
                return {}
            rows = await connection.execute(select(KeptChannel.__table__))
            return {(row.guild_id, row.name): row.channel_id for row in rows}

    async def keep_channel(self, guild_id: int, name: str, channel_id: int | None) -> None:
        """Record which channel was found by a name in a guild; None forgets it."""

        def keep(connection: Connection) -> None:
            if channel_id is None:
                connection.execute(
                    delete(KeptChannel).where(KeptChannel.guild_id == guild_id, KeptChannel.name == name)
                )
                return
            connection.execute(
                self.insert(KeptChannel)
                .values(guild_id=guild_id, name=name, channel_id=channel_id)
                .on_conflict_do_update(index_elements=["guild_id", "name"], set_={"channel_id": channel_id})
            )

        await self.write(keep)

    async def set_up(self, guild_id: int, changes: dict[str, int | str | None]) -> None:
        """Record settings of a guild; None restores config.toml's value."""
        await self.execute(
            self.insert(GuildSettings)
            .values(guild_id=guild_id, **changes)
            .on_conflict_do_update(index_elements=["guild_id"], set_=changes)
        )
