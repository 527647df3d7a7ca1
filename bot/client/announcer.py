"""Speaking to every server: what the bot says on its own, in the home channels."""

from __future__ import annotations

import asyncio
import logging

import discord

from bot.client.bot import BagBot
from bot.client.connection import REFUSED

log = logging.getLogger(__name__)


class Announcer:
    """Speaks through the current client; when a client dies and is replaced, the announcer stays."""

    def __init__(self) -> None:
        self.bot: BagBot | None = None

    def homes(self) -> list[discord.TextChannel]:
        """The home channels of all servers; none while the client is not ready."""
        if self.bot is None or not self.bot.is_ready():
            return []
        return [channel for guild in self.bot.guilds if (channel := self.bot.home(guild)) is not None]

    async def say(self, text: str) -> None:
        """Say something in every home channel; a server where that fails delays no other."""
        await asyncio.gather(*(self._say(channel, text) for channel in self.homes()))

    async def _say(self, channel: discord.TextChannel, text: str) -> None:
        try:
            await channel.send(text)
        except REFUSED as error:
            log.warning("could not post in %s of %s: %s", channel, channel.guild, error)
