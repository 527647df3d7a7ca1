"""What every feature is: a cog whose commands join `!bag` and whose buttons join the client's table."""

from __future__ import annotations

import difflib
from typing import Any

from discord.ext import commands

from bot import words
from bot.client import permissions
from bot.client.bot import BagBot, Interaction, guild_id
from bot.client.controls import handlers
from bot.client.queue_notice import QueueNotice
from bot.codes import Code
from bot.drawing.queue import asking
from bot.errors import Refusal
from bot.features.card import Cards

ALIKE = 0.65
"""How alike words are of which one is a slip of the other, by difflib, in [0, 1]."""
LONGEST_WORD = 20
"""Characters; no command has more."""


class Feature(commands.Cog):
    """Commands, buttons and listeners of one feature, and the services that they use."""

    def __init__(self, bot: BagBot, cards: Cards) -> None:
        self.bot = bot
        self.cards = cards
        self.settings = bot.services.settings
        self.guilds = bot.services.guilds
        self.store = bot.services.store
        self.studio = bot.services.studio
        self.now = bot.services.now

    async def cog_load(self) -> None:
        """Put the commands into the group `!bag`, which the dream feature adds, and register the buttons."""
        group = self.bot.get_command("bag")
        if isinstance(group, commands.HybridGroup):
            for command in self.get_commands():
                group.add_command(command)
        self.bot.controls.update(handlers(self))

    async def cog_check(self, context: commands.Context[Any]) -> bool:
        """Refuse people who ask too often, and channels where the bot can't answer.

        Raises Refusal or BotMissingPermissions.
        """
        self.bot.cooldowns.spend(context.author.id, guild_id(context), context.message.created_at)
        if context.interaction is None:
            lacks = permissions.lacking(context.bot_permissions, permissions.to_speak(context.channel))
            if lacks:
                raise commands.BotMissingPermissions(lacks)
        return True

    async def cog_before_invoke(self, context: commands.Context[Any]) -> None:
        """From here on it is this person who waits for pictures."""
        asking.set(QueueNotice(context))

    def nearest_command(self, text: str, alike: float = ALIKE) -> str | None:
        """What one would type after `!bag` for a command that a text may mean; None if none is so alike."""
        group = self.bot.get_command("bag")
        first, _, rest = text.lower().strip().partition(" ")
        if not isinstance(group, commands.Group) or not 3 <= len(first) <= LONGEST_WORD:
            return None
        # discord.py keeps them in a set.
        known = words.COMMANDS_MEANT | {name: one.name for name, one in sorted(group.all_commands.items())}
        begun = [name for name in known if name.startswith(first)]
        close = begun or difflib.get_close_matches(first, known, 1, alike)
        return f"{known[close[0]]} {rest.strip()}".strip() if close else None

    def spend(self, interaction: Interaction) -> None:
        """Count a button that makes work. Raises Refusal if its person or server asks too often."""
        self.bot.cooldowns.spend(interaction.user.id, guild_id(interaction), interaction.created_at)


def check_same_generator(a: Code, b: Code, command: str) -> None:
    """Raise Refusal, with a hint, for designs of two generators: their latents mean different things."""
    if a.version != b.version:
        version = a.version if b.seed is not None else b.version
        pair = [code if code.version == version else Code(version, code.name) for code in (a, b)]
        possible = all(code in (a, b) or code.seed is not None for code in pair)
        hint = f"!bag {command} {pair[0]} {pair[1]}" if possible else "!bag grid"
        raise Refusal(words.two_generators(str(a), str(b), hint))
