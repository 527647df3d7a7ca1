"""The database behind the store: SQLite or PostgreSQL by its URL, its schema brought up to date."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.models import Base


def now() -> datetime:
    """The time that a row remembers."""
    return datetime.now(UTC)


class Database:
    """An engine over one SQLAlchemy URL. What is asked of it stands in this class's heirs, a file each."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self.engine: AsyncEngine = create_async_engine(self._url)
        self.insert = postgresql.insert if self._url.get_backend_name() == "postgresql" else sqlite.insert
        self._opening = asyncio.Lock()
        self._opened = False
        if self._url.get_backend_name() == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _set_up_sqlite)

    async def open(self) -> None:
        """Bring the schema up to date. Calling it again does nothing."""
        async with self._opening:
            if self._opened:
                return
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                await asyncio.to_thread(Path(self._url.database).parent.mkdir, parents=True, exist_ok=True)
            async with self.engine.begin() as connection:
                await connection.run_sync(_migrate)
            self._opened = True

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # A writer does not keep readers waiting, and two writers wait for one another instead of failing.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Base.metadata
    command.upgrade(config, "head")
