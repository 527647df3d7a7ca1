"""Telling people who wait for a picture their place in line: one message, removed when they have it."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any, ClassVar

import discord
from discord.ext import commands

from bot import words
from bot.client.connection import REFUSED

CHANNEL_SECONDS = 5.0
"""A channel takes five messages in five seconds: one of them may be a notice, the others are answers."""
log = logging.getLogger(__name__)


def is_thinking(interaction: discord.Interaction[Any]) -> bool:
    """Whether its person sees "thinking…", or what has been put there until the answer comes."""
    deferred = interaction.response.type is discord.InteractionResponseType.deferred_channel_message
    return deferred and not interaction.extras.get("answered")


class QueueNotice:
    """The notice to one person who gave a command or pressed a button: an `Asker` of the draw queue."""

    _free_at: ClassVar[dict[int, float]] = {}
    """By channel, when it may have the next notice."""

    def __init__(self, place: commands.Context[Any] | discord.Interaction[Any]) -> None:
        self._context = place if isinstance(place, commands.Context) else None
        self._interaction = place.interaction if isinstance(place, commands.Context) else place
        self.id = (place.author if isinstance(place, commands.Context) else place.user).id
        self._notice: discord.Message | None = None

    async def tell(self, place: int) -> None:
        """Post the notice; if Discord refuses, the picture comes all the same."""
        try:
            self._notice = await self._say(words.in_line(place))
        except REFUSED as error:
            log.info("somebody waits without a word: %s", error)

    async def hush(self) -> None:
        """Remove the notice, unless the answer takes its place."""
        if self._notice is not None:
            with contextlib.suppress(*REFUSED):
                await self._notice.delete()
            self._notice = None

    def _is_free(self, channel: int) -> bool:
        now = time.monotonic()
        for other in [other for other, free_at in self._free_at.items() if free_at <= now]:
            del self._free_at[other]
        if channel in self._free_at:
            return False
        self._free_at[channel] = now + CHANNEL_SECONDS
        return True

    async def _say(self, text: str) -> discord.Message | None:
        """Post the notice. Returns what is to be removed again."""
        if self._interaction is None:
            if self._context is None or not self._is_free(self._context.channel.id):
                return None
            return await self._context.reply(text, mention_author=False)
        if is_thinking(self._interaction):
            await self._interaction.edit_original_response(content=text)
        elif self._interaction.response.is_done():
            return await self._interaction.followup.send(text, ephemeral=True, wait=True)
        return None
