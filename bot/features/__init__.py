"""The features: a cog each, whose commands all stand under `!bag` and `/bag`."""

from bot.client.bot import BagBot
from bot.cogs.admin import AdminCommands
from bot.features.breed import BreedCommands
from bot.features.delete import ModerateCommands
from bot.features.dream import DreamCommands
from bot.features.favorites.cog import FavoriteCommands, Keeper
from bot.features.forget import KeepCommands
from bot.features.help import HelpCommands
from bot.features.poll import RoundCommands
from bot.features.setup.cog import SetupCommands
from bot.features.show import ShowCommands
from bot.features.training.cog import ProgressCommands
from bot.features.vote import VoteCommands


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
