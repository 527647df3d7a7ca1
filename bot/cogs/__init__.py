"""The cog: one group of commands, `!bag` and `/bag`, with one file a feature."""

from bot.cogs.admin import AdminCommands
from bot.cogs.dream import DreamCommands
from bot.cogs.help import HelpCommands
from bot.cogs.progress import ProgressCommands
from bot.cogs.vote import VoteCommands


class Bag(
    DreamCommands,
    VoteCommands,
    ProgressCommands,
    AdminCommands,
    HelpCommands,
):
    """All of `!bag`. A slash command group can't be spread over cogs, so the features are bases of one."""
