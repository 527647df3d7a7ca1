"""The drawing processes: started when first needed, restarted when they die, gone with the bot."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Literal, TypeVar, TypeVarTuple

from bot import words
from bot.drawing import jobs
from bot.errors import Refusal

T = TypeVar("T")
A = TypeVarTuple("A")
Lane = Literal["quick", "slow"]
"""Animations take seconds: they have a process of their own, so that no bag waits behind one."""

DEADLINES: dict[Lane, float] = {"quick": 60, "slow": 240}
"""Seconds for a call, with those before it: many times what it takes on a slow machine."""
LOADING_SECONDS = 120.0
"""More for the first call of a process, which loads torch."""
log = logging.getLogger(__name__)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let a process that begins here ignore Ctrl-C from its first moment: the bot ends it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class DrawingPool:
    """One drawing process per lane, each doing one call at a time."""

    def __init__(self) -> None:
        self._pools: dict[Lane, ProcessPoolExecutor] = {}
        self._loaded: set[ProcessPoolExecutor] = set()
        self.hung: set[Lane] = set()
        """Lanes whose last call took too long."""

    async def draw(self, draw: Callable[[*A], T], *args: *A, lane: Lane = "quick") -> T:
        """Call a function in the lane's process.

        Raises Refusal if the process keeps dying or hangs, or if a generator file is broken.
        """
        for _ in range(2):
            pool = self._pools.get(lane)
            if pool is None:
                pool = self._pools[lane] = ProcessPoolExecutor(
                    1, multiprocessing.get_context("spawn"), initializer=jobs.set_up
                )
            loading = 0 if pool in self._loaded else LOADING_SECONDS
            try:
                with _deaf_to_interrupts():
                    drawn = asyncio.get_running_loop().run_in_executor(pool, draw, *args)
                async with asyncio.timeout(DEADLINES[lane] + loading):
                    result = await drawn
                self._loaded.add(pool)
                self.hung.discard(lane)
                return result
            except BrokenProcessPool:
                log.warning("the %s drawing process died; another takes its place", lane)
                self._drop(lane, pool)
            except TimeoutError:
                log.warning("the %s drawing process hangs; another takes its place", lane)
                self.hung.add(lane)
                self._drop(lane, pool)
                raise Refusal(words.STUDIO_DOWN) from None
            except ValueError as error:  # a generator file that is not whole
                raise Refusal(words.broken_generator(str(error))) from error
        raise Refusal(words.STUDIO_DOWN)

    def close(self) -> None:
        """End the processes at once, whatever they are doing."""
        for lane, pool in list(self._pools.items()):
            self._drop(lane, pool)

    def _drop(self, lane: Lane, pool: ProcessPoolExecutor) -> None:
        if self._pools.get(lane) is pool:
            del self._pools[lane]
        self._loaded.discard(pool)
        # What Python 3.14 calls kill_workers. Waiting would take as long as a process needs to load torch.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
