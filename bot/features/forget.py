"""`!bag export` and `!bag forget me`: what belongs to a server, and what belongs to a person."""

from __future__ import annotations

import asyncio
from itertools import islice

from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction
from bot.client.controls import control
from bot.client.replies import tell, think_in_private
from bot.errors import Refusal
from bot.features.favorites.cog import Keeper
from bot.features.favorites.export import archives
from bot.features.feature import MAX_UPLOAD, Feature, attach, guild_id
from bot.features.setup.panel import forget_view

MOST_ZIPS = 5


class KeepCommands(Feature):
    """Taking away, and being forgotten."""

    def __init__(self, bot: BagBot, keeper: Keeper) -> None:
        super().__init__(bot)
        self.keeper = keeper

    @commands.hybrid_command(name="export")
    @commands.has_guild_permissions(manage_guild=True)
    async def export(self, context: Context) -> None:
        """The favorites of a server as a zip, for you alone: `!bag export`."""
        if context.interaction is not None:
            await think_in_private(context.interaction)
        favorites = await self.store.kept(guild_id(context))
        if not favorites:
            raise Refusal(words.no_favorites(None))
        # Read and packed one by one, off the loop: no more than one is in memory.
        zips = islice(archives(self.settings.favorites, favorites, MAX_UPLOAD), MOST_ZIPS)
        number = sent = 0
        while (archive := await asyncio.to_thread(next, zips, None)) is not None:
            number, sent = number + 1, sent + archive.favorites
            name = "favorites.zip" if archive.favorites == len(favorites) else f"favorites-{number}.zip"
            file = attach(name, archive.data, words.ZIP_ALT)
            await tell(context, words.exported(number, sent, len(favorites)), file=file)
        if sent < len(favorites):
            await tell(context, words.EXPORT_REST)

    @commands.hybrid_group(name="forget", invoke_without_command=True)
    async def forget(self, context: Context) -> None:
        """I forget what I know of you: `!bag forget me`."""
        raise Refusal(words.usage("!bag forget me"))

    @forget.command(name="me")
    async def forget_me(self, context: Context) -> None:
        """I forget your votes, your favorites and your name: `!bag forget me`."""
        await tell(context, words.FORGET_ASK, view=forget_view(context.author.id))

    @control("forget")
    async def on_forget(self, interaction: Interaction, user: str) -> None:
        """The button that confirms it, pressed."""
        user_id = int(user)
        if interaction.user.id != user_id:
            raise Refusal(words.NOT_YOURS)
        await interaction.response.defer()
        gone = await self.store.forget(user_id)
        text = words.forgotten(gone.votes, len(gone.favorites), gone.designs)
        await interaction.edit_original_response(content=text, view=None)
        for guild, code in gone.favorites:
            self.keeper.hall.refresh(guild, code)
