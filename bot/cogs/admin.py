"""`!bag train start/stop` and `!bag scrape`: for people with Manage Server."""

from __future__ import annotations

from discord.ext import commands

from bot import words
from bot.client.bot import Context
from bot.errors import Refusal
from bot.features.feature import Feature


class AdminCommands(Feature):
    """Training and collecting by hand."""

    @commands.hybrid_group(name="train", invoke_without_command=True)
    async def train(self, context: Context) -> None:
        """Begin or stop a training run: `!bag train start`."""
        raise Refusal(words.usage("!bag train start"))

    @train.command(name="start")
    @commands.has_guild_permissions(manage_guild=True)
    async def train_start(self, context: Context) -> None:
        """Begin or resume a training run: `!bag train start`."""
        if not self.bot.services.trainer.start():
            raise Refusal(words.BUSY_TRAINING)
        await context.send(words.TRAIN_STARTED)

    @train.command(name="stop")
    @commands.has_guild_permissions(manage_guild=True)
    async def train_stop(self, context: Context) -> None:
        """Save a checkpoint and rest: `!bag train stop`."""
        if not self.bot.services.trainer.stop():
            raise Refusal(words.NOT_TRAINING)
        await context.send(words.TRAIN_STOPPING)

    @commands.hybrid_command(name="scrape")
    @commands.has_guild_permissions(manage_guild=True)
    async def scrape(self, context: Context) -> None:
        """Collect new bags from the shops: `!bag scrape`."""
        if not self.bot.services.collector.start():
            raise Refusal(words.BUSY_SCRAPING)
        await context.send(words.SCRAPE_STARTED)
