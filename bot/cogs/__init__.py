"""The cog: one group of commands, `!bag` and `/bag`, with one file a feature."""

from typing import Any

from discord.ext import commands

from bot import permissions
from bot.cogs.admin import AdminCommands
from bot.cogs.breed import BreedCommands
from bot.cogs.dream import DreamCommands
from bot.cogs.feature import guild_id
from bot.cogs.help import HelpCommands
from bot.cogs.keep import KeepCommands
from bot.cogs.moderate import ModerateCommands
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
    KeepCommands,
    ModerateCommands,
    HelpCommands,
):
    """All of `!bag`. A slash command group can't be spread over cogs, so the features are bases of one."""

    async def cog_check(self, context: commands.Context[Any]) -> bool:
        """Nobody asks too often, nor where I can't answer. Raises Refusal or BotMissingPermissions."""
        self.bot.limits.spend(context.author.id, guild_id(context), context.message.created_at)
        if context.interaction is None:
            lacks = permissions.lacking(context.bot_permissions, permissions.to_speak(context.channel))
            if lacks:
                raise commands.BotMissingPermissions(lacks)
        return True
