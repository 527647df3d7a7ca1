"""SQLite's one writer: many requests share a transaction, and nobody is answered before it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

Work = Callable[[Connection], Any]
T = TypeVar("T")


class Writer:
    """A thread that writes. Whatever is asked for during one transaction goes into the next (group commit).

    It claims the database before it reads, so nothing changes in between.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._commits: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work`; returns or raises what it does, once that is on disk."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._commits is None or self._commits.done():
            self._commits = asyncio.create_task(self._commit_all(), name="store")
        return await done

    async def close(self) -> None:
        """Finish what was asked for, then end the thread."""
        if self._commits is not None:
            await asyncio.wait([self._commits])  # which somebody may have cancelled with all other tasks
        await self._commit_all()
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()

    async def _commit_all(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            works = [work for work, _ in together]
            try:
                outcomes = await asyncio.get_running_loop().run_in_executor(
                    self._thread, _commit, self._engine, works
                )
            except Exception as error:  # of the transaction, so of all that was in it
                outcomes = [(None, error)] * len(works)
            for (_, done), (result, failed) in zip(together, outcomes, strict=True):
                if done.done():
                    continue  # whoever asked has gone
                if failed is not None:
                    done.set_exception(failed)
                else:
                    done.set_result(result)


def _commit(engine: Engine, works: Sequence[Work]) -> list[tuple[Any, Exception | None]]:
    """The result of each, or its error. One that fails undoes all, and the halves try again without it."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            results = [work(connection) for work in works]
            connection.commit()
            return [(result, None) for result in results]
        except Exception as error:
            if len(works) == 1:
                return [(None, error)]
    half = len(works) // 2
    return _commit(engine, works[:half]) + _commit(engine, works[half:])
