"""Many who write at once share a transaction, and each is answered for their own part of it."""

import asyncio
import sqlite3
import sys

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from bot.codes import Code
from bot.errors import StoreError
from bot.store.store import Store
from bot.store.votes import UnknownDesignError

GUILD = 7


def count_commits(store):
    commits = []
    event.listen(store._writer._engine, "commit", commits.append)
    return commits


async def test_who_writes_at_once_shares_a_transaction_and_one_error_is_nobody_elses(store):
    await store.add_designs([Code.of("k3f9x2-42")], 1, GUILD, None)
    commits = count_commits(store)
    outcomes = await asyncio.gather(
        *(store.vote("k3f9x2-42" if person != 7 else "k3f9x2-43", person, GUILD, 1) for person in range(100)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, UnknownDesignError) for outcome in outcomes] == [n == 7 for n in range(100)]
    assert (await store.tally("k3f9x2-42")).up == 99
    assert len(commits) < 20


async def test_what_was_answered_is_in_the_file_and_in_the_end_so_is_all_that_was_asked(store, tmp_path):
    await store.add_designs([Code.of("k3f9x2-42")], 1, GUILD, None)
    await store.vote("k3f9x2-42", 1, GUILD, 1)
    other = sqlite3.connect(tmp_path / "bot.db")
    assert other.execute("SELECT count(*) FROM votes").fetchone() == (1,)
    asked = [asyncio.create_task(store.vote("k3f9x2-42", person, GUILD, 1)) for person in range(2, 50)]
    await asyncio.sleep(0)
    await store.close()
    assert other.execute("SELECT count(*) FROM votes").fetchone() == (49,)
    assert all(task.done() for task in asked)


async def test_a_store_closes_in_good_order_when_all_tasks_have_been_cancelled(tmp_path):
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    await store.open()
    await store.add_designs([Code.of("k3f9x2-42")], 1, GUILD, None)
    asked = asyncio.create_task(store.vote("k3f9x2-42", 1, GUILD, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()  # so nobody was told that it counts
    await store.close()


async def test_a_full_disk_fails_whom_it_fails_and_nobody_is_told_otherwise(store, tmp_path):
    codes = [Code.seeded("k3f9x2", seed) for seed in range(40)]
    with sqlite3.connect(tmp_path / "bot.db") as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]

    def fill(connection, *_):
        connection.execute(f"PRAGMA max_page_count={pages + 20}")

    event.listen(store._writer._engine, "connect", fill)
    store._writer._engine.dispose()
    looks = [bytes(4000)]
    outcomes = await asyncio.gather(
        *(store.add_designs([code], 1, GUILD, None, looks) for code in codes), return_exceptions=True
    )
    failed = [isinstance(outcome, Exception) for outcome in outcomes]
    assert any(failed)
    assert not all(failed)
    with sqlite3.connect(tmp_path / "bot.db") as other:
        there = {code for (code,) in other.execute("SELECT code FROM designs")}
    assert there == {str(code) for code, broke in zip(codes, failed, strict=True) if not broke}


async def test_a_vote_that_could_not_be_answered_is_undone_whatever_was_there_before(store):
    code = "k3f9x2-42"
    await store.add_designs([Code.of(code)], 1, GUILD, None)
    tallies = []
    for value in (1, -1, -1):  # cast, changed, taken back
        _, change = await store.vote(code, 1, GUILD, value)
        await store.undo_vote(code, 1, change)
        tallies.append(await store.tally(code))
        await store.vote(code, 1, GUILD, value)
    assert [(tally.up, tally.down) for tally in tallies] == [(0, 0), (1, 0), (0, 1)]


async def test_a_vote_that_could_not_be_answered_undoes_no_later_one(store):
    code = "k3f9x2-42"
    await store.add_designs([Code.of(code)], 1, GUILD, None)
    _, unanswered = await store.vote(code, 1, GUILD, 1)
    await store.vote(code, 1, GUILD, -1)
    await store.undo_vote(code, 1, unanswered)
    tally = await store.tally(code)
    assert (tally.up, tally.down) == (0, 1)


async def test_a_first_start_broken_off_is_made_good(tmp_path):
    """Before 0.2 each table was there for good once it was made; the version came last."""
    with sqlite3.connect(tmp_path / "bot.db") as ruin:
        ruin.execute("CREATE TABLE designs (code TEXT PRIMARY KEY)")
        ruin.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    await store.open()
    assert await store.damage() is None
    await store.close()


KILLED = """
import asyncio, os, sys
from sqlalchemy import event
from bot.store.store import Store

async def main(file, table):
    store = Store(f"sqlite+aiosqlite:///{file}")

    @event.listens_for(store._writer._engine, "after_cursor_execute")
    def kill(_connection, _cursor, statement, *_):
        if f"TABLE {table} " in statement:
            os._exit(9)

    await store.open()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("table", ["designs", "votes"])
async def test_a_first_start_that_is_killed_has_changed_nothing(tmp_path, table):
    file = tmp_path / "bot.db"
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(file), table)
    assert await killed.wait() == 9
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == []
    store = Store(f"sqlite+aiosqlite:///{file}")
    await store.open()
    assert await store.damage() is None
    await store.close()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda file: file.write_bytes(b"no database " * 1000), "not a database"),
        (lambda file: file.mkdir(), "unable to open"),
        (lambda file: _versioned(file, "9999"), "newer version"),
        (lambda file: _full_without_version(file), "no version"),
    ],
)
async def test_a_store_that_can_not_be_used_is_told_in_one_line(tmp_path, make, told):
    make(tmp_path / "bot.db")
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    with pytest.raises(StoreError, match=told) as refused:
        await store.open()
    assert str(tmp_path / "bot.db") in str(refused.value)
    assert "\n" not in str(refused.value)
    await store.close()


def _versioned(file, version):
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        other.execute("INSERT INTO alembic_version VALUES (?)", (version,))


def _full_without_version(file):
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE designs (code TEXT PRIMARY KEY)")
        other.execute("INSERT INTO designs VALUES ('k3f9x2-42')")


async def test_a_second_bot_is_refused_until_the_first_has_ended(tmp_path):
    first, second = (Store(f"sqlite+aiosqlite:///{tmp_path}/new/bot.db") for _ in range(2))
    async with first.alone(0):
        with pytest.raises(StoreError, match="another bot"):
            async with second.alone(0):
                pass
    async with second.alone(0):
        pass
    await first.close()
    await second.close()


async def test_a_damaged_schema_is_named(store):
    await store.execute(text("ALTER TABLE designs DROP COLUMN look"))
    await store.execute(text("DROP TABLE posts"))
    damage = await store.damage()
    assert "designs.look" in damage
    assert "posts.day" in damage


async def test_an_error_of_one_statement_leaves_the_others(store):
    await store.execute(text("INSERT INTO posts VALUES (1, 'dream', '2026-11-28', 'a-1', NULL)"))
    broken, fine = await asyncio.gather(
        store.execute(text("INSERT INTO posts VALUES (1, 'dream', '2026-11-28', 'a-2', NULL)")),
        store.execute(text("INSERT INTO posts VALUES (2, 'dream', '2026-11-28', 'a-3', NULL)")),
        return_exceptions=True,
    )
    assert isinstance(broken, IntegrityError)
    assert fine is None
