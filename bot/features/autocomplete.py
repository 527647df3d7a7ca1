"""What a slash command suggests while somebody types a code."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import codes
from bot.client.bot import BagBot, guild_id
from bot.errors import Refusal
from gan.words import Vocabulary, WordError, slug

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


async def words(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """Words of the current generator: completes the last of several, the usual ones first."""
    try:
        vocabulary = (await interaction.client.services.studio.current()).vocabulary
    except Refusal:
        return []
    whole = completed(vocabulary, typed) if vocabulary else []
    return [app_commands.Choice(name=text, value=text) for text in whole[:MOST]]


async def codes_or_words(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """For an option that takes several codes, or words."""
    return [*await last_code(interaction, typed), *await words(interaction, typed)][:MOST]


def completed(vocabulary: Vocabulary, typed: str) -> list[str]:
    """What a text may become by completing its last word, or with one more: of a facet not spoken of."""
    pieces = typed.split()
    splits = list(range(len(pieces)))  # a word may have several pieces: “red laptop b”
    for at in [len(pieces), *splits] if typed[-1:].isspace() or not pieces else splits:
        head, begun = " ".join(pieces[:at]), slug(" ".join(pieces[at:]))
        try:
            said = vocabulary.said(head)
        except WordError:
            continue
        if said.unknown:
            continue
        spoken = {vocabulary.facet(word).name for word in said.words}
        known = [
            (-count, word)
            for facet in vocabulary.facets
            if facet.name not in spoken
            for word, count in zip(facet.words, facet.counts, strict=True)
        ]
        found = [f"{head} {word}".strip() for _, word in sorted(known) if _begins(vocabulary, word, begun)]
        if found:
            return [text for text in found if len(text) <= LONGEST]
    return []


def _begins(vocabulary: Vocabulary, word: str, begun: str) -> bool:
    others = (name for name, of in vocabulary.aliases.items() if of == word)
    return any(name.startswith(begun) for name in (slug(word), *others))


async def _codes(interaction: discord.Interaction[BagBot], typed: str) -> list[str]:
    return await interaction.client.services.store.suggestions(
        codes.bare(typed), guild_id(interaction), interaction.user.id, MOST
    )
