"""The cog: one group of commands, `!bag` and `/bag`, with one file a feature."""

from typing import Any

from discord.ext import commands

from bot.client import BagBot
from bot.cogs.admin import AdminCommands
from bot.cogs.breed import BreedCommands
from bot.cogs.dream import DreamCommands
from bot.cogs.help import HelpCommands
from bot.cogs.progress import ProgressCommands
from bot.cogs.setup import SetupCommands
from bot.cogs.show import ShowCommands
from bot.cogs.vote import VoteCommands


class Bag(
    DreamCommands,
    BreedCommands,
    VoteCommands,
    ShowCommands,
    ProgressCommands,
    AdminCommands,
    SetupCommands,
    HelpCommands,
):
    """All of `!bag`. A slash command group can't be spread over cogs, so the features are bases of one."""

    def __init__(self, bot: BagBot) -> None:
        super().__init__(bot)
        # Here and not by a decorator, whose buckets would be shared by all bots of the process.
        seconds = self.settings.cooldown_seconds
        self._cooldown = commands.CooldownMapping.from_cooldown(1, seconds, commands.BucketType.user)

    async def cog_check(self, context: commands.Context[Any]) -> bool:
        """One command a person in `cooldown_seconds`. Raises CommandOnCooldown."""
        now = context.message.created_at.timestamp()
        bucket = self._cooldown.get_bucket(context.message, now)
        if self.settings.cooldown_seconds and bucket is not None:
            wait = bucket.update_rate_limit(now)
            if wait:
                raise commands.CommandOnCooldown(bucket, wait, commands.BucketType.user)
        return True
