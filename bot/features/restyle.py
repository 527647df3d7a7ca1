"""🎨 and 👜: the same bag in other colors or shapes."""

from __future__ import annotations

from bot import words
from bot.client.bot import Interaction, guild_id
from bot.client.controls import button, control
from bot.client.replies import answer
from bot.codes import Code
from bot.errors import Refusal
from bot.features.card import grid_view
from bot.features.feature import Feature
from bot.formats import escaped

STYLES = 8
"""Bags in one answer."""
COLUMNS = 4


class RestyleCog(Feature):
    """Lets anybody see a bag with its other words of one facet."""

    @control("restyle")
    async def on_restyle(self, interaction: Interaction, facet: str, code: str, after: str = "0") -> None:
        """🎨 or 👜: the same bag with other words of a facet (by its number), from the `after`th on."""
        self.spend(interaction)
        named, number, begin = Code.of(code), int(facet), int(after)
        model = await self.studio.model(named.version)
        if model.vocabulary is None:
            raise Refusal(words.no_words(code))
        chosen = model.vocabulary.facets[number]
        own = (await self.studio.words([named]))[0].get(chosen.name)
        usual = sorted(zip(chosen.counts, chosen.words, strict=True), key=lambda one: -one[0])
        others = [word for _, word in usual if word != own]
        some = others[begin : begin + STYLES]
        bags, new = await self.studio.reworded(named, [[word] for word in some])
        await interaction.response.defer(thinking=True)
        guild, person = guild_id(interaction), interaction.user.id
        await self.store.add_bred(new, model.epoch, guild, person)
        await self.store.add_designs(bags, model.epoch, guild, person)
        emoji, kinds = words.RESTYLES[chosen.name]
        names = [str(bag) for bag in bags]
        message = await self.cards.grid(
            names, words.restyled_title(code, kinds), words.listing(names, list(map(escaped, some))), COLUMNS
        )
        following = begin + STYLES if begin + STYLES < len(others) else 0
        if len(others) > STYLES:
            more = button("restyle", number, code, following, emoji=emoji, label=f"more {kinds}")
            message["view"] = grid_view(names, more)
        await answer(interaction, **message)
