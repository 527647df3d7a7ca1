"""Where errors become words, and private answers stay private."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.exc import OperationalError

from bot import words
from bot.client import permissions
from bot.client.connection import REFUSED
from bot.client.queue_notice import QueueNotice, is_thinking
from bot.client.retries import is_passing, once_more
from bot.drawing.queue import asking
from bot.errors import Refusal, Repeated

log = logging.getLogger(__name__)

_TEXTS = ("content", "embed", "embeds")
TOO_LATE = 10062
"""Discord's code for: this interaction is unknown, or older than three seconds and unanswered."""
ENDING_SECONDS = 2.0
"""How long a bot that is ending tries to send a direct message."""
MESSAGE_GONE = 10008
"""Discord's code for: there is no such message."""
LINGER_SECONDS = 20
"""How long a private answer stays up that could only be given in public."""


def dress(message: dict[str, Any], prefix: str, slash: bool = False) -> dict[str, Any]:
    """The arguments of a send or an edit, with the commands in their texts as people type them."""

    def typed(part: Any) -> Any:
        match part:
            case str():
                return words.typed(part, prefix, slash)
            case list():
                return [typed(each) for each in part]
            case dict():
                return {key: typed(each) for key, each in part.items()}
            case discord.Embed():
                return discord.Embed.from_dict(typed(part.to_dict()))
        return part

    return {key: typed(part) if key in _TEXTS else part for key, part in message.items()}


def dressed(
    place: commands.Context[Any] | discord.Interaction[Any], content: str | None = None, **options: Any
) -> dict[str, Any]:
    """The same for an answer: by slash if it answers a slash command, else with the bot's prefix."""
    interaction = place.interaction if isinstance(place, commands.Context) else place
    bot = place.bot if isinstance(place, commands.Context) else place.client
    slash = (
        interaction is not None
        and interaction.type is discord.InteractionType.application_command
        and not isinstance(interaction.command, app_commands.ContextMenu)
    )
    return dress({"content": content, **options}, bot.services.settings.prefix, slash)


def explain(
    error: BaseException, granted: discord.Permissions, place: object, example: str = "!bag help"
) -> str | None:
    """What to tell a person about an error; None if nothing needs saying. Unexpected errors are logged.

    `granted` is what the bot may do in `place`, the channel or thread in which it was asked; `example` is how
    the command should be used.
    """
    while isinstance(
        error,
        commands.HybridCommandError | commands.CommandInvokeError | app_commands.CommandInvokeError,
    ):
        error = error.original
    match error:
        case Refusal():
            return str(error)
        case commands.CommandNotFound():
            return None
        case commands.MissingPermissions():
            return words.ADMINS_ONLY
        case commands.NoPrivateMessage():
            return words.SERVER_ONLY
        case commands.BotMissingPermissions():
            return words.missing_permissions(error.missing_permissions)
        case discord.Forbidden():
            needed = permissions.to_speak(place)
            return words.missing_permissions(permissions.lacking(granted, needed) or needed)
        case discord.NotFound(code=10003 | 10008):  # channel, message
            return words.PLACE_GONE
        case discord.NotFound() if error.code == TOO_LATE:
            # It came later than the three seconds for which Discord holds a question open. To tell somebody
            # would cost more than the answer, and just when we are slow.
            log.info("too late for an answer")
            return None
        case discord.HTTPException() | aiohttp.ClientError() if is_passing(error):
            log.warning("Discord refused an answer: %s", error)
            return words.DISCORD_DOWN
        case commands.RangeError():
            return words.out_of_range("That number", error.minimum, error.maximum)
        case commands.UserInputError() | app_commands.TransformerError():
            return words.usage(example)
    if isinstance(error, OperationalError) and "is locked" in str(error):
        log.warning("the store is locked by somebody else: %s", error.orig)
        return words.STORE_BUSY
    log.error("unexpected", exc_info=error)
    if _disk_is_full(error):
        return words.DISK_FULL
    return words.UNEXPECTED


def _disk_is_full(error: BaseException) -> bool:
    if isinstance(error, OperationalError):
        return "disk is full" in str(error)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


async def explain_command(context: commands.Context[Any], error: commands.CommandError) -> None:
    """Tell a person privately what went wrong with their command."""
    if isinstance(error, Repeated) and context.interaction is None:
        return  # one private word is enough; a button and a slash command need some answer
    example = words.example(context.command.help if context.command else None)
    text = explain(error, context.bot_permissions, context.channel, example)
    if text is not None:
        with _logging_refusals():
            await tell(context, text)


async def explain_interaction(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell a person privately what went wrong with their button, list, form or menu."""
    text = explain(error, interaction.app_permissions, interaction.channel)
    if text is not None:
        with _logging_refusals():
            await whisper(interaction, text)


async def run_reporting_errors(
    interaction: discord.Interaction[Any], action: Callable[[], Awaitable[None]]
) -> None:
    """Run what a button does; an error becomes private words, as with commands."""
    asking.set(QueueNotice(interaction))
    try:
        with interaction.client.services.metrics.button(interaction):
            await action()
    except Exception as error:
        await explain_interaction(interaction, error)


@contextlib.contextmanager
def _logging_refusals() -> Iterator[None]:
    try:
        yield
    except REFUSED as error:
        log.warning("could not tell somebody why: %s", error)


async def tell(context: commands.Context[Any], text: str, **options: Any) -> None:
    """Answer a command so that only its person sees it, if possible. Raises discord.HTTPException."""
    if context.interaction is not None:
        await whisper(context.interaction, text, **options)
        return
    message = dressed(context, text, **options)
    try:
        # Discord lets few direct messages be begun at once, and a bot that is ending can't wait for that.
        async with asyncio.timeout(ENDING_SECONDS if context.bot.ending else None):
            await context.author.send(**message)
    except (discord.Forbidden, TimeoutError):
        # Somebody whose DMs are closed gets a reply that cleans up after itself.
        await context.reply(words.NO_PRIVATE if options else message["content"], delete_after=LINGER_SECONDS)


async def whisper(interaction: discord.Interaction[Any], text: str, **options: Any) -> None:
    """Answer an interaction so that only its person sees it, whatever has been answered before.

    Raises discord.HTTPException.
    """
    message = dressed(interaction, text, **options)
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(ephemeral=True, **message)
            return
        if is_thinking(interaction):
            if interaction.extras.get("private"):
                await answer(interaction, text, **options)
                return
            # What takes the place of a public "thinking…" is as public.
            interaction.extras["answered"] = True
            with contextlib.suppress(discord.HTTPException):
                await interaction.delete_original_response()
        await interaction.followup.send(ephemeral=True, **message)
    except discord.NotFound as error:
        if error.code == TOO_LATE:
            raise
        with contextlib.suppress(discord.Forbidden):
            await interaction.user.send(**message)


async def answer(
    interaction: discord.Interaction[Any], content: str | None = None, **options: Any
) -> discord.Message:
    """Answer an interaction that has been deferred, in the place of "thinking…" if that still stands there.

    Raises discord.HTTPException and what NETWORK names.
    """
    message = dressed(interaction, content, **options)
    if not is_thinking(interaction):
        return await interaction.followup.send(wait=True, **message)
    files = message.pop("files", None) or [file for file in [message.pop("file", None)] if file]
    interaction.extras["answered"] = True
    try:
        # Changed and not sent: what got through although no answer came back is changed again, not doubled.
        return await once_more(
            lambda: interaction.edit_original_response(attachments=files, **message), files
        )
    except discord.NotFound as error:
        if error.code != MESSAGE_GONE:
            raise
        return await interaction.followup.send(wait=True, files=files, **message)
    except BaseException:
        interaction.extras["answered"] = False
        raise


async def defer_privately(interaction: discord.Interaction[Any]) -> None:
    """Gain time for an answer that only the interaction's person will see."""
    interaction.extras["private"] = True
    await interaction.response.defer(ephemeral=True, thinking=True)
