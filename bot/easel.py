"""The easel: the process in which pictures are drawn, replaced when it dies."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar, TypeVarTuple

from bot import render, words
from bot.errors import Refusal

T = TypeVar("T")
A = TypeVarTuple("A")
log = logging.getLogger(__name__)


class Easel:
    """One process that draws what it is asked to, in turn. It starts when it is first needed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def draw(self, draw: Callable[[*A], T], *args: *A) -> T:
        """Call a function of `render` in the process. Raises Refusal if it can't be done."""
        for _ in range(2):
            pool = self._pool
            if pool is None:
                pool = self._pool = ProcessPoolExecutor(
                    1, multiprocessing.get_context("spawn"), initializer=render.set_up
                )
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, draw, *args)
            except BrokenProcessPool:
                log.warning("the drawing process died; another takes its place")
                if self._pool is pool:
                    self._pool = None
                    pool.shutdown(wait=False)
            except ValueError as error:  # a generator file that is not whole
                raise Refusal(words.broken_generator(str(error))) from error
        raise Refusal(words.STUDIO_DOWN)

    def close(self) -> None:
        """Stop the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
