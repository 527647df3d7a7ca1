"""`!bag variations`, `!bag breed`, 🔀 and 💞: new bags from old ones."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import View

from bot import words
from bot.client.bot import Context, Interaction, guild_id
from bot.client.controls import MAX_CUSTOM_ID, Control, button, control, custom_id, select, view
from bot.client.replies import answer, defer_privately, whisper
from bot.codes import Code
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.card import Message, grid_view
from bot.features.feature import Feature, check_same_generator

LITTER = 4
"""Children of one breeding."""
MATES = 25
"""Options that a list of Discord's holds."""


class BreedCog(Feature):
    """Lets anybody vary a bag, or breed two."""

    @commands.hybrid_command(name="variations", aliases=["vary", "variation"])
    @app_commands.describe(code="the bag to vary")
    @app_commands.autocomplete(code=autocomplete.code)
    async def variations(self, context: Context, *, code: str) -> None:
        """Four variations of one bag, a small step away from it: `!bag variations 42`."""
        named = await self.studio.code(code)
        await context.defer()
        await context.send(**await self._litter([named], guild_id(context), context.author.id))

    @commands.hybrid_command(name="breed", ignore_extra=False)
    @app_commands.describe(a="one parent", b="the other")
    @app_commands.autocomplete(a=autocomplete.code, b=autocomplete.code)
    async def breed(self, context: Context, a: str, b: str) -> None:
        """Four children of two bags: `!bag breed 42 7`."""
        parents = [await self.studio.code(a), await self.studio.code(b)]
        self._check(*parents)
        await context.defer()
        await context.send(**await self._litter(parents, guild_id(context), context.author.id))

    @control("vary")
    async def on_vary(self, interaction: Interaction, code: str) -> None:
        """🔀: variations of the bag above."""
        await self._bred(interaction, [Code.of(code)])

    @control("mate")
    async def on_mates(self, interaction: Interaction, code: str) -> None:
        """💞: a private list of bags to breed the one above with."""
        self.spend(interaction)
        await defer_privately(interaction)
        named = Code.of(code)
        known = await self.store.suggestions(
            "", guild_id(interaction), interaction.user.id, MATES + 1, named.version
        )
        mates = [mate for mate in known if mate != code][:MATES]
        if not mates:
            raise Refusal(words.no_mates(code))
        await whisper(interaction, words.breed_with(code), view=_mates(code, mates))

    @control("breed", "with", "litter")
    async def on_breed(self, interaction: Interaction, a: str, b: str) -> None:
        """Two bags chosen to be bred."""
        await self._bred(interaction, [Code.of(a), Code.of(b)])

    @control("siblings")
    async def on_siblings(self, interaction: Interaction, child: str) -> None:
        """More children of a bag's parents."""
        named = Code.of(child)
        await self._bred(interaction, (await self.store.ancestors(named, 1)).get(named, ()))

    async def _bred(self, interaction: Interaction, parents: Sequence[Code]) -> None:
        if len(parents) == 2:
            self._check(*parents)
        self.spend(interaction)
        await self.studio.model(parents[0].version)
        await interaction.response.defer(thinking=True)
        message = await self._litter(parents, guild_id(interaction), interaction.user.id)
        await answer(interaction, **message)

    def _check(self, a: Code, b: Code) -> None:
        if a == b:
            raise Refusal(words.same_parent(str(a)))
        check_same_generator(a, b, "breed")

    async def _litter(self, parents: Sequence[Code], guild: int, user_id: int) -> Message:
        model = await self.studio.model(parents[0].version)
        litter = await self.studio.breed(parents, LITTER)
        await self.store.add_bred(litter, model.epoch, guild, user_id)
        names, family = [str(bred.code) for bred in litter], [str(parent) for parent in parents]
        message = await self.cards.grid(names, words.litter_title(family), words.listing(names))
        message["view"] = grid_view(names, _more(family, names[0]))
        return message


def _more(parents: Sequence[str], child: str) -> Control:
    if len(parents) == 1:
        return button("vary", *parents, emoji=words.VARY, label="four more")
    # Two long codes don't fit; the store knows their child's parents.
    fits = len(custom_id("litter", *parents)) <= MAX_CUSTOM_ID
    which = ("litter", *parents) if fits else ("siblings", child)
    return button(*which, emoji=words.BREED, label="four more")


def _mates(code: str, mates: Sequence[str]) -> View:
    options = [discord.SelectOption(label=mate, value=mate) for mate in mates]
    return view(select("with", code, placeholder=words.BREED_WITH, options=options))
