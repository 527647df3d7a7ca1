"""`!bag favorites` and 💾: what is kept."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction
from bot.client.controls import control
from bot.client.edits import Edits
from bot.client.replies import think_in_private, whisper
from bot.codes import Code
from bot.errors import Refusal
from bot.features.card import pages_view
from bot.features.favorites.files import Shelf
from bot.features.favorites.hall import Hall
from bot.features.feature import Feature, Message, guild_id

PAGE = 9
CRASHED_WITHIN = timedelta(days=1)
"""A favorite so young without a post in the hall met a crash; an older one had no hall to go to."""
log = logging.getLogger(__name__)


class Keeper:
    """Makes designs favorites, and shows them in the halls of fame."""

    def __init__(self, bot: BagBot) -> None:
        services = bot.services
        self.store = services.store
        self.studio = services.studio
        self.edits = Edits()
        self.hall = Hall(bot, self.edits)
        self.shelf = Shelf(services.settings.favorites, self.store, self.studio)

    async def keep(self, code: str, guild: int, user_id: int) -> bool:
        """Make a design a favorite: a row, its files, a post in the hall of fame. False if it is one already.

        Raises Refusal if it can't be drawn, OSError if its files can't be written.
        """
        named = Code.of(code)
        model = await self.studio.model(named.version)
        await self.store.add_designs([named], model.epoch, guild, None)
        if not await self.store.save(code, guild, user_id):
            return False
        try:
            await self.shelf.put(code)
        except BaseException:
            # The row must not promise files that are not there; saving can then be tried again.
            await self.store.unsave(code, guild, user_id)
            raise
        self.hall.refresh(guild, code)
        return True

    async def mend(self) -> None:
        """Write the favorites whose files are missing and post those that a crash has kept from the hall."""
        for guild, code in await self.store.missing_in_hall(datetime.now(UTC) - CRASHED_WITHIN):
            self.hall.refresh(guild, code)
        for code in await self.shelf.missing(await self.store.favorite_codes()):
            try:
                await self.shelf.put(code)
            except (Refusal, OSError) as error:
                log.warning("favorite %s stays without its files: %s", code, error)


class FavoriteCommands(Feature):
    """Keeping."""

    def __init__(self, bot: BagBot, keeper: Keeper) -> None:
        super().__init__(bot)
        self.keeper = keeper

    async def cog_unload(self) -> None:
        """Show what has not been shown yet."""
        await self.keeper.edits.close()

    @commands.hybrid_command(name="favorites")
    @app_commands.describe(who="whose; nobody for everybody's")
    @commands.guild_only()
    async def favorites(self, context: Context, who: discord.User | None = None) -> None:
        """The saved bags, in pages: `!bag favorites`, or somebody's: `!bag favorites @ada`."""
        name = who.display_name if who else None
        await context.defer()
        await context.send(**await self._page(guild_id(context), who.id if who else 0, name, 0))

    @control("save")
    async def on_save(self, interaction: Interaction, code: str) -> None:
        """💾 pressed: a favorite, or no longer one."""
        await think_in_private(interaction)
        guild, person = guild_id(interaction), interaction.user.id
        if await self.store.unsave(code, guild, person):
            self.keeper.hall.refresh(guild, code)
            await whisper(interaction, words.unsaved(code))
            return
        await self.keeper.keep(code, guild, person)
        await whisper(interaction, words.saved(code))

    @commands.Cog.listener("on_ready")
    async def mend(self) -> None:
        """Write the favorites whose files are missing and post those that a crash has kept from the hall."""
        await self.keeper.mend()

    @control("favorites")
    async def on_page(self, interaction: Interaction, user: str, at: str) -> None:
        """Another page of favorites, in place."""
        user_id, page = int(user), int(at)
        await interaction.response.defer()
        name = await self._name(user_id) if user_id else None
        message = await self._page(guild_id(interaction), user_id, name, page)
        await interaction.edit_original_response(
            embed=message["embed"], attachments=message["files"], view=message["view"]
        )

    async def _name(self, user_id: int) -> str:
        try:
            # After a restart the cache knows only who has spoken since.
            user = self.bot.get_user(user_id) or await self.bot.fetch_user(user_id)
        except discord.NotFound:
            return words.GONE_USER
        return user.display_name

    async def _page(self, guild: int, user_id: int, name: str | None, page: int) -> Message:
        codes, total = await self.store.favorites(guild, user_id or None, page * PAGE, PAGE)
        pages = -(-total // PAGE)
        if page >= pages > 0:  # some were taken back since the buttons were made
            page = pages - 1
            codes, _ = await self.store.favorites(guild, user_id or None, page * PAGE, PAGE)
        if not codes:
            raise Refusal(words.no_favorites(name))
        embed, file = await self.numbered(
            codes, words.favorites_title(name, page + 1, pages), words.listing(codes)
        )
        return Message(embed=embed, files=[file], view=pages_view(user_id, page, pages, codes))
