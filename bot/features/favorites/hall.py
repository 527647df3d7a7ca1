"""The hall of fame: one post per favorite of a server, edited in place and never posted twice."""

from __future__ import annotations

import contextlib
from functools import partial

import discord

from bot import words
from bot.client.bot import BagBot
from bot.client.edits import Edits
from bot.client.history import find_own
from bot.client.replies import dress
from bot.codes import Code
from bot.features.card import Cards
from bot.store.models import HallPost

REMOVED = 0
"""The message id of a post that somebody has deleted."""


class Hall:
    """Brings the halls of fame up to date with the store."""

    def __init__(self, bot: BagBot, cards: Cards, edits: Edits) -> None:
        self._bot = bot
        self._cards = cards
        self._store = bot.services.store
        self._edits = edits

    def refresh(self, guild_id: int, code: str) -> None:
        """Soon post, edit or remove a design in a server's hall, if it has one, as the store says."""
        self._edits.want(("hall", guild_id, code), partial(self._bring_up_to_date, guild_id, code))

    async def _bring_up_to_date(self, guild_id: int, code: str) -> None:
        """Do whatever is missing, in an order that can stop anywhere and start again."""
        post = await self._store.hall_post(guild_id, code)
        if post is not None and post.message_id == REMOVED:
            return
        if not await self._store.is_favorite(code, guild_id):
            if post is not None:
                await self._take_down(post)
            return
        guild = self._bot.get_guild(guild_id)
        hall = self._bot.hall(guild) if guild else None
        if post is not None and post.message_id is not None:
            try:
                await self._message(post).edit(view=await self._cards.buttons(Code.of(code)))
                return
            except discord.NotFound:
                if hall is None or hall.id == post.channel_id:
                    # Whoever deleted it did not want it there.
                    await self._store.complete_hall_post(guild_id, code, REMOVED)
                    return
        if hall is not None and not await self.shuts_out(code):
            await self._post(hall, code)

    async def shuts_out(self, code: str) -> bool:
        """Whether a design is too near a photo for any hall. Raises Refusal if it can't be drawn."""
        nearest = await self._bot.services.studio.nearest(Code.of(code))
        return nearest is not None and nearest.is_copy

    async def _post(self, hall: discord.TextChannel, code: str) -> None:
        title = words.hall_title(code)
        await self._store.claim_hall_post(hall.guild.id, code, hall.id)
        found = await find_own(
            hall, hall.guild.me.id, lambda message: any(embed.title == title for embed in message.embeds)
        )
        if found is None:
            message = await self._cards.design(Code.of(code), hall.guild.id, None)
            message["embed"].title = title
            found = await hall.send(**dress({**message}, self._bot.services.settings.prefix))
        await self._store.complete_hall_post(hall.guild.id, code, found.id)

    async def _take_down(self, post: HallPost) -> None:
        if post.message_id:
            with contextlib.suppress(discord.NotFound):  # somebody was faster
                await self._message(post).delete()
        await self._store.drop_hall_post(post.guild_id, post.code)

    def _message(self, post: HallPost) -> discord.PartialMessage:
        channel = self._bot.get_partial_messageable(post.channel_id, guild_id=post.guild_id)
        return channel.get_partial_message(post.message_id or 0)
