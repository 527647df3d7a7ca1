"""Edits, more often wanted than Discord likes: a message once a second at most, its last state always."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable

import aiohttp
import discord

SECONDS = 1.0
"""At least so long between two edits of one message."""
TRIES = 5
TOO_OLD = 30046
"""Discord's code for: messages older than an hour have been edited too often, try again later."""
TOO_OLD_SECONDS = 60.0
CLOSING_SECONDS = 5.0

Edit = Callable[[], Awaitable[object]]
log = logging.getLogger(__name__)


class Edits:
    """Makes messages show what is so.

    An edit is a function that reads the state when it is called and then sends it. Of those that are wanted
    while one waits or is under way only the newest is called: it shows what the others would have shown.
    """

    def __init__(self) -> None:
        self._wanted: dict[Hashable, Edit] = {}
        self._workers: dict[Hashable, asyncio.Task[None]] = {}
        self._free_at: dict[Hashable, float] = {}

    def want(self, key: Hashable, edit: Edit) -> None:
        """Call `edit` as soon as the message that `key` stands for may be edited."""
        self._wanted[key] = edit
        if key not in self._workers:
            self._workers[key] = asyncio.create_task(self._work(key))

    async def close(self) -> None:
        """Make the edits that still wait, once and now."""
        for worker in list(self._workers.values()):
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                edits = [edit() for edit in self._wanted.values()]
                for outcome in await asyncio.gather(*edits, return_exceptions=True):
                    if isinstance(outcome, BaseException):
                        log.warning("a message keeps an old state: %s", outcome)
        except TimeoutError:
            log.warning("some messages keep an old state: Discord did not answer")
        self._wanted.clear()

    async def _work(self, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        tries = 0
        free_at = self._free_at.get(key, 0.0)
        try:
            while key in self._wanted:
                # Without this, a click a day after the last one would wait as those in a burst do.
                if (wait := free_at - loop.time()) > 0:
                    await asyncio.sleep(wait)
                edit = self._wanted.pop(key)
                try:
                    await edit()
                except asyncio.CancelledError:
                    self._wanted.setdefault(key, edit)
                    raise
                except Exception as error:
                    tries += 1
                    pause = _pause(error, tries)
                    if pause is not None:
                        self._wanted.setdefault(key, edit)
                        free_at = loop.time() + pause
                        continue
                    _tell(key, error)
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


def _pause(error: Exception, tries: int) -> float | None:
    """Seconds until another try, or None if it is no use."""
    if tries >= TRIES:
        return None
    if isinstance(error, aiohttp.ClientError | OSError):
        return SECONDS * 2.0**tries
    if isinstance(error, discord.HTTPException) and (error.status == 429 or error.status >= 500):
        return (TOO_OLD_SECONDS if error.code == TOO_OLD else SECONDS) * 2.0 ** (tries - 1)
    return None


def _tell(key: Hashable, error: Exception) -> None:
    if isinstance(error, discord.NotFound):
        log.info("message %s is gone", key)
    elif isinstance(error, discord.HTTPException | aiohttp.ClientError | OSError):
        log.warning("message %s keeps an old state: %s", key, error)
    else:
        log.error("message %s keeps an old state", key, exc_info=error)
