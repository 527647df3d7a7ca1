"""`!bag delete` and *Delete this dream*: deletes a post (its requester or a moderator)."""

from __future__ import annotations

import contextlib
import re
from typing import Annotated, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction
from bot.client.replies import tell, whisper
from bot.errors import Refusal
from bot.features.card import Cards
from bot.features.feature import Feature


class Post(commands.MessageConverter):
    """A message, by its link or id."""

    async def convert(self, ctx: commands.Context[Any], argument: str) -> discord.Message:
        """Find it. Raises commands.BadArgument and discord.HTTPException."""
        number = re.search(r"\d{15,20}\Z", argument)
        if ctx.guild is not None or number is None:
            return await super().convert(ctx, argument)
        # Of private messages, discord.py knows no channel that it has not seen since the start.
        try:
            return await ctx.channel.fetch_message(int(number[0]))
        except discord.NotFound as error:
            raise commands.MessageNotFound(argument) from error


class DeleteCog(Feature):
    """Lets people delete the posts that they asked for, and moderators all of the bot's.

    Beside the command there is an entry in each message's menu: it takes no room and is there for old posts.
    """

    def __init__(self, bot: BagBot, cards: Cards) -> None:
        super().__init__(bot, cards)
        self._menu = app_commands.ContextMenu(name=words.DELETE_MENU, callback=self._from_menu)

    async def cog_load(self) -> None:
        """Add the menu's entry, which no decorator can in a cog."""
        await super().cog_load()
        self.bot.tree.add_command(self._menu)

    @commands.hybrid_command(name="delete")
    @app_commands.describe(message="Link to the post, or its id")
    async def delete(self, context: Context, message: Annotated[discord.Message, Post] | None = None) -> None:
        """Delete a post of mine that you asked for: reply to it with `!bag delete`."""
        message = message or await context.replied_to()
        if message is None:
            raise Refusal(words.DELETE_WHICH)
        await self._delete(message, context.author, context.guild)
        await tell(context, words.DELETED)

    async def _from_menu(self, interaction: Interaction, message: discord.Message) -> None:
        async def delete() -> None:
            await self._delete(message, interaction.user, interaction.guild)
            await whisper(interaction, words.DELETED)

        await self.bot.serve(interaction, delete)

    async def _delete(
        self, message: discord.Message, by: discord.abc.User, guild: discord.Guild | None
    ) -> None:
        if message.author != self.bot.user or message.guild != guild:
            raise Refusal(words.NOT_MINE)
        if not _moderates(by, message.channel) and await _asker(message) != by.id:
            raise Refusal(words.NOT_ASKED_BY_YOU)
        try:
            await message.delete()
        except discord.NotFound as error:
            raise Refusal(words.GONE) from error


def _moderates(person: discord.abc.User, channel: Any) -> bool:
    if isinstance(channel, discord.DMChannel):
        return True
    return isinstance(person, discord.Member) and channel.permissions_for(person).manage_messages


async def _asker(message: discord.Message) -> int | None:
    """The id of whoever asked for a post, by the command that it replies to or the button that it answers."""
    if message.interaction_metadata is not None:
        return message.interaction_metadata.user.id
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    asked = reference.resolved
    if asked is None:
        with contextlib.suppress(discord.NotFound, discord.Forbidden):
            asked = await message.channel.fetch_message(reference.message_id)
    return asked.author.id if isinstance(asked, discord.Message) else None
