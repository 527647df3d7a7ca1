"""What each server gets once a due day: late rather than never, up to a limit, and never twice."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import discord

from bot import words
from bot.client import permissions
from bot.client.announcer import Herald
from bot.client.bot import BagBot
from bot.cron import due_days
from bot.errors import Refusal
from bot.features.feature import Message
from bot.guilds import Guilds, Rules
from bot.store.posts import Posts

AT_ONCE = 4
PATIENCE_SECONDS = 300
LOOK_BACK = 1000
NOTHING = 0
"""The message id of a day on which there was nothing to post."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a day's post is about: a code (at most 32 characters) that the store keeps, and some words."""

    code: str
    note: str = ""


class RegularPost(ABC):
    """A post of one kind, at each server's own hour.

    The row (server, kind, local date) is written before the message and completed after it. Whoever finds
    a row that is not complete looks in the channel whether the message got out.
    """

    kind: ClassVar[str]
    """At most 16 characters."""

    def __init__(self, herald: Herald, store: Posts, guilds: Guilds, late: timedelta) -> None:
        self._herald = herald
        self._store = store
        self._guilds = guilds
        self._late = late
        self._one_at_a_time = asyncio.Lock()
        self._troubles: dict[int, str] = {}
        self.sent = 0
        """How many got out since the start."""

    @abstractmethod
    def cron(self, rules: Rules) -> str:
        """When it is due; "" is never."""

    @abstractmethod
    def heading(self, day: date) -> str:
        """The first line of the message, by which it is known again: no other day has the same."""

    @abstractmethod
    async def choose(self, guild_id: int, day: date) -> Choice | None:
        """What to post; None if there is nothing that day. Raises Refusal if it can't be said yet."""

    @abstractmethod
    async def message(self, bot: BagBot, guild_id: int, choice: Choice) -> Message:
        """The rest of the message. Raises Refusal."""

    async def catch_up(self, now: datetime | None = None) -> None:
        """Send what is due at `now` (aware; this moment) and has not been sent.

        A server in which that fails keeps no other waiting, and is tried again at the next call.
        """
        at = now or datetime.now(UTC)
        bot = self._herald.bot
        if bot is None:
            return
        crowd = asyncio.Semaphore(AT_ONCE)

        async def look_after(channel: discord.TextChannel) -> None:
            async with crowd:
                await self._look_after(bot, channel, at)

        async with self._one_at_a_time:
            await asyncio.gather(*(look_after(channel) for channel in self._herald.homes()))

    async def _look_after(self, bot: BagBot, channel: discord.TextChannel, now: datetime) -> None:
        guild = channel.guild
        try:
            rules = self._guilds.rules(guild.id)
            async with asyncio.timeout(PATIENCE_SECONDS):
                for day in due_days(self.cron(rules), rules.zone, now, self._late):
                    await self._post(bot, channel, day)
            self._troubles.pop(guild.id, None)
        except (Refusal, discord.HTTPException, TimeoutError) as error:
            trouble = str(error) or type(error).__name__
            if self._troubles.get(guild.id) != trouble:  # it is met again every minute
                self._troubles[guild.id] = trouble
                log.warning("the %s post of %s has to wait: %s", self.kind, guild, trouble)
        except Exception:
            log.exception("the %s post of %s failed", self.kind, guild)

    async def _post(self, bot: BagBot, channel: discord.TextChannel, day: date) -> None:
        guild_id = channel.guild.id
        row = await self._store.post(guild_id, self.kind, day)
        if row is not None and row.message_id is not None:
            return
        _check_permissions(channel)
        heading = f"**{self.heading(day)}**"
        if row is None:
            choice = await self.choose(guild_id, day)
            await self._store.claim_post(guild_id, self.kind, day, choice.code if choice else "")
        else:
            choice = Choice(row.code) if row.code else None
            # Claimed, and then something went wrong: it may have been posted or not. The channel knows.
            found = await _find(channel, heading)
            if found is not None:
                await self._store.complete_post(guild_id, self.kind, day, found.id)
                return
        if choice is None:
            await self._store.complete_post(guild_id, self.kind, day, NOTHING)
            return
        message = await self.message(bot, guild_id, choice)
        sent = await channel.send("\n".join(filter(None, (heading, choice.note))), **message)
        await self._store.complete_post(guild_id, self.kind, day, sent.id)
        self.sent += 1


def _check_permissions(channel: discord.TextChannel) -> None:
    """Raises Refusal. Asked before the claim, so that a server that forbids it costs no look back."""
    lacks = permissions.lacking_in(channel, channel.guild.me, permissions.SHOW)
    if lacks:
        raise Refusal(words.missing_permissions(lacks))


async def _find(channel: discord.TextChannel, heading: str) -> discord.Message | None:
    async for message in channel.history(limit=LOOK_BACK):
        if message.author == channel.guild.me and message.content.startswith(heading):
            return message
    return None
