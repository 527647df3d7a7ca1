"""Looking back into a channel: what the bot said there before it crashed or was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import discord

LOOK_BACK = 1000
"""Messages, of anybody."""


async def own_messages(channel: discord.abc.Messageable, me: int) -> AsyncIterator[discord.Message]:
    """The messages of the bot (user id `me`) among the newest 1,000, newest first.

    Raises discord.Forbidden where the bot may not read the history.
    """
    async for message in channel.history(limit=LOOK_BACK):
        if message.author.id == me:
            yield message


async def find_own(
    channel: discord.abc.Messageable,
    me: int,
    is_it: Callable[[discord.Message], bool],
    after: int = 0,
) -> discord.Message | None:
    """The newest of them that `is_it` and whose id is above `after`. Raises like `own_messages`."""
    async for message in own_messages(channel, me):
        if message.id <= after:
            break
        if is_it(message):
            return message
    return None
