"""What a slash command suggests while somebody types a code."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import codes
from bot.client.bot import BagBot, guild_id

MOST = 25
"""The most choices that Discord shows."""
LONGEST = 100
"""The most characters of a choice."""

Choices = list[app_commands.Choice[str]]


async def code(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """Codes that somebody may mean: their newest, the server's favorites and newest, any that match."""
    return [app_commands.Choice(name=code, value=code) for code in await _codes(interaction, typed)]


async def last_code(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """The same for an option that takes several codes: completes the last."""
    before, space, last = typed.rpartition(" ")
    whole = [f"{before}{space}{code}" for code in await _codes(interaction, last) if code not in before]
    return [app_commands.Choice(name=text, value=text) for text in whole if len(text) <= LONGEST]


async def _codes(interaction: discord.Interaction[BagBot], typed: str) -> list[str]:
    return await interaction.client.services.store.suggestions(
        codes.bare(typed), guild_id(interaction), interaction.user.id, MOST
    )
