"""When to try again what Discord has refused: one policy for edits, posts, polls and runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import discord

from bot.client.connection import NETWORK, REFUSED

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0
REFUSALS = 12
"""So many tries, which take half an hour, are made of what Discord refuses."""
TOO_OLD = 30046
"""Discord's code for: a message older than an hour has been edited too often, try again later."""
TOO_OLD_SECONDS = 60.0
T = TypeVar("T")


def is_passing(error: BaseException) -> bool:
    """Whether another try may succeed: a rate limit, a fault of Discord's, a broken connection."""
    if isinstance(error, discord.HTTPException):
        return error.status == 429 or error.status >= 500
    return isinstance(error, NETWORK)


def pause(error: BaseException, tries: int) -> float:
    """Seconds to wait after so many failed tries (1 or more): doubled each time, five minutes at most."""
    too_old = isinstance(error, discord.HTTPException) and error.code == TOO_OLD
    return min((TOO_OLD_SECONDS if too_old else FIRST_SECONDS) * 2.0 ** min(tries - 1, 16), LONGEST_SECONDS)


async def once_more(send: Callable[[], Awaitable[T]], files: Iterable[discord.File]) -> T:
    """Send, and send again if that failed in passing: for what does no harm if it gets through twice.

    Raises discord.HTTPException and what NETWORK names.
    """
    try:
        return await send()
    except REFUSED as error:
        if not is_passing(error):
            raise
        for file in files:
            file.reset()
        return await send()


class Retries:
    """Remembers, by key, what failed and when it is due again. `now` gives the time, aware."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._failed: dict[Hashable, tuple[int, datetime, str]] = {}

    def due(self, key: Hashable) -> bool:
        """Whether it is time to try; always for what has not failed."""
        if key not in self._failed:
            return True
        left = self._failed[key][1] - self._now()
        # More than the longest pause is left only if somebody has set the clock back.
        return not timedelta() < left <= timedelta(seconds=LONGEST_SECONDS)

    def failed(self, key: Hashable, error: BaseException) -> bool:
        """Note a failed try. True if it is news: the same trouble need not be logged each time."""
        tries, _, before = self._failed.get(key, (0, None, ""))
        trouble = str(error) or type(error).__name__
        due_at = self._now() + timedelta(seconds=pause(error, tries + 1))
        self._failed[key] = tries + 1, due_at, trouble
        return trouble != before

    def is_hopeless(self, key: Hashable, error: BaseException) -> bool:
        """Whether Discord has refused it so often, and not in passing, that it will go on refusing."""
        refused = isinstance(error, discord.HTTPException) and not is_passing(error)
        return refused and self._failed.get(key, (0,))[0] >= REFUSALS

    def succeeded(self, key: Hashable) -> None:
        """Forget what failed before."""
        self._failed.pop(key, None)
