"""`!bag favorites` and 💾: what is kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bot import favorites, words
from bot.client import Context, Interaction, think_in_private, whisper
from bot.codes import Code
from bot.cogs.dream import DreamCommands
from bot.cogs.feature import Feature, Message, guild_id
from bot.errors import Refusal
from bot.views import pages_view

PAGE = 9


class FavoriteCommands(Feature):
    """Keeping."""

    @DreamCommands.bag.command(name="favorites")
    @app_commands.describe(who="whose; nobody for everybody's")
    @commands.guild_only()
    async def favorites(self, context: Context, who: discord.User | None = None) -> None:
        """The saved bags, in pages: `!bag favorites`, or somebody's: `!bag favorites @ada`."""
        name = who.display_name if who else None
        await context.defer()
        await context.send(**await self._page(guild_id(context), who.id if who else 0, name, 0))

    async def keep(self, code: str, guild: int, user_id: int) -> bool:
        """Make a design a favorite: a row, a PNG and a JSON. False if it is one already. Raises Refusal."""
        named = Code.of(code)
        model = await self.studio.model(named.version)
        await self.store.add_designs([named], model.epoch, guild, None)
        if not await self.store.save(code, guild, user_id):
            return False
        try:
            picture = await self.studio.picture(named)
            await asyncio.to_thread(
                favorites.write, self.settings.favorites, named, picture, model.epoch, datetime.now(UTC)
            )
        except BaseException:
            # The row must not promise files that are not there; saving can then be tried again.
            await self.store.unsave(code, guild, user_id)
            raise
        return True

    async def on_save(self, interaction: Interaction, code: str) -> None:
        """💾 pressed."""
        await think_in_private(interaction)
        fresh = await self.keep(code, guild_id(interaction), interaction.user.id)
        await whisper(interaction, words.saved(code) if fresh else words.saved_already(code))

    async def on_page(self, interaction: Interaction, user_id: int, page: int) -> None:
        """Another page of favorites, in place."""
        user = self.bot.get_user(user_id) if user_id else None
        name = user.display_name if user else None
        await interaction.response.defer()
        message = await self._page(guild_id(interaction), user_id, name, page)
        await interaction.edit_original_response(
            embed=message["embed"], attachments=message["files"], view=message["view"]
        )

    async def _page(self, guild: int, user_id: int, name: str | None, page: int) -> Message:
        codes, total = await self.store.favorites(guild, user_id or None, page * PAGE, PAGE)
        if not codes:
            raise Refusal(words.no_favorites(name))
        pages = -(-total // PAGE)
        embed, file = await self.numbered(
            codes, words.favorites_title(name, page + 1, pages), words.listing(codes)
        )
        return Message(embed=embed, files=[file], view=pages_view(user_id, page, pages, codes))
