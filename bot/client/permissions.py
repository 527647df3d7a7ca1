"""Permissions: which ones the bot needs where, and which of those it lacks."""

from __future__ import annotations

import discord

SPEAK = ("send_messages", "embed_links", "attach_files")
"""To answer in a channel where somebody has typed a command."""
SHOW = ("view_channel", *SPEAK, "read_message_history")
"""To post on its own, and to find and edit that again; all that the hall of fame needs."""
HOME = (*SHOW, "create_public_threads", "send_messages_in_threads", "manage_threads")
"""To post training runs in threads as well."""


def lacking(granted: discord.Permissions, needed: tuple[str, ...]) -> list[str]:
    """The needed permissions that are not granted, by discord.py's names."""
    return [name for name in needed if not getattr(granted, name)]


def lacking_in(channel: discord.abc.GuildChannel, me: discord.Member, needed: tuple[str, ...]) -> list[str]:
    """The needed permissions that a member does not have in a channel."""
    return lacking(channel.permissions_for(me), needed)


def to_speak(place: object) -> tuple[str, ...]:
    """What an answer needs in a channel or thread."""
    if isinstance(place, discord.Thread):
        return ("send_messages_in_threads", *SPEAK[1:])
    return SPEAK
