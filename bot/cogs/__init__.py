"""The features: a cog each, whose commands all stand under `!bag` and `/bag`."""

from bot.client import BagBot
from bot.cogs.admin import AdminCommands
from bot.cogs.breed import BreedCommands
from bot.cogs.dream import DreamCommands
from bot.cogs.favorites import FavoriteCommands, Keeper
from bot.cogs.help import HelpCommands
from bot.cogs.keep import KeepCommands
from bot.cogs.moderate import ModerateCommands
from bot.cogs.progress import ProgressCommands
from bot.cogs.rounds import RoundCommands
from bot.cogs.setup import SetupCommands
from bot.cogs.show import ShowCommands
from bot.cogs.vote import VoteCommands


async def add_features(bot: BagBot) -> None:
    """Give a client all features; `!bag` itself comes first."""
    keeper = Keeper(bot)
    for feature in (
        DreamCommands,
        BreedCommands,
        ShowCommands,
        ProgressCommands,
        AdminCommands,
        SetupCommands,
        ModerateCommands,
        HelpCommands,
    ):
        await bot.add_cog(feature(bot))
    for keeping in (VoteCommands, RoundCommands, FavoriteCommands, KeepCommands):
        await bot.add_cog(keeping(bot, keeper))
