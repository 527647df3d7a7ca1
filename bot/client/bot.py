"""The Discord client: intents, mentions, its services, and what every command and button goes through."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands
from discord.ext.commands.view import StringView

from bot import codes, words
from bot.client.connection import Pauses, spare_identifies
from bot.client.controls import Control, Handler
from bot.client.cooldowns import Cooldowns
from bot.client.metrics import Metrics
from bot.client.queue_notice import is_thinking
from bot.client.replies import (
    answer,
    dressed,
    explain_command,
    explain_interaction,
    run_reporting_errors,
)
from bot.client.retries import is_passing, once_more
from bot.drawing.studio import Studio
from bot.errors import Refusal
from bot.guilds import Guilds
from bot.processes import ScraperProcess, TrainerProcess
from bot.settings import Settings
from bot.store.store import Store

Interaction = discord.Interaction["BagBot"]
ANSWER_SECONDS, TELL_SECONDS = 2.0, 5.0
"""At the bot's end: for those who can be answered now, and at most for telling the others."""
log = logging.getLogger(__name__)

# The bot has no voice, so discord.py need not warn that it lacks what voice takes.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class Context(commands.Context["BagBot"]):
    """Where a command was given. A typed command is answered by a reply: as by slash, one sees who asked."""

    async def send(self, content: str | None = None, **options: Any) -> discord.Message:
        """Answer; see commands.Context.send."""
        interaction = self.interaction
        if interaction is not None and is_thinking(interaction) and not interaction.is_expired():
            return await answer(interaction, content, **options)
        options = dressed(self, content, **options)
        if interaction is not None:
            return await super().send(**options)
        if self.bot_permissions.read_message_history:
            options.setdefault("reference", self.message.to_reference(fail_if_not_exists=False))
        # Of two messages with one nonce Discord takes one, so what seems to have failed can be sent again.
        options["nonce"] = secrets.token_hex(8)
        files = [*options.get("files", ()), *filter(None, [options.get("file")])]
        return await once_more(partial(super().send, **options), files)

    async def replied_to(self) -> discord.Message | None:
        """The message that a typed command replies to; None if there is none, or it is gone.

        Raises discord.Forbidden where the bot may not read the history.
        """
        reference = self.message.reference if self.interaction is None else None
        if reference is not None and reference.message_id is not None:
            with suppress(discord.NotFound):
                return await self.channel.fetch_message(reference.message_id)
        return None


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


class BagTree(app_commands.CommandTree["BagBot"]):
    """The slash commands."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Whether a command may begin; else its person is told why."""
        begins = self.client.begin()
        if not begins:
            await explain_interaction(interaction, Refusal(words.RESTARTING))
        return begins

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person privately what went wrong."""
        await explain_interaction(interaction, error)


class BagBot(commands.AutoShardedBot):
    """The client. It knows no feature: `add_features` adds them.

    Without `message_content`, which Discord must have granted, typed commands work in private messages and
    where the bot is mentioned.
    """

    def __init__(
        self,
        services: Services,
        add_features: Callable[[BagBot], Awaitable[None]],
        message_content: bool = True,
    ) -> None:
        intents = discord.Intents.default()
        intents.message_content = message_content
        super().__init__(
            command_prefix=services.settings.prefix,
            intents=intents,
            max_messages=None,  # no feature looks at what discord.py would remember
            help_command=None,
            case_insensitive=True,
            strip_after_prefix=True,
            allowed_mentions=discord.AllowedMentions.none(),
            activity=discord.CustomActivity(f"{services.settings.prefix if message_content else '/'}bag"),
            tree_cls=BagTree,
            shard_count=services.settings.shards or None,
            shard_ids=services.settings.shard_ids or None,  # type: ignore[arg-type]  # the default
        )
        self.services = services
        self.cooldowns = Cooldowns(services.settings)
        self.controls: dict[str, Handler] = {}
        """What the buttons and lists of each action call; the features fill it."""
        self.once_ready: Callable[[], None] = lambda: None
        """What the composition root wants done when the client is ready."""
        self._add_features = add_features
        self._at_work: set[asyncio.Task[Any]] = set()
        self.ending = False
        """Whether it only answers those who wait already."""
        self._publishing: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        """Open the store, add the features and their persistent buttons, publish the slash commands."""
        await self.services.store.open()
        await self.services.guilds.load()
        await self._add_features(self)
        self.services.metrics.follow(self)
        self.add_dynamic_items(Control)
        for command in self.tree.walk_commands():
            command.description = words.summary(command.description)
        self._publishing = asyncio.create_task(self._publish(), name="publish commands")

    async def _publish(self) -> None:
        """Tell Discord the slash commands if they have changed, while everything else works already."""
        commands = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        digest = hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()
        application = self.application_id or 0
        if await self.services.store.published(application) == digest:
            return
        pauses = Pauses()
        while True:
            try:
                await self.tree.sync()
                await self.services.store.publish(application, digest)
                return
            except Exception as error:
                if not is_passing(error):
                    log.exception("Discord does not accept my slash commands; typed ones work")
                    return
                pause = pauses.delay()
                log.warning("my slash commands are not published; trying again in %.0f s: %s", pause, error)
                await asyncio.sleep(pause)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before a new session begins."""
        await spare_identifies(self)
        await super().before_identify_hook(shard_id, initial=initial)

    def begin(self) -> bool:
        """Note that the running task answers somebody; False if the bot is ending, which is to be said."""
        task = asyncio.current_task()
        if task is not None:
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        return not self.ending

    async def invoke(self, context: commands.Context[Any], /) -> None:
        """Run a typed command."""
        if self.begin() or context.command is None:
            await super().invoke(context)
        else:
            await explain_command(context, Refusal(words.RESTARTING))

    async def close(self) -> None:
        """Answer everybody who waits, then leave Discord."""
        if not self.is_closed():
            self.ending = True
            if self._publishing is not None:
                self._publishing.cancel()
            await self._drain()
        await super().close()

    async def _drain(self) -> None:
        """What takes a moment is finished; what waits for a picture is told to come back."""
        await self._all_answered(ANSWER_SECONDS)
        self.services.studio.refuse_all()
        await self._all_answered(TELL_SECONDS)
        for task in self._at_work:
            log.warning("somebody is left without an answer: %s", task.get_name())

    async def _all_answered(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._at_work:
                    await asyncio.wait(self._at_work)
                    await asyncio.sleep(0)  # errors are told in tasks of their own, which begin just then

    async def on_ready(self) -> None:
        """Log it."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))
        self.once_ready()

    async def serve(self, interaction: Interaction, action: Callable[[], Awaitable[None]]) -> None:
        """Do what a button, list or form asks for; errors become private words."""
        if self.begin():
            await run_reporting_errors(interaction, action)
        else:
            await explain_interaction(interaction, Refusal(words.RESTARTING))

    async def use(self, interaction: Interaction, action: str, arguments: Sequence[str]) -> None:
        """Run the handler of a button or list."""
        await self.serve(interaction, lambda: self.controls[action](interaction, *arguments))

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
        self.begin()
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
