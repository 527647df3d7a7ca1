"""The rules of each guild: what its admins have set up, and config.toml's defaults for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.settings import Settings
from bot.store.store import Store

BY_VOTES = "votes"
"""In place of a theme: each day one that the votes chose."""
OFF = 0
"""The channel id that stands for no channel."""


@dataclass(frozen=True)
class Rules:
    """The settings that apply in one guild. A channel may be OFF."""

    channel: str
    """Name or id of the home channel, where the bot posts on its own."""
    hall: str
    """Name or id of the hall of fame's channel; a guild without that channel has no hall."""
    timezone: str
    """IANA name."""
    dream_at: str
    """Cron expression of the daily dream bag; empty for none."""
    best_at: str
    """Cron expression of the week's best; empty for none."""
    favorite_votes: int
    """How many more votes for than against make a favorite."""
    theme: str
    """Of the daily dream bag: words as in a code, or BY_VOTES; empty for none."""

    @property
    def silent(self) -> bool:
        """Whether an admin chose that the bot posts nothing on its own."""
        return self.channel == str(OFF)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the guild's days."""
        return ZoneInfo(self.timezone)


class Guilds:
    """The rules of all guilds, in memory; the store keeps what was set up."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._set_up: dict[int, dict[str, int | str]] = {}
        self._kept: dict[tuple[int, str], int] = {}

    @property
    def prefix(self) -> str:
        """How typed commands begin, in every guild."""
        return self._settings.prefix

    async def load(self) -> None:
        """Read from the store what was set up, and which channels were found by their names."""
        self._set_up = await self._store.guild_settings()
        self._kept = await self._store.kept_channels()

    def rules(self, guild_id: int) -> Rules:
        """The rules of a guild (0: direct messages)."""
        own, default = self._set_up.get(guild_id, {}), self._settings
        return Rules(
            channel=str(own.get("channel_id", default.channel)),
            hall=str(own.get("hall_id", default.hall)),
            timezone=str(own.get("timezone", default.timezone)),
            dream_at=str(own.get("dream_at", default.dream_at)),
            best_at=str(own.get("best_at", default.best_at)),
            favorite_votes=int(own.get("favorite_votes", default.favorite_votes)),
            theme=str(own.get("theme", "")),
        )

    def kept(self, guild_id: int, name: str) -> int | None:
        """The id of the channel that was found in a guild by a name in config.toml; it stays when renamed."""
        return self._kept.get((guild_id, name))

    async def keep(self, guild_id: int, name: str, channel_id: int | None) -> None:
        """Remember the channel that was found by a name; None forgets it."""
        if self.kept(guild_id, name) != channel_id:
            await self._store.keep_channel(guild_id, name, channel_id)
            self._kept.pop((guild_id, name), None)
            if channel_id is not None:
                self._kept[guild_id, name] = channel_id

    async def set_up(self, guild_id: int, **changes: int | str | None) -> None:
        """Change a guild's settings, named like the columns of GuildSettings; None restores the default."""
        await self._store.set_up(guild_id, changes)
        await self.load()
