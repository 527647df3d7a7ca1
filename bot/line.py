"""The line before the easel: who waits together is drawn together, knows their place, and is not too many."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from bot import render, words
from bot.easel import Easel, Lane
from bot.errors import Refusal
from bot.render import Job

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that somebody waits without a word."""
TOGETHER = 8
"""Designs that are drawn in one call: about 0.1 s on one core, and the next in line waits no longer."""
EACH = 3
"""Requests of one person that may wait at once."""
ALL: dict[Lane, int] = {"quick": 300, "slow": 20}
"""Requests that may wait at once: those of some seconds, or of half a minute."""


class Asker(Protocol):
    """A person who waits for a picture."""

    @property
    def id(self) -> int:
        """Their Discord id."""

    async def tell(self, place: int) -> None:
        """Tell them their place in the line; 1 is next."""

    async def hush(self) -> None:
        """Take that back, their turn has come."""


asking: ContextVar[Asker | None] = ContextVar("asking", default=None)
"""For whom the running task asks; None for what the bot does by itself, which waits without limits."""


@dataclass(eq=False)
class _Ticket:
    job: Job[Any]
    person: int | None
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Line:
    """The requests of one lane of the easel."""

    def __init__(self, easel: Easel, lane: Lane) -> None:
        self._easel = easel
        self._lane = lane
        self._waiting: deque[_Ticket] = deque()
        self._drawing: list[_Ticket] = []
        self._work: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many requests wait or are being drawn."""
        return len(self._waiting) + len(self._drawing)

    async def draw(self, job: Job[T]) -> T:
        """Wait for one's turn and do a job. Raises Refusal if too many wait, or if it can't be done."""
        asker = asking.get()
        ticket = _Ticket(job, asker.id if asker else None)
        if asker is not None:
            self._check(asker.id)
        self._waiting.append(ticket)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._draw_all(), name=f"{self._lane} line")
        try:
            return await (ticket.done if asker is None else self._with_patience(ticket, asker))  # type: ignore[no-any-return]
        finally:
            ticket.done.cancel()

    def _check(self, person: int) -> None:
        there = [*self._drawing, *self._waiting]
        if sum(ticket.person == person for ticket in there) >= EACH:
            raise Refusal(words.ONE_AT_A_TIME)
        if len(there) >= ALL[self._lane]:
            raise Refusal(words.LONG_LINE)

    async def _with_patience(self, ticket: _Ticket, asker: Asker) -> Any:
        told = None
        while not (await asyncio.wait([ticket.done], timeout=PATIENCE))[0]:
            place = self._place(ticket)
            if place != told:
                await asker.tell(place)
                told = place
        if told is not None:
            await asker.hush()
        return ticket.done.result()

    def _place(self, ticket: _Ticket) -> int:
        if ticket in self._drawing:
            return 1
        return bool(self._drawing) + self._waiting.index(ticket) + 1

    async def _draw_all(self) -> None:
        while self._waiting:
            self._drawing = self._next()
            if not self._drawing:
                break
            try:
                results = await self._easel.draw(
                    render.together, [ticket.job for ticket in self._drawing], lane=self._lane
                )
            except Exception as error:
                results = [error] * len(self._drawing)
            for ticket, result in zip(self._drawing, results, strict=True):
                if ticket.done.done():
                    continue  # whoever asked has gone
                if isinstance(result, ValueError):  # a generator file that is not whole
                    result = Refusal(words.broken_generator(str(result)))
                if isinstance(result, Exception):
                    ticket.done.set_exception(result)
                else:
                    ticket.done.set_result(result)
            self._drawing = []

    def _next(self) -> list[_Ticket]:
        batch: list[_Ticket] = []
        designs = 0
        while self._waiting:
            ticket = self._waiting[0]
            designs += max(len(ticket.job.designs), 1)
            if batch and (designs > TOGETHER or self._lane == "slow"):
                break
            self._waiting.popleft()
            if not ticket.done.done():
                batch.append(ticket)
        return batch
