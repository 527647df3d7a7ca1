"""The database behind the store: SQLite or PostgreSQL by its URL, its schema brought up to date."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store.models import Base

BUSY_MS = 5000
"""Milliseconds that a statement waits for another process to finish writing."""
T = TypeVar("T")

_MIGRATIONS = str(Path(__file__).parent / "migrations")


def utc_now() -> datetime:
    """The current time, aware."""
    return datetime.now(UTC)


class Database:
    """An engine for one SQLAlchemy URL; its subclasses, one per file, have the queries.

    `now` returns the current time, aware, for the timestamps in rows.
    """

    def __init__(self, url: str, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self._url = make_url(url)
        is_sqlite = self._url.get_backend_name() == "sqlite"
        self.engine: AsyncEngine = create_async_engine(
            self._url, connect_args={"async_creator_fn": _connection} if is_sqlite else {}
        )
        self.insert = postgresql.insert if self._url.get_backend_name() == "postgresql" else sqlite.insert
        self._opening = asyncio.Lock()
        self._opened = False
        self._turn: asyncio.Lock | None = None
        self._writer: Engine | None = None
        if is_sqlite:
            self._turn = asyncio.Lock()
            event.listen(self.engine.sync_engine, "connect", _set_up_sqlite)
            self._writer = create_engine(
                self._url.set(drivername="sqlite"), connect_args={"check_same_thread": False}
            )
            event.listen(self._writer, "connect", _set_up_sqlite)
            self._thread = ThreadPoolExecutor(1, "store")

    async def open(self) -> None:
        """Create the schema or bring it up to date. Calling it again does nothing."""
        async with self._opening:
            if self._opened:
                return
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                await asyncio.to_thread(Path(self._url.database).parent.mkdir, parents=True, exist_ok=True)
            # Alembic takes ten times as long to find that there is nothing to do.
            if await self.revision() != self.revisions()[0]:
                async with self.engine.begin() as connection:
                    await connection.run_sync(_migrate)
            self._opened = True

    async def revision(self) -> str | None:
        """The revision of the schema, or None if there is no database yet. Changes and creates nothing.

        Raises SQLAlchemyError or OSError if the database can't be reached.
        """
        file = self._url.database if self._url.get_backend_name() == "sqlite" else None
        if file and not await asyncio.to_thread(Path(file).exists):
            return None
        async with self.engine.connect() as connection:
            return await connection.run_sync(
                lambda inner: MigrationContext.configure(inner).get_current_revision()
            )

    @staticmethod
    def revisions() -> list[str]:
        """All schema revisions that this program knows, newest first."""
        config = Config()
        config.set_main_option("script_location", _MIGRATIONS)
        return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes.

        SQLite has one writer at a time. The others would sleep and retry, and some of a crowd would give up,
        so they wait in line here.
        """
        async with self._turn or nullcontext(), self.engine.begin() as connection:
            yield connection

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, several statements in one transaction; returns or raises what it does.

        On SQLite a thread of our own claims the database before it reads, so nothing changes in between and a
        transaction costs one round trip. On PostgreSQL, `work` must lock the rows it reads with
        `with_for_update`.
        """
        if self._writer is None:
            async with self.engine.begin() as connection:
                return await connection.run_sync(work)
        async with self._turn or nullcontext():
            return await asyncio.get_running_loop().run_in_executor(self._thread, _alone, self._writer, work)

    async def close(self) -> None:
        """Close all connections."""
        if self._writer is not None:
            await asyncio.to_thread(self._thread.shutdown)
            self._writer.dispose()
        await self.engine.dispose()


class _Connection(aiosqlite.Connection):
    """Can be stopped twice, which SQLAlchemy does when a task is cancelled during its cancellation.

    aiosqlite 0.22 would then wait forever for a thread that is gone, and so would the process.
    """

    _told = False

    def stop(self) -> asyncio.Future[Any] | None:
        """Stop the thread; None, nothing to wait for, the second time."""
        if self._told:
            return None
        self._told = True
        return super().stop()


def _connection(database: str, **options: Any) -> _Connection:
    connection = _Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    # As SQLAlchemy does with its own: a connection left open must not keep the process alive.
    connection._thread.daemon = True
    return connection


def _alone(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return work(connection)


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # A writer does not block readers, and two writers wait for each other instead of failing.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Base.metadata
    command.upgrade(config, "head")
