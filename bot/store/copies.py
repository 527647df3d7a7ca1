"""Copies of the whole store: a SQLite file, whichever database the bot uses."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, RowMapping, Table, create_engine, func, insert, select

from bot import words
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.models import Base, Poll

ROWS = 1000
"""Rows at once."""


def at(file: Path) -> str:
    """The URL of a store in a SQLite file."""
    return URL.create("sqlite+aiosqlite", database=str(file)).render_as_string()


class Copies(Database):
    """Copies the store while a bot uses it, and puts a copy in its place."""

    async def copy_to(self, file: Path) -> None:
        """Write everything, as at one moment, to a new SQLite file. Raises StoreError."""
        with self._trouble():
            revision = await self.revision()
            if revision is None:
                raise StoreError(words.STORE_IS_EMPTY)
            if self._file:
                await asyncio.to_thread(_copy_file, self._file, file)
                return
            if revision != self.revisions()[0]:
                raise StoreError(words.STORE_IS_OLDER)
            copy = Database(at(file))
            try:
                await copy.open()
                async with self.engine.connect() as connection:
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                    for table in Base.metadata.sorted_tables:
                        async with connection.stream(select(table)) as result:
                            async for rows in result.mappings().partitions(ROWS):
                                await copy.write(partial(_insert, table, rows))
            finally:
                await copy.close()

    async def replace_with(self, file: Path) -> None:
        """Make the store what a SQLite file of the newest schema has, all or nothing. Raises StoreError."""
        if self._file:
            with self._trouble():
                await asyncio.to_thread(_copy_file, file, self._file)
            return
        await self.open()

        def replace(connection: Connection) -> None:
            source = create_engine(URL.create("sqlite", database=str(file)))
            with closing(source.connect()) as rows:
                for table in reversed(Base.metadata.sorted_tables):
                    connection.execute(table.delete())
                for table in Base.metadata.sorted_tables:
                    for some in rows.execute(select(table)).mappings().partitions(ROWS):
                        _insert(table, some, connection)
            source.dispose()
            last = select(func.coalesce(func.max(Poll.id), 0) + 1).scalar_subquery()
            sequence = func.pg_get_serial_sequence(Poll.__tablename__, "id")
            connection.execute(select(func.setval(sequence, last, False)))

        with self._trouble():
            await self.write(replace)


def _insert(table: Table, rows: Sequence[RowMapping], connection: Connection) -> None:
    connection.execute(insert(table), [dict(row) for row in rows])


def _copy_file(source: Path, target: Path) -> None:
    """SQLite's own backup: one transaction there, and none that a writer waits for here."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
        closing(sqlite3.connect(target)) as other,
    ):
        try:
            one.backup(other)
        except sqlite3.Error as error:
            raise StoreError(words.unusable(str(error))) from error
