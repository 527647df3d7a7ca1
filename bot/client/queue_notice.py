"""Telling people who wait for a picture their place in line: one message, removed when it is their turn."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import discord
from discord.ext import commands

from bot import words

log = logging.getLogger(__name__)


class QueueNotice:
    """The notice to one person who gave a command or pressed a button: an `Asker` of the draw queue."""

    def __init__(self, place: commands.Context[Any] | discord.Interaction[Any]) -> None:
        self._context = place if isinstance(place, commands.Context) else None
        self._interaction = place.interaction if isinstance(place, commands.Context) else place
        self.id = (place.author if isinstance(place, commands.Context) else place.user).id
        self._notice: discord.Message | None = None

    async def tell(self, place: int) -> None:
        """Post the notice, or update it; if Discord refuses, the picture comes all the same."""
        try:
            text = words.in_line(place)
            if self._notice is not None:
                await self._notice.edit(content=text)
            else:
                self._notice = await self._say(text)
        except discord.HTTPException as error:
            log.info("somebody waits without a word: %s", error)

    async def hush(self) -> None:
        """Remove the notice."""
        if self._notice is not None:
            with contextlib.suppress(discord.HTTPException):
                await self._notice.delete()
            self._notice = None

    async def _say(self, text: str) -> discord.Message | None:
        if self._interaction is None:
            return await self._context.reply(text, mention_author=False) if self._context else None
        response = self._interaction.response
        if response.type is discord.InteractionResponseType.deferred_channel_message:
            if self._interaction.extras.get("private"):
                return None  # "thinking…" is private already, and what takes its place stays private
            return await self._interaction.edit_original_response(content=text)
        if response.is_done():
            return await self._interaction.followup.send(text, ephemeral=True, wait=True)
        return None
