"""The draw queue: requests that wait together are drawn together, and people learn their place in line."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bot import words
from bot.drawing.jobs import Job, together
from bot.drawing.workers import DrawingPool, Lane
from bot.errors import Refusal

T = TypeVar("T")

NOTICE_SECONDS = 2.0
"""Whoever has waited longer may be told their place in line."""
SOON_SECONDS = 5.0
"""Who will have their answer in less is told nothing."""
TOGETHER = 8
"""Designs per call: about 0.1 s on one core, so the next in line waits no longer than that."""
EACH = 3
"""Requests of one person that may wait at the same time."""
ALL: dict[Lane, int] = {"quick": 300, "slow": 20}
"""Requests that may wait at the same time: some seconds' worth, or half a minute's."""


class Asker(Protocol):
    """A person who waits for a picture."""

    @property
    def id(self) -> int:
        """Their Discord id."""

    async def tell(self, place: int) -> None:
        """Tell them their place in the line; 1 is next."""

    async def hush(self) -> None:
        """Remove that notice: they have their answer."""


asking: ContextVar[Asker | None] = ContextVar("asking", default=None)
"""For whom the running task asks; None for what the bot does on its own, which waits without limits."""


@dataclass(eq=False)
class _Ticket:
    job: Job[Any]
    asker: Asker | None
    done: asyncio.Future[Any]
    since: float
    telling: asyncio.Task[None] | None = None
    """The notice to the asker, once there is one."""


class DrawQueue:
    """The requests of one lane of the pool."""

    def __init__(self, pool: DrawingPool, lane: Lane) -> None:
        self._pool = pool
        self._lane = lane
        self._waiting: deque[_Ticket] = deque()
        self._drawing: list[_Ticket] = []
        self._began = 0.0
        self._pace = 0.0
        """Seconds per ticket, lately."""
        self._work: asyncio.Task[None] | None = None
        self._hushing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many requests wait or are being drawn."""
        return len(self._waiting) + len(self._drawing)

    async def draw(self, job: Job[T]) -> T:
        """Wait in line, then do a job. Raises Refusal if too many wait, or if it can't be done."""
        asker = asking.get()
        if asker is not None:
            self._check(asker)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        ticket = _Ticket(job, asker, done, time.monotonic())
        self._waiting.append(ticket)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._draw_all(), name=f"{self._lane} line")
        try:
            return await done
        finally:
            done.cancel()
            if asker is not None and ticket.telling is not None:
                # Beside the answer, which waits for no notice.
                hushing = asyncio.create_task(_hush(asker, ticket.telling))
                self._hushing.add(hushing)
                hushing.add_done_callback(self._hushing.discard)

    def refuse_all(self) -> None:
        """Tell everybody who waits that the bot is about to end."""
        for ticket in self._all():
            _answer(ticket.done, Refusal(words.RESTARTING))
        self._waiting.clear()

    def _check(self, asker: Asker) -> None:
        there = self._all()
        if sum(ticket.asker is not None and ticket.asker.id == asker.id for ticket in there) >= EACH:
            raise Refusal(words.ONE_AT_A_TIME)
        if len(there) >= ALL[self._lane]:
            raise Refusal(words.LONG_LINE)

    async def _draw_all(self) -> None:
        while self._waiting:
            self._drawing = self._next()
            self._began = time.monotonic()
            jobs = [ticket.job for ticket in self._drawing]
            work = asyncio.create_task(self._pool.draw(together, jobs, lane=self._lane))
            while True:
                self._tell()
                if (await asyncio.wait([work], timeout=NOTICE_SECONDS))[0]:
                    break
            self._pace += ((time.monotonic() - self._began) / len(jobs) - self._pace) / 4
            error = work.exception()
            results = work.result() if error is None else [error] * len(jobs)
            for ticket, result in zip(self._drawing, results, strict=True):
                _answer(ticket.done, result)
            self._drawing = []

    def _next(self) -> list[_Ticket]:
        """The tickets of the next call."""
        batch: list[_Ticket] = []
        designs = 0
        while self._waiting:
            designs += max(len(self._waiting[0].job.designs), 1)
            if batch and (designs > TOGETHER or self._lane == "slow"):
                break
            batch.append(self._waiting.popleft())
        return batch

    def _tell(self) -> None:
        """Tell everybody their place, once, who has waited long and will wait longer."""
        now = time.monotonic()
        told = {ticket.asker.id for ticket in self._all() if ticket.asker and ticket.telling}
        places = [(1, ticket) for ticket in self._drawing] + list(enumerate(self._waiting, 2))
        for place, ticket in places:
            # What has taken long already is likely to take as long again.
            left = max(now - self._began, 0) + (place - 1) * self._pace
            asker = ticket.asker
            if (
                asker is not None
                and asker.id not in told
                and now - ticket.since >= NOTICE_SECONDS
                and left >= SOON_SECONDS
            ):
                told.add(asker.id)
                ticket.telling = asyncio.create_task(asker.tell(place))

    def _all(self) -> list[_Ticket]:
        return [*self._drawing, *self._waiting]


async def _hush(asker: Asker, telling: asyncio.Task[None]) -> None:
    await telling
    await asker.hush()


def _answer(done: asyncio.Future[Any], result: Any) -> None:
    if done.done():
        return  # whoever asked has gone
    if isinstance(result, ValueError):  # a generator file that is not whole
        result = Refusal(words.broken_generator(str(result)))
    if isinstance(result, BaseException):
        done.set_exception(result)
    else:
        done.set_result(result)
