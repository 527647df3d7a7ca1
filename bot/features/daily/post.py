"""Regular posts: each server gets one on each due day, rather late than never, and never twice."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

import discord

from bot import words
from bot.client import permissions
from bot.client.announcer import Announcer
from bot.client.connection import REFUSED
from bot.client.history import find_own
from bot.client.replies import dress
from bot.client.retries import Retries
from bot.cron import due_days
from bot.errors import Refusal
from bot.features.card import Cards, Message
from bot.guilds import Guilds, Rules
from bot.store.store import Store

AT_ONCE = 4
"""Servers that are posted to at the same time."""
POST_SECONDS = 300
"""The longest that one server may take."""
NOTHING = 0
"""The message id of a day on which there was nothing to post."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a day's post is about: a code of at most 80 characters, which the store keeps, and a sentence."""

    code: str
    note: str = ""


class RegularPost(ABC):
    """A post of one kind, at each server's own hour.

    The row (server, kind, local date) is written before the message and completed after it. If it is found
    incomplete, the channel is searched for the message before another is sent.
    """

    kind: ClassVar[str]
    """At most 16 characters."""

    def __init__(
        self,
        announcer: Announcer,
        store: Store,
        guilds: Guilds,
        cards: Cards,
        late: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._announcer = announcer
        self._store = store
        self._guilds = guilds
        self._cards = cards
        self._late = late
        self._now = now
        self._one_at_a_time = asyncio.Lock()
        self._retries = Retries(now)
        self.sent = 0
        """How many were sent since the start."""

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
    async def message(self, guild_id: int, choice: Choice) -> Message:
        """The rest of the message. Raises Refusal."""

    async def catch_up(self) -> None:
        """Send what is due and has not been sent.

        A server in which that fails delays no other, and is tried again by a later call.
        """
        now = self._now()
        crowd = asyncio.Semaphore(AT_ONCE)

        async def serve(channel: discord.TextChannel) -> None:
            async with crowd:
                await self._serve(channel, now)

        async with self._one_at_a_time:
            homes = [home for home in self._announcer.homes() if self._retries.due(home.guild.id)]
            await asyncio.gather(*(serve(home) for home in homes))

    async def _serve(self, channel: discord.TextChannel, now: datetime) -> None:
        guild = channel.guild
        try:
            rules = self._guilds.rules(guild.id)
            async with asyncio.timeout(POST_SECONDS):
                for day in due_days(self.cron(rules), rules.zone, now, self._late):
                    await self._post(channel, day)
            self._retries.succeeded(guild.id)
        except Exception as error:
            if self._retries.failed(guild.id, error):
                expected = isinstance(error, (Refusal, *REFUSED))
                log.warning(
                    "the %s post of %s has to wait: %s",
                    self.kind,
                    guild,
                    str(error) or type(error).__name__,
                    exc_info=None if expected else error,
                )

    async def _post(self, channel: discord.TextChannel, day: date) -> None:
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
            # Claimed, and then something went wrong: the channel tells whether it was posted.
            found = await find_own(
                channel, channel.guild.me.id, lambda message: message.content.startswith(heading)
            )
            if found is not None:
                await self._store.complete_post(guild_id, self.kind, day, found.id)
                return
        if choice is None:
            await self._store.complete_post(guild_id, self.kind, day, NOTHING)
            return
        message = await self.message(guild_id, choice)
        text = "\n".join(filter(None, (heading, choice.note)))
        sent = await channel.send(**dress({"content": text, **message}, self._guilds.prefix))
        await self._store.complete_post(guild_id, self.kind, day, sent.id)
        self.sent += 1


def _check_permissions(channel: discord.TextChannel) -> None:
    """Raises Refusal. Checked before the claim, so that a server that forbids it costs no look back."""
    lacks = permissions.lacking_in(channel, channel.guild.me, permissions.SHOW)
    if lacks:
        raise Refusal(words.missing_permissions(lacks))
