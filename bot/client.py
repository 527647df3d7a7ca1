"""The Discord client: intents, mentions, the cog, and the one place where errors become words."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.exc import OperationalError

from bot import permissions, words
from bot.errors import Refusal
from bot.limits import Limits
from bot.line import asking
from bot.patience import Patience
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.child import Collector, Trainer
    from bot.guilds import Guilds
    from bot.store.store import Store
    from bot.studio import Studio
    from bot.watch import Watch

Interaction = discord.Interaction["BagBot"]
log = logging.getLogger(__name__)

LINGER_SECONDS = 20
"""How long a private word stays that could only be said in public."""

# The bot has no voice, so it needs no words about what voice would need.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class Context(commands.Context["BagBot"]):
    """What a command was given in. The answer to a typed one is a reply: one sees who asked, as by slash."""

    async def send(self, content: str | None = None, **options: Any) -> discord.Message:
        """Answer; see commands.Context.send."""
        if self.interaction is None and self.bot_permissions.read_message_history:
            options.setdefault("reference", self.message.to_reference(fail_if_not_exists=False))
        return await super().send(content, **options)


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
    watch: Watch


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
        self.limits = Limits(services.settings)
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
        self.services.watch.follow(self)
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
        return named_channel(guild.text_channels, self.services.guilds.rules(guild.id).channel)

    def hall(self, guild: discord.Guild) -> discord.TextChannel | None:
        """The channel of a guild that shows its favorites, if it has one."""
        return named_channel(guild.text_channels, self.services.guilds.rules(guild.id).hall)

    async def get_context(self, origin: Any, /, *, cls: Any = Context) -> Any:
        """The context of a message or an interaction, one of ours."""
        return await super().get_context(origin, cls=cls)

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError) -> None:
        """Tell the person in private what went wrong with `!bag …` or `/bag …`."""
        text = explain(
            error,
            context.bot_permissions,
            context.channel,
            words.example(context.command.help if context.command else None),
        )
        if text is not None:
            with _as_well_as_possible():
                await tell(context, text)

    async def _on_tree_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        await _excuse(interaction, error)


def named_channel(channels: Iterable[discord.TextChannel], named: str) -> discord.TextChannel | None:
    """The first of a guild's text channels with that name or id."""
    return next((channel for channel in channels if named in (channel.name, str(channel.id))), None)


def explain(
    error: BaseException, granted: discord.Permissions, place: object, example: str = "!bag help"
) -> str | None:
    """What to tell a person about an error; None for what is not worth a word. The unexpected is logged.

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
        case discord.HTTPException() if error.status == 429 or error.status >= 500 or error.code == 10062:
            # The last: it came later than the three seconds for which Discord holds a question open.
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


@contextlib.contextmanager
def _as_well_as_possible() -> Iterator[None]:
    try:
        yield
    except discord.HTTPException as error:
        log.warning("could not tell somebody why: %s", error)


async def _excuse(interaction: discord.Interaction[Any], error: Exception) -> None:
    text = explain(error, interaction.app_permissions, interaction.channel)
    if text is not None:
        with _as_well_as_possible():
            await whisper(interaction, text)


async def tell(context: commands.Context[Any], text: str, **options: Any) -> None:
    """Answer a command so that only its person sees it, if possible. Raises discord.HTTPException."""
    if context.interaction is not None:
        await whisper(context.interaction, text, **options)
        return
    try:
        await context.author.send(text, **options)
    except discord.Forbidden:
        # Who takes no private messages gets a reply that cleans up after itself.
        await context.reply(words.NO_PRIVATE if options else text, delete_after=LINGER_SECONDS)


async def whisper(interaction: discord.Interaction[Any], text: str, **options: Any) -> None:
    """Answer an interaction so that only its person sees it, whatever has been answered before.

    Raises discord.HTTPException.
    """
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True, **options)
            return
        if (
            interaction.response.type is discord.InteractionResponseType.deferred_channel_message
            and not interaction.extras.get("private")
        ):
            # The first message after a public "thinking…" takes its place and is as public.
            with contextlib.suppress(discord.HTTPException):
                await interaction.delete_original_response()
        await interaction.followup.send(text, ephemeral=True, **options)
    except discord.NotFound:  # it came too late
        with contextlib.suppress(discord.Forbidden):
            await interaction.user.send(text, **options)


async def think_in_private(interaction: discord.Interaction[Any]) -> None:
    """Gain time for an answer that only the interaction's person will see."""
    interaction.extras["private"] = True
    await interaction.response.defer(ephemeral=True, thinking=True)


async def told(interaction: Interaction, action: Callable[[], Awaitable[None]]) -> None:
    """Run what a button does; an error becomes private words, as with commands."""
    asking.set(Patience(interaction))
    try:
        with interaction.client.services.watch.button(interaction):
            await action()
    except Exception as error:
        await _excuse(interaction, error)
