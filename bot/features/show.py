"""`!bag show`: everything about one bag: votes, who saved it, its generator and its family."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import Context, guild_id
from bot.codes import Code
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.card import attach, design_embed, picture_file
from bot.features.feature import Feature
from bot.store.favorites import COMMUNITY

GENERATIONS = 4
"""How far back a family tree goes."""
CHILDREN = 12
"""Children that are listed."""
PEOPLE = 10
"""People who saved it that are listed."""


class ShowCog(Feature):
    """Shows anybody all that is known of a bag."""

    @commands.hybrid_command(name="show")
    @app_commands.describe(code="the bag, a seed or a code")
    @app_commands.autocomplete(code=autocomplete.code)
    async def show(self, context: Context, *, code: str) -> None:
        """All about one bag: votes, family tree, children, generator: `!bag show k3f9x2-42`."""
        named = await self.studio.code(code)
        guild = guild_id(context)
        card = await self.store.card(str(named), guild)
        if card is None:
            raise Refusal(words.not_seen(str(named)))
        await context.defer()
        picture = await self.studio.picture(named)
        model, (said,) = await self.studio.model(named.version), await self.studio.words([named])
        bag = words.bag_of(said)
        embed = design_embed(named, picture, card.epoch, bag)
        saved_by = [f"<@{user}>" for user in card.saved_by if user != COMMUNITY]
        if COMMUNITY in card.saved_by:
            saved_by.insert(0, words.COMMUNITY)
        embed.add_field(name="Votes", value=words.tally(card.tally.up, card.tally.down))
        embed.add_field(name="Saved by", value=", ".join(saved_by[:PEOPLE]) or "nobody yet")
        embed.add_field(name="Color", value=picture.color)
        if said:
            spoken = model.understand(named.words) if named.seed is not None else tuple(said.values())
            by_seed = [word for word in said.values() if word not in spoken]
            embed.add_field(name="Words", value=words.design_words(spoken, by_seed))
        embed.add_field(name="Dreamed", value=words.dreamed(card.created_at, card.user_id))
        embed.add_field(name="Generator", value=f"`{named.version}`, epoch {card.epoch}")
        embeds, files = [embed], [picture_file(named, picture, card.epoch, bag)]

        family = await self.store.ancestors(named, GENERATIONS)
        parents = family.get(named, ())
        if parents:
            origin = words.origin(*await self._origin(named, parents), parents)
            embed.add_field(name="Bred", value=origin, inline=False)
            tree = discord.Embed(title=words.family_title(str(named)), color=picture.rgb)
            tree.set_image(url="attachment://family.png")
            embeds.append(tree)
            data = await self.studio.family(named, family)
            files.append(attach("family.png", data, words.family_alt(named, family)))
        elif named.seed is None:
            embed.add_field(name="Dreamed like", value="a photo")
        else:
            embed.add_field(name="Seed", value=named.name)
        newness = words.newness(await self.studio.nearest(named))
        embed.add_field(name="How new", value=newness, inline=False)
        children = await self.store.children(named, CHILDREN + 1)
        if children:
            embed.add_field(name="Children", value=words.children(children, CHILDREN), inline=False)
        await context.send(embeds=embeds, files=files, view=await self.cards.buttons(named))

    async def _origin(self, code: Code, parents: tuple[Code, ...]) -> tuple[str, int]:
        """The kind of a breeding and its seed: the code is derived from them."""
        seed = await self.store.breeding_seed(code)
        kinds = ("variation", "child", "step", "words")
        return next((kind for kind in kinds if Code.bred(kind, parents, seed) == code), "child"), seed
