"""The Discord client: intents, mentions, the cog, and the one place where errors become words."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.exc import OperationalError

from bot import words
from bot.errors import Refusal
from bot.line import asking
from bot.patience import Patience
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.child import Collector, Trainer
    from bot.guilds import Guilds
    from bot.store.store import Store
    from bot.studio import Studio

Context = commands.Context["BagBot"]
Interaction = discord.Interaction["BagBot"]
log = logging.getLogger(__name__)

# The bot has no voice, so it needs no words about what voice would need.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


@dataclass(frozen=True)
class Services:
    """What the composition root hands to the client. The client owns none of it."""

    settings: Settings
    runs: Path
    store: Store
    guilds: Guilds
    studio: Studio
    trainer: Trainer
    collector: Collector


class BagBot(commands.Bot):
    """The client. Everything it needs is handed to it; see `app`."""

    def __init__(self, services: Services) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(
            command_prefix=services.settings.prefix,
            intents=intents,
            help_command=None,
            case_insensitive=True,
            strip_after_prefix=True,
            allowed_mentions=discord.AllowedMentions.none(),
            activity=discord.CustomActivity(f"{services.settings.prefix}bag"),
        )
        self.services = services
        self.once_ready: Callable[[], None] = lambda: None
        """What the composition root wants done when the client has come up."""
        self.tree.on_error = self._on_tree_error  # type: ignore[method-assign]  # the documented way without a subclass

    async def setup_hook(self) -> None:
        """Open the store, add the cog and the persistent buttons, publish the slash commands."""
        from bot import panel, views
        from bot.cogs import Bag

        await self.services.store.open()
        await self.services.guilds.load()
        await self.add_cog(Bag(self))
        self.add_dynamic_items(*views.ITEMS, *panel.ITEMS)
        for command in self.tree.walk_commands():
            command.description = words.summary(command.description)
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Say so in the log."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))
        self.once_ready()

    def home(self, guild: discord.Guild) -> discord.TextChannel | None:
        """The channel of a guild in which the bot posts by itself."""
        return named_channel(guild, self.services.guilds.rules(guild.id).channel)

    def hall(self, guild: discord.Guild) -> discord.TextChannel | None:
        """The channel of a guild that shows its favorites, if it has one."""
        return named_channel(guild, self.services.guilds.rules(guild.id).hall)

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError) -> None:
        """Tell the person in private what went wrong with `!bag …` or `/bag …`."""
        text = explain(error, words.example(context.command.help if context.command else None))
        if text is None:
            return
        if context.interaction is not None:
            await whisper(context.interaction, text)
            return
        try:
            await context.author.send(text)
        except discord.Forbidden:
            # Who takes no private messages gets a reply that cleans up after itself.
            with contextlib.suppress(discord.HTTPException):
                await context.reply(text, mention_author=False, delete_after=20)

    async def _on_tree_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        text = explain(error)
        if text is not None:
            await whisper(interaction, text)


def named_channel(guild: discord.Guild, named: str) -> discord.TextChannel | None:
    """The text channel of a guild with that name or id."""
    for channel in guild.text_channels:
        if named in (channel.name, str(channel.id)):
            return channel
    return None


def explain(error: BaseException, example: str = "!bag help") -> str | None:
    """What to tell a person about an error; None for what is not worth a word. The unexpected is logged."""
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
        case commands.CommandOnCooldown() | app_commands.CommandOnCooldown():
            return words.cooldown(error.retry_after)
        case commands.MissingPermissions():
            return words.ADMINS_ONLY
        case commands.NoPrivateMessage():
            return words.SERVER_ONLY
        case commands.BotMissingPermissions():
            return words.missing_permissions(error.missing_permissions)
        case discord.Forbidden():
            return words.missing_permissions(["send_messages", "embed_links", "attach_files"])
        case commands.RangeError():
            return words.out_of_range("That number", error.minimum, error.maximum)
        case commands.UserInputError() | app_commands.TransformerError():
            return words.usage(example)
    log.error("unexpected", exc_info=error)
    if _disk_is_full(error):
        return words.DISK_FULL
    return words.UNEXPECTED


def _disk_is_full(error: BaseException) -> bool:
    if isinstance(error, OperationalError):
        return "disk is full" in str(error)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


async def whisper(interaction: discord.Interaction[Any], text: str) -> None:
    """Answer an interaction so that only its person sees it, whatever has been answered before."""
    if not interaction.response.is_done():
        await interaction.response.send_message(text, ephemeral=True)
        return
    if (
        interaction.response.type is discord.InteractionResponseType.deferred_channel_message
        and not interaction.extras.get("private")
    ):
        # The first message after a public "thinking…" takes its place and is as public.
        with contextlib.suppress(discord.HTTPException):
            await interaction.delete_original_response()
    try:
        await interaction.followup.send(text, ephemeral=True)
    except discord.NotFound:
        with contextlib.suppress(discord.Forbidden):
            await interaction.user.send(text)


async def think_in_private(interaction: discord.Interaction[Any]) -> None:
    """Gain time for an answer that only the interaction's person will see."""
    interaction.extras["private"] = True
    await interaction.response.defer(ephemeral=True, thinking=True)


async def told(interaction: Interaction, action: Callable[[], Awaitable[None]]) -> None:
    """Run what a button does; an error becomes private words, as with commands."""
    asking.set(Patience(interaction))
    try:
        await action()
    except Exception as error:
        text = explain(error)
        if text is not None:
            await whisper(interaction, text)
