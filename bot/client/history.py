"""What the bot said before a crash: the channel knows."""

from __future__ import annotations

from collections.abc import Callable

import discord

LOOK_BACK = 1000


async def find_own(
    channel: discord.abc.Messageable,
    me: int,
    is_it: Callable[[discord.Message], bool],
    after: int = 0,
) -> discord.Message | None:
    """The newest message of the bot (user id `me`) that `is_it`, of the last 1000 and after a message."""
    async for message in channel.history(limit=LOOK_BACK):
        if message.id <= after:
            break
        if message.author.id == me and is_it(message):
            return message
    return None
