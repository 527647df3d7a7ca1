"""The Discord client: intents, mentions, its services, and what every command and button goes through."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import discord
from discord.ext import commands
from discord.ext.commands.view import StringView

from bot import codes, words
from bot.client.controls import Control, Handler
from bot.client.cooldowns import Cooldowns
from bot.client.metrics import Metrics
from bot.client.replies import dressed, explain_command, explain_interaction, run_reporting_errors
from bot.drawing.studio import Studio
from bot.guilds import Guilds
from bot.processes import ScraperProcess, TrainerProcess
from bot.settings import Settings
from bot.store.store import Store

Interaction = discord.Interaction["BagBot"]
log = logging.getLogger(__name__)

# The bot has no voice, so discord.py need not warn that it lacks what voice takes.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class Context(commands.Context["BagBot"]):
    """Where a command was given. A typed command is answered by a reply: as by slash, one sees who asked."""

    async def send(self, content: str | None = None, **options: Any) -> discord.Message:
        """Answer; see commands.Context.send."""
        if self.interaction is None and self.bot_permissions.read_message_history:
            options.setdefault("reference", self.message.to_reference(fail_if_not_exists=False))
        return await super().send(**dressed(self, content, **options))


@dataclass(frozen=True)
class Services:
    """What the composition root hands to the client. The client owns none of it."""

    settings: Settings
    runs: Path
    store: Store
    guilds: Guilds
    studio: Studio
    trainer: TrainerProcess
    scraper: ScraperProcess
    metrics: Metrics
    now: Callable[[], datetime]
    """The time, aware."""


class BagBot(commands.Bot):
    """The client. It knows no feature: `add_features` adds them."""

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
        self.cooldowns = Cooldowns(services.settings)
        self.controls: dict[str, Handler] = {}
        """What the buttons and lists of each action call; the features fill it."""
        self.once_ready: Callable[[], None] = lambda: None
        """What the composition root wants done when the client is ready."""
        self._add_features = add_features
        self.tree.on_error = explain_interaction  # type: ignore[method-assign]  # the documented way without a subclass

    async def setup_hook(self) -> None:
        """Open the store, add the features and their persistent buttons, publish the slash commands."""
        await self.services.store.open()
        await self.services.guilds.load()
        await self._add_features(self)
        self.services.metrics.follow(self)
        self.add_dynamic_items(Control)
        for command in self.tree.walk_commands():
            command.description = words.summary(command.description)
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Log it."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))
        self.once_ready()

    async def use(self, interaction: Interaction, action: str, arguments: Sequence[str]) -> None:
        """Run the handler of a button or list; its errors become private words."""
        await run_reporting_errors(interaction, lambda: self.controls[action](interaction, *arguments))

    def home(self, guild: discord.Guild) -> discord.TextChannel | None:
        """The channel of a guild in which the bot posts on its own."""
        return self._channel(guild, self.services.guilds.rules(guild.id).channel)

    def hall(self, guild: discord.Guild) -> discord.TextChannel | None:
        """The channel of a guild that shows its favorites, if it has one."""
        return self._channel(guild, self.services.guilds.rules(guild.id).hall)

    def _channel(self, guild: discord.Guild, named: str) -> discord.TextChannel | None:
        kept = self.services.guilds.kept(guild.id, named)
        return named_channel(guild.text_channels, named, guild.me, kept)

    async def get_prefix(self, message: discord.Message, /) -> list[str]:
        """The prefix, in capitals or not, and a mention."""
        prefix = self.services.settings.prefix
        typed = message.content[: len(prefix)]
        me = self.user.id if self.user else 0
        return [typed if typed.casefold() == prefix.casefold() else prefix, f"<@{me}>", f"<@!{me}>"]

    async def get_context(self, origin: Any, /, *, cls: Any = Context) -> Any:
        """The context of a message or an interaction, one of ours."""
        context = await super().get_context(origin, cls=cls)
        if isinstance(origin, discord.Message) and context.prefix is not None:
            self._understand(context)
        return context

    def _understand(self, context: commands.Context[Any]) -> None:
        """Read `@bot` as a call for help, `@bot 42` as `!bag 42`, and `42, 7` as `42 7`."""
        group = self.get_command("bag")
        if not isinstance(group, commands.Group):
            return
        said = context.view.buffer[context.view.index :].strip()
        if context.command is None and (context.prefix or "").startswith("<@"):
            said = f"{context.invoked_with or 'help'} {said}"
            first, *rest = said.split()
            if first not in group.all_commands and not all(map(codes.is_code, [first, *rest])):
                return  # somebody speaks of it, and not to it
            context.command, context.invoked_with = group, group.name
        if any(word in group.all_commands for word in said.split(maxsplit=1)[:1]):
            said = codes.apart(said)
        context.view = StringView(said)

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError) -> None:
        """Tell the person privately what went wrong with `!bag …` or `/bag …`."""
        await explain_command(context, error)


def named_channel(
    channels: Iterable[discord.TextChannel], named: str, me: discord.Member, kept: int | None
) -> discord.TextChannel | None:
    """The one of a guild's text channels with that name or id, or the one that had the name before (`kept`).

    Of several, one that the bot can see, and rather the kept one.
    """
    name = channel_name(named)
    found = [
        each for each in channels if each.name.lower() == name or each.id == kept or str(each.id) == name
    ]
    if len(found) > 1:
        found.sort(key=lambda each: (not each.permissions_for(me).view_channel, each.id != kept))
    return found[0] if found else None


def channel_name(text: str) -> str:
    """A text channel's name as Discord writes it: `bag-dreams` for “#Bag Dreams”; the id of a mention."""
    return "-".join(text.strip("<#> \t\n").lower().split())


def guild_id(place: commands.Context[Any] | Interaction) -> int:
    """The key under which the store keeps what belongs to a context or interaction: its server's id.

    For direct messages it is the person's id, negative: no server has it, and nobody else.
    """
    if place.guild is not None:
        return place.guild.id
    return -(place.author if isinstance(place, commands.Context) else place.user).id
