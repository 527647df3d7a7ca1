"""`!bag favorites` and 💾: the saved designs of a server or a person."""

from __future__ import annotations

import contextlib
import re
from typing import Annotated, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction, guild_id
from bot.client.controls import button, control, view
from bot.client.replies import defer_privately, whisper
from bot.errors import Refusal
from bot.features.card import Cards, Message, pick
from bot.features.favorites.service import FavoriteService
from bot.features.feature import Feature

PAGE = 9
"""Favorites on a page."""
ME = {"me", "mine", "my", "myself"}
_ID = re.compile(r"(?:<@!?)?[0-9]{15,20}>?")
LONGEST_NAME = 32
"""Characters of a name, at Discord."""


class Person(app_commands.Transformer, commands.Converter[discord.Member | discord.User]):
    """A person: by slash from Discord's list; typed by mention, id or name, as in Discord's own search."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """The option of the slash command."""
        return discord.AppCommandOptionType.user

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> Any:
        """Discord has looked them up."""
        return value

    async def convert(self, context: commands.Context[Any], argument: str) -> discord.Member | discord.User:
        """Look them up. Raises Refusal if nobody is called so."""
        if argument.lower() in ME:
            return context.author
        if _ID.fullmatch(argument):
            # Their favorites stay when people leave, so users who are no members are found too.
            for converter in (commands.MemberConverter(), commands.UserConverter()):
                with contextlib.suppress(commands.MemberNotFound, commands.UserNotFound):
                    return await converter.convert(context, argument)
            raise Refusal(words.nobody_called(argument))
        member = await _called(context.guild, argument.removeprefix("@"))
        if member is None:
            raise Refusal(words.nobody_called(argument))
        return member


async def _called(guild: discord.Guild | None, name: str) -> discord.Member | None:
    """The member with a name; of several, one whose name it is exactly; None if that leaves no single one."""
    if guild is None or not 0 < len(name) <= LONGEST_NAME:
        return None
    try:
        # The cache has only those who have spoken; the gateway searches all, by the beginning of their names.
        found = {member.id: member for member in await guild.query_members(name, limit=100)}
    except TimeoutError:
        found = {}
    wanted = name.casefold()
    begin: list[discord.Member] = []
    for member in (found | {member.id: member for member in guild.members}).values():
        names = [each.casefold() for each in (member.name, member.global_name, member.nick) if each]
        if wanted in names:
            return member
        if any(each.startswith(wanted) for each in names):
            begin.append(member)
    return begin[0] if len(begin) == 1 else None


class FavoritesCog(Feature):
    """Lets anybody save a bag, take it back, and leaf through what is saved."""

    def __init__(self, bot: BagBot, cards: Cards, favorites: FavoriteService) -> None:
        super().__init__(bot, cards)
        self._favorites = favorites

    async def cog_unload(self) -> None:
        """Make the edits that still wait."""
        await self._favorites.edits.close()

    @commands.hybrid_command(name="favorites", aliases=["favourites", "favorite", "favourite"])
    @app_commands.describe(who="whose favorites; leave it out for everybody's")
    @commands.guild_only()
    async def favorites(
        self, context: Context, *, who: Annotated[discord.Member | discord.User | None, Person] = None
    ) -> None:
        """The saved bags, in pages: `!bag favorites`, or somebody's: `!bag favorites @ada`."""
        name = who.display_name if who else None
        if (
            isinstance(who, discord.User)
            and not (await self.store.favorites(guild_id(context), who.id, 0, 1))[1]
        ):
            raise Refusal(words.nobody_called(str(who.id)))  # a stranger, who is not named here
        await context.defer()
        await context.send(**await self._page(guild_id(context), who.id if who else 0, name, 0))

    @control("save")
    async def on_save(self, interaction: Interaction, code: str) -> None:
        """💾 pressed: save the design, or take it back."""
        self.spend(interaction)
        await defer_privately(interaction)
        guild, person = guild_id(interaction), interaction.user.id
        if await self.store.unsave(code, guild, person):
            self._favorites.hall.refresh(guild, code)
            await whisper(interaction, words.unsaved(code))
            return
        await self._favorites.keep(code, guild, person)
        copies = await self._favorites.hall.shuts_out(code)
        await whisper(interaction, f"{words.saved(code)} {words.NEAR_COPY}" if copies else words.saved(code))

    @commands.Cog.listener("on_ready")
    async def mend(self) -> None:
        """Write and post what a crash has left undone."""
        await self._favorites.mend()

    @control("favorites")
    async def on_page(self, interaction: Interaction, user: str, at: str) -> None:
        """◀ or ▶ pressed: another page, in place. User 0 means everybody's favorites."""
        self.spend(interaction)
        user_id, page = int(user), int(at)
        await interaction.response.defer()
        name = await self._name(user_id, interaction.guild) if user_id else None
        message = await self._page(guild_id(interaction), user_id, name, page)
        await interaction.edit_original_response(
            embed=message["embed"], attachments=message["files"], view=message["view"]
        )

    async def _name(self, user_id: int, guild: discord.Guild | None) -> str:
        member = guild.get_member(user_id) if guild else None
        try:
            # After a restart the cache knows only who has spoken since.
            user = member or self.bot.get_user(user_id) or await self.bot.fetch_user(user_id)
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
        title = words.favorites_title(name, page + 1, pages)
        embed, file = await self.cards.numbered(codes, title, words.listing(codes))
        turns = [
            button("favorites", user_id, max(page - 1, 0), label="◀", disabled=page == 0),
            button("favorites", user_id, min(page + 1, pages - 1), label="▶", disabled=page == pages - 1),
        ]
        return Message(embed=embed, files=[file], view=view(pick(codes), *(turns if pages > 1 else [])))
