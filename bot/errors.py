"""How the bot says no, and what keeps it from starting."""

from __future__ import annotations

from discord.ext import commands


class Refusal(commands.CommandError):
    """A person asked for something that can't be; the message is what they are told, in private."""


class Repeated(Refusal):
    """A refusal that its person has just been told."""


class StoreError(Exception):
    """The store can't be used as it is; the message says why, in one line for whoever runs the bot."""


class BackupError(Exception):
    """A file that is no backup, or a home that it would overwrite; the message is one line."""
