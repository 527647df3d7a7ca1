"""`!bag help`: every command with an example, by topic."""

from __future__ import annotations

import discord

from bot import words
from bot.client import Context
from bot.cogs.dream import DreamCommands
from bot.cogs.feature import Feature
from bot.errors import Refusal


class HelpCommands(Feature):
    """Help."""

    @DreamCommands.bag.command(name="help")
    async def help(self, context: Context, topic: str | None = None) -> None:
        """Every command with an example: `!bag help`."""
        if topic is not None and topic.lower() not in words.HELP_TOPICS:
            raise Refusal(words.unknown_topic(topic))
        embed = discord.Embed(title=words.HELP_TITLE, description=words.HELP_INTRO)
        for name, commands in words.HELP_TOPICS.items():
            if topic is None or name == topic.lower():
                lines = [
                    f"`{example}` {text}" if example.startswith("!") else f"{example} {text}"
                    for example, text in commands.items()
                ]
                embed.add_field(name=name.capitalize(), value="\n".join(lines), inline=False)
        await context.send(embed=embed)
