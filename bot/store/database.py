"""The database behind the store: SQLite or PostgreSQL by its URL, its schema brought up to date."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Executable, create_engine, event, func, inspect, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot import words
from bot.errors import StoreError
from bot.store.models import Base
from bot.store.writer import Writer

BUSY_MS = 2000
"""Milliseconds that a statement waits for another process to finish writing: less than Discord waits."""
T = TypeVar("T")

_LOCK = 0xBA6
"""The bot's own number among PostgreSQL's advisory locks."""
# Alembic takes % for the beginning of a name, as configparser does.
_MIGRATIONS = str(Path(__file__).parent / "migrations").replace("%", "%%")


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
        self._writer: Writer | None = None
        if is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _set_up_sqlite)
            writes = create_engine(
                self._url.set(drivername="sqlite"), connect_args={"check_same_thread": False}
            )
            event.listen(writes, "connect", _set_up_sqlite)
            self._writer = Writer(writes)

    async def open(self) -> None:
        """Create the schema or bring it up to date. Calling it again does nothing. Raises StoreError."""
        async with self._opening:
            if self._opened:
                return
            with self._trouble():
                if file := self._file:
                    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
                # Alembic takes ten times as long to find that there is nothing to do.
                if await self.revision() != self.revisions()[0]:
                    await self.write(_migrate)
            self._opened = True

    @asynccontextmanager
    async def alone(self, shard: int) -> AsyncIterator[None]:
        """Be the store's only bot, on PostgreSQL its only one for a shard. Raises StoreError for a second."""
        if file := self._file:
            lock = FileLock(f"{file}.lock", blocking=False)
            with self._trouble():
                await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
                try:
                    lock.acquire()
                except Timeout:
                    raise StoreError(words.SECOND_BOT) from None
            try:
                yield
            finally:
                lock.release()
            return
        async with self.engine.connect() as connection:
            with self._trouble():
                locked = await connection.scalar(select(func.pg_try_advisory_lock(_LOCK, shard)))
                await connection.commit()
                if not locked:
                    raise StoreError(words.SECOND_BOT)
            try:
                yield
            finally:
                await connection.scalar(select(func.pg_advisory_unlock(_LOCK, shard)))

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """Make whatever is wrong with the store a StoreError."""
        try:
            yield
        except StoreError as error:
            raise StoreError(words.store_trouble(self.name, str(error))) from error
        except (SQLAlchemyError, OSError) as error:
            reason = str(getattr(error, "orig", error)) or type(error).__name__
            raise StoreError(words.store_trouble(self.name, words.unusable(reason))) from error

    @property
    def name(self) -> str:
        """The file, or the URL without its password: for people."""
        return str(self._file or self._url.render_as_string(hide_password=True))

    @property
    def _file(self) -> Path | None:
        is_file = self._url.get_backend_name() == "sqlite" and self._url.database not in (
            None,
            "",
            ":memory:",
        )
        return Path(str(self._url.database)) if is_file else None

    async def revision(self) -> str | None:
        """The revision of the schema, or None if there is no database yet. Changes and creates nothing.

        Raises SQLAlchemyError or OSError if the database can't be reached.
        """
        if self._file and not await asyncio.to_thread(self._file.exists):
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

    async def damage(self) -> str | None:
        """What is wrong with the file, or the tables and columns that are missing; None if all is well."""
        async with self.engine.connect() as connection:
            return await connection.run_sync(_damage)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, several statements in one transaction; returns or raises what it does.

        On SQLite, see `Writer`. On PostgreSQL, `work` must lock the rows it reads with `with_for_update`.
        """
        if self._writer is not None:
            return await self._writer.write(work)
        async with self.engine.begin() as connection:
            return await connection.run_sync(work)

    async def execute(self, statement: Executable) -> None:
        """Write with one statement."""

        def execute(connection: Connection) -> None:
            connection.execute(statement)

        await self.write(execute)

    async def close(self) -> None:
        """Finish what is being written, then close all connections."""
        if self._writer is not None:
            await self._writer.close()
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


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # A writer does not block readers, and two writers wait for each other instead of failing.
    cursor.execute("PRAGMA journal_mode=WAL")
    # What was answered is on disk, even if the power fails; many share the cost of a commit, see `Writer`.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _damage(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if verdict != "ok":
            return str(verdict)
    found = inspect(connection).get_multi_columns()
    there = {(table, column["name"]) for (_, table), columns in found.items() for column in columns}
    missing = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if (table.name, column.name) not in there
    ]
    return f"without {', '.join(missing)}" if missing else None


def _migrate(connection: Connection) -> None:
    """Create the schema or bring it up to date, all in the one transaction that `write` has begun."""
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        _clear(connection)
    elif revision not in Database.revisions():
        raise StoreError(words.STORE_IS_NEWER)
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Base.metadata
    command.upgrade(config, "head")


def _clear(connection: Connection) -> None:
    """Drop the empty tables that a first start left which was broken off before 0.2. Raises StoreError."""
    there = set(inspect(connection).get_table_names())
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in there:
            if connection.execute(select(literal(1)).select_from(table).limit(1)).first():
                raise StoreError(words.STORE_WITHOUT_VERSION)
            table.drop(connection)
