"""`!bag forget me`: deletes what the bot knows of a person."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction
from bot.client.controls import button, control, view
from bot.client.replies import tell
from bot.errors import Refusal
from bot.features.card import Cards
from bot.features.favorites.service import FavoriteService
from bot.features.feature import Feature


class ForgetCog(Feature):
    """Lets anybody have their votes, favorites and name deleted."""

    def __init__(self, bot: BagBot, cards: Cards, favorites: FavoriteService) -> None:
        super().__init__(bot, cards)
        self._favorites = favorites

    @commands.hybrid_group(name="forget", invoke_without_command=True, case_insensitive=True)
    async def forget(self, context: Context) -> None:
        """I forget what I know of you: `!bag forget me`."""
        raise Refusal(words.usage("!bag forget me"))

    @forget.command(name="me")
    async def forget_me(self, context: Context) -> None:
        """I forget your votes, your favorites and your name: `!bag forget me`."""
        confirm = button(
            "forget", context.author.id, style=discord.ButtonStyle.danger, label=words.FORGET_BUTTON
        )
        await tell(context, words.FORGET_ASK, view=view(confirm))

    @control("forget")
    async def on_forget(self, interaction: Interaction, user: str) -> None:
        """The button that confirms it, pressed by the person themselves."""
        user_id = int(user)
        if interaction.user.id != user_id:
            raise Refusal(words.NOT_YOURS)
        await interaction.response.defer()
        gone = await self.store.forget(user_id)
        text = words.forgotten(gone.votes, len(gone.favorites), gone.designs)
        await interaction.edit_original_response(content=text, view=None)
        for guild, code in gone.favorites:
            self._favorites.hall.refresh(guild, code)
