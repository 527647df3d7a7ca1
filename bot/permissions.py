"""Which permissions the bot needs where, and which of them it lacks."""

from __future__ import annotations

import discord

REPLY = ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")
"""To show a picture in a channel; the hall of fame needs no more."""
HOME = (*REPLY, "create_public_threads", "send_messages_in_threads", "manage_threads")
"""To tell training runs in threads as well."""


def lacking(granted: discord.Permissions, needed: tuple[str, ...]) -> list[str]:
    """The needed permissions that are not granted, by discord.py's names."""
    return [name for name in needed if not getattr(granted, name)]


def lacking_in(channel: discord.abc.GuildChannel, me: discord.Member, needed: tuple[str, ...]) -> list[str]:
    """The needed permissions that a member does not have in a channel."""
    return lacking(channel.permissions_for(me), needed)


def needed_to_reply(channel: object) -> tuple[str, ...]:
    """What a reply needs in a channel or thread."""
    if isinstance(channel, discord.Thread):
        return tuple("send_messages_in_threads" if name == "send_messages" else name for name in REPLY)
    return REPLY
