"""The drawing processes: started when first needed, restarted when they die, gone with the bot."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Literal, TypeVar, TypeVarTuple

from bot import words
from bot.drawing import jobs
from bot.errors import Refusal

T = TypeVar("T")
A = TypeVarTuple("A")
Lane = Literal["quick", "slow"]
"""Animations take seconds: they have a process of their own, so that no bag waits behind one."""

log = logging.getLogger(__name__)


class DrawingPool:
    """One drawing process per lane, each doing one call at a time."""

    def __init__(self) -> None:
        self._pools: dict[Lane, ProcessPoolExecutor] = {}

    async def draw(self, draw: Callable[[*A], T], *args: *A, lane: Lane = "quick") -> T:
        """Call a function in the lane's process.

        Raises Refusal if the process keeps dying, or if a generator file is broken.
        """
        for _ in range(2):
            pool = self._pools.get(lane)
            if pool is None:
                pool = self._pools[lane] = ProcessPoolExecutor(
                    1, multiprocessing.get_context("spawn"), initializer=jobs.set_up
                )
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, draw, *args)
            except BrokenProcessPool:
                log.warning("the %s drawing process died; another takes its place", lane)
                if self._pools.get(lane) is pool:
                    del self._pools[lane]
                    pool.shutdown(wait=False)
            except ValueError as error:  # a generator file that is not whole
                raise Refusal(words.broken_generator(str(error))) from error
        raise Refusal(words.STUDIO_DOWN)

    def close(self) -> None:
        """Stop the processes."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        self._pools.clear()
