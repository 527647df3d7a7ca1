"""The rules of each guild: what its owner has set up, and config.toml's for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.settings import Settings
from bot.store.store import Store

OFF = 0
"""A channel's id for none: no channel has it."""


@dataclass(frozen=True)
class Rules:
    """What holds in one guild. A channel may be OFF."""

    channel: str
    """Name or id of the home channel, in which the bot posts by itself."""
    hall: str
    """Name or id of the hall of fame; where there is no such channel there is none."""
    timezone: str
    dream_at: str
    """Cron expression of the daily dream bag; empty for none."""
    best_at: str
    """Cron expression of the week's best; empty for none."""
    favorite_votes: int

    @property
    def silent(self) -> bool:
        """Whether it was chosen that the bot posts nothing by itself."""
        return self.channel == str(OFF)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the guild's days."""
        return ZoneInfo(self.timezone)


class Guilds:
    """All guilds' rules, in memory; the store has what was set up."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._set_up: dict[int, dict[str, int | str]] = {}

    async def load(self) -> None:
        """Read what was set up."""
        self._set_up = await self._store.guild_settings()

    def rules(self, guild_id: int) -> Rules:
        """What holds in a guild (0 for private messages)."""
        own, default = self._set_up.get(guild_id, {}), self._settings
        return Rules(
            channel=str(own.get("channel_id", default.channel)),
            hall=str(own.get("hall_id", default.hall)),
            timezone=str(own.get("timezone", default.timezone)),
            dream_at=str(own.get("dream_at", default.dream_at)),
            best_at=str(own.get("best_at", default.best_at)),
            favorite_votes=int(own.get("favorite_votes", default.favorite_votes)),
        )

    async def set_up(self, guild_id: int, **changes: int | str | None) -> None:
        """Change a guild's settings, named as GuildSettings' columns; None goes back to config.toml's."""
        await self._store.set_up(guild_id, changes)
        await self.load()
