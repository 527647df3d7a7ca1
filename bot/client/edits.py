"""Coalesced edits: each message at most once a second, and its last state always."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable

import discord

from bot.client import retries
from bot.client.connection import REFUSED

SECONDS = 1.0
"""The shortest time between two edits of one message."""
TRIES = 5
CLOSING_SECONDS = 5.0

Edit = Callable[[], Awaitable[object]]
log = logging.getLogger(__name__)


class Edits:
    """Brings messages up to date.

    An edit is a function that reads the state when it is called and then sends it. Of all that are requested
    while one waits or is running, only the newest is called: it shows what the others would have shown.
    """

    def __init__(self) -> None:
        self._wanted: dict[Hashable, Edit] = {}
        self._workers: dict[Hashable, asyncio.Task[None]] = {}
        self._free_at: dict[Hashable, float] = {}
        self._running: set[Hashable] = set()
        self._closing = False

    def want(self, key: Hashable, edit: Edit) -> None:
        """Call `edit` as soon as the message that `key` stands for may be edited again."""
        self._wanted[key] = edit
        if key not in self._workers:
            self._workers[key] = asyncio.create_task(self._work(key))

    async def close(self) -> None:
        """Make the edits that still wait, once and now; five seconds at most."""
        self._closing = True
        # What is on its way is waited for: broken off, it might get through after it was made again.
        for key, worker in list(self._workers.items()):
            if key not in self._running:
                worker.cancel()
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await asyncio.gather(*self._workers.values(), return_exceptions=True)
                edits = [edit() for edit in self._wanted.values()]
                for outcome in await asyncio.gather(*edits, return_exceptions=True):
                    if isinstance(outcome, BaseException):
                        log.warning("a message stays out of date: %s", outcome)
        except TimeoutError:
            log.warning("some messages stay out of date: Discord did not answer")
        self._wanted.clear()

    async def _work(self, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        tries = 0
        free_at = self._free_at.get(key, 0.0)
        try:
            while key in self._wanted and not self._closing:
                # Without this, a click a day after the last one would wait as those in a burst do.
                if (wait := free_at - loop.time()) > 0:
                    await asyncio.sleep(wait)
                edit = self._wanted.pop(key)
                self._running.add(key)
                try:
                    await edit()
                except asyncio.CancelledError:
                    self._wanted.setdefault(key, edit)
                    raise
                except Exception as error:
                    tries += 1
                    if tries < TRIES and retries.is_passing(error):
                        self._wanted.setdefault(key, edit)
                        free_at = loop.time() + retries.pause(error, tries)
                        continue
                    _log_lost(key, error)
                finally:
                    self._running.discard(key)
                tries = 0
                free_at = loop.time() + SECONDS
        finally:
            del self._workers[key]
            self._remember(key, free_at, loop.time())

    def _remember(self, key: Hashable, free_at: float, now: float) -> None:
        self._free_at.pop(key, None)
        self._free_at[key] = free_at
        # In the order in which they were put there: what is over stands in front.
        while self._free_at and (oldest := next(iter(self._free_at.items())))[1] <= now:
            del self._free_at[oldest[0]]


def _log_lost(key: Hashable, error: Exception) -> None:
    if isinstance(error, discord.NotFound):
        log.info("message %s is gone", key)
    elif isinstance(error, REFUSED):
        log.warning("message %s stays out of date: %s", key, error)
    else:
        log.error("message %s stays out of date", key, exc_info=error)
