"""The Discord client: intents, mentions, the cog, and the one place where errors become words."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.controls import Control, Handler
from bot.client.cooldowns import Limits
from bot.client.replies import _as_well_as_possible, _excuse, explain, tell, told
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.client.metrics import Watch
    from bot.drawing.studio import Studio
    from bot.guilds import Guilds
    from bot.processes import Collector, Trainer
    from bot.store.store import Store

Interaction = discord.Interaction["BagBot"]
log = logging.getLogger(__name__)

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

    def __init__(self, services: Services, add_features: Callable[[BagBot], Awaitable[None]]) -> None:
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
        self.add_features = add_features
        self.controls: dict[str, Handler] = {}
        """What each action of a button or list calls."""
        self.once_ready: Callable[[], None] = lambda: None
        """What the composition root wants done when the client has come up."""
        self.tree.on_error = self._on_tree_error  # type: ignore[method-assign]  # the documented way without a subclass

    async def setup_hook(self) -> None:
        """Open the store, add the cog and the persistent buttons, publish the slash commands."""
        await self.services.store.open()
        await self.services.guilds.load()
        await self.add_features(self)
        self.services.watch.follow(self)
        self.add_dynamic_items(Control)
        for command in self.tree.walk_commands():
            command.description = words.summary(command.description)
        await self.tree.sync()

    async def use(self, interaction: Interaction, action: str, arguments: Sequence[str]) -> None:
        """Do what a button or list stands for."""
        await told(interaction, lambda: self.controls[action](interaction, *arguments))

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
