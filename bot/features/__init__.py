"""The features: a cog each, whose commands all belong to `!bag` and `/bag`."""

from bot.client.bot import BagBot
from bot.features.breed import BreedCog
from bot.features.card import Cards
from bot.features.delete import DeleteCog
from bot.features.dream import DreamCog
from bot.features.favorites.cog import FavoritesCog
from bot.features.favorites.export import ExportCog
from bot.features.favorites.service import FavoriteService
from bot.features.forget import ForgetCog
from bot.features.help import HelpCog
from bot.features.like import LikeCog
from bot.features.poll import PollCog
from bot.features.restyle import RestyleCog
from bot.features.setup.cog import SetupCog
from bot.features.show import ShowCog
from bot.features.training.cog import TrainingCog
from bot.features.vote import VoteCog


async def add_features(bot: BagBot, cards: Cards) -> None:
    """Give a client all features. The dream feature comes first: it has the group `!bag` itself."""
    dreams = (DreamCog, LikeCog, RestyleCog, BreedCog, ShowCog)
    for feature in (*dreams, TrainingCog, SetupCog, ExportCog, DeleteCog, HelpCog):
        await bot.add_cog(feature(bot, cards))
    favorites = FavoriteService(bot, cards)
    for keeper in (VoteCog, PollCog, ForgetCog, FavoritesCog):
        await bot.add_cog(keeper(bot, cards, favorites))
