"""`!bag like` and *Dream a bag like this*: the dream that is most like a photo."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction, guild_id
from bot.client.replies import answer
from bot.errors import Refusal
from bot.features.card import Cards, Message, attach, design_embed
from bot.features.feature import Feature

PHOTO_BYTES = 20_000_000
"""The largest photo that is downloaded."""


class LikeCog(Feature):
    """Lets anybody show a photo of a bag, and get the dream most like it. Nothing of the photo is kept."""

    def __init__(self, bot: BagBot, cards: Cards) -> None:
        super().__init__(bot, cards)
        self._menu = app_commands.ContextMenu(name=words.LIKE_MENU, callback=self._from_menu)

    async def cog_load(self) -> None:
        """Add the menu's entry, which no decorator can in a cog."""
        await super().cog_load()
        self.bot.tree.add_command(self._menu)

    @commands.hybrid_command(name="like")
    @app_commands.describe(photo="one bag on a plain, light background")
    async def like(self, context: Context, photo: discord.Attachment | None = None) -> None:
        """Dream the bag most like a photo, attached or replied to: `!bag like`."""
        shown = [photo] if photo else []
        if not shown and (message := await context.replied_to()):
            shown = message.attachments
        chosen = await self._choose(shown)
        await context.defer()
        await context.send(**await self._dream(chosen, guild_id(context), context.author.id))

    async def _from_menu(self, interaction: Interaction, message: discord.Message) -> None:
        async def like() -> None:
            self.spend(interaction)
            chosen = await self._choose(message.attachments)
            await interaction.response.defer(thinking=True)
            await answer(interaction, **await self._dream(chosen, guild_id(interaction), interaction.user.id))

        await self.bot.serve(interaction, like)

    async def _choose(self, shown: Sequence[discord.Attachment]) -> discord.Attachment:
        """The first picture. Raises Refusal if there is none, if it is too large, or before the first run."""
        await self.studio.current()
        pictures = [each for each in shown if (each.content_type or "").startswith("image/")]
        chosen = next(iter(pictures or shown), None)
        if chosen is None:
            raise Refusal(words.LIKE_WHICH)
        if chosen.size > PHOTO_BYTES:
            raise Refusal(words.photo_too_large(chosen.size, PHOTO_BYTES))
        return chosen

    async def _dream(self, photo: discord.Attachment, guild: int, user_id: int) -> Message:
        try:
            data = await photo.read()
        except (discord.NotFound, discord.Forbidden) as error:  # deleted, or its link has expired
            raise Refusal(words.PHOTO_GONE) from error
        bred, found = await self.studio.like(data)
        model = await self.studio.model(bred.code.version)
        await self.store.add_bred([bred], model.epoch, guild, user_id)
        await self.store.add_designs([bred.code], model.epoch, guild, user_id, [found.picture.look])
        bag = words.bag_of(*await self.studio.words([bred.code]))
        embed = design_embed(bred.code, found.picture, model.epoch, bag)
        embed.description = words.LIKENESS
        alt = words.likeness_alt(str(bred.code), found.picture.color, bag)
        return Message(
            embed=embed,
            files=[attach(f"{bred.code}.png", found.pair, alt)],
            view=await self.cards.buttons(bred.code),
        )
