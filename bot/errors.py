"""The one way in which the bot says no."""

from __future__ import annotations

from discord.ext import commands


class Refusal(commands.CommandError):
    """A person asked for something that can't be; the message is what they are told, in private."""
