"""The bot on a real PostgreSQL server, which this test starts for itself."""

import asyncio
import os
import random
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.backup import backup, restore
from bot.codes import Code
from bot.errors import BackupError, StoreError
from bot.settings import load_config
from bot.store.store import Store
from tests.bot.store.test_migrations import upgraded_to_codes_with_words
from tests.bot.test_backup import rows

pytestmark = pytest.mark.slow


def program(name):
    """A program of PostgreSQL; Debian keeps them off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        if os.environ.get("REQUIRE_POSTGRESQL"):
            pytest.fail(f"PostgreSQL is required here, and there is no {name}")
        pytest.skip("no PostgreSQL on this machine: the store was tried on SQLite only")
    return found


@pytest.fixture
def postgresql():
    """The URL of a server of our own, empty."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    # It refuses to run as root, so root lends it to the user that Debian's package makes for it.
    who = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}

    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **who)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    # Not pytest's folder: that user could not enter it.
    folder = run("mktemp", "-d")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        run(initdb, "-D", f"{folder}/data", "-U", "bot", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        run(pg_ctl, "start", "-w", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log")
        try:
            yield f"postgresql+asyncpg://bot@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "stop", "-w", "-m", "fast", "-D", f"{folder}/data")
    finally:
        shutil.rmtree(folder)


async def test_a_day_on_postgresql(server, postgresql, monkeypatch):
    """Dreams, votes, a round, favorites, the daily bag and a restart, as on SQLite."""
    monkeypatch.setenv("BOT_STORE", postgresql)
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        # All at once: both vote for it, and Ben takes his vote back and votes again.
        for person in (world.ada, world.ben, world.ben, world.ben):
            await person.click(bag, custom_id=f"bag:up:{code}")
        assert (await world.app.store.tally(code)).up == 2
        assert (world.folder / "favorites" / f"{code}.json").exists()
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        await world.restart()

        await world.ada.send(world.channel, "!bag top")
        assert code in world.last.embeds[0].description
        await world.ada.send(world.channel, "!bag favorites")
        assert code in world.last.embeds[0].description
        await world.ada.send(world.channel, f"!bag show {code}")
        assert world.code == code

        await world.ada.send(world.channel, "!bag vote 1 2")
        vote = world.last
        choice = vote.components[0].children[1].custom_id
        for person in (world.ada, world.ben):
            await person.click(vote, custom_id=choice)
        round_id = int(choice.split(":")[2])
        assert sorted((await world.app.store.poll(round_id)).votes.values()) == [0, 2]

        await world.app.guilds.set_up(world.guild.id, dream_at="0 9 * * *")
        for hour in (9, 10):
            await world.catch_up(world.app.daily, datetime(2026, 11, 21, hour, tzinfo=UTC))
        assert sum("Dream bag of" in message.content for message in world.channel.history()) == 1

        exported = await world.ada.slash(world.channel, "bag export")
        assert exported.response.attachments
        assert await world.app.store.revision() == world.app.store.revisions()[0]
        gone = await world.app.store.forget(world.ben.id)
        assert (gone.votes, [kept for _, kept in gone.favorites]) == (1, [code])
        assert (await world.app.store.tally(code)).up == 1


async def test_a_filled_store_takes_codes_with_words(postgresql):
    await upgraded_to_codes_with_words(postgresql)


@pytest.fixture
async def store(postgresql):
    """A store on that server."""
    opened = Store(postgresql)
    await opened.open()
    yield opened
    await opened.close()


async def test_of_two_bots_for_one_shard_the_second_is_refused(store, postgresql):
    second = Store(postgresql)
    async with store.alone(0):
        with pytest.raises(StoreError, match="another bot"):
            async with second.alone(0):
                pass
        async with second.alone(1):
            pass
    async with second.alone(0):
        pass
    await second.close()


async def test_votes_at_once_are_counted_exactly(store):
    """Several connections, the same people on the same designs, and some are forgotten meanwhile."""
    codes = [Code.seeded("k3f9x2", seed) for seed in range(4)]
    await store.add_designs(codes, 1, 0, None)
    chance = random.Random(7)
    votes = [
        store.vote(
            str(chance.choice(codes)), chance.randrange(1, 12), chance.randrange(2), chance.choice([1, -1])
        )
        for _ in range(400)
    ]
    votes[100:100] = [store.forget(1)]
    votes[300:300] = [store.forget(person) for person in (2, 1)]
    await asyncio.gather(*votes)
    async with store.engine.connect() as connection:
        counted = await connection.execute(
            text(
                "SELECT guild_id, code, sum((value = 1)::int), sum((value = -1)::int) FROM votes "
                "GROUP BY guild_id, code ORDER BY guild_id, code"
            )
        )
        expected = counted.all()
        for period in ("''", "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')"):
            kept = await connection.execute(
                text(
                    "SELECT guild_id, code, up, down FROM scores "
                    f"WHERE period = {period} AND up + down > 0 ORDER BY guild_id, code"
                )
            )
            assert kept.all() == expected
    best = await store.top(1, 9)
    assert len(best) > 1
    assert (await store.forget(3)).votes >= 0


async def test_choices_at_once_are_one_a_person_and_none_after_the_end(store):
    closes_at = datetime.now(UTC) + timedelta(hours=1)
    vote = await store.open_poll(1, 2, ["k3f9x2-1", "k3f9x2-2"], closes_at)
    choices = [store.cast(vote.id, person % 10, vote.codes[person % 2]) for person in range(100)]
    choices[50:50] = [store.close_poll(vote.id)]
    done = await asyncio.gather(*choices)
    final, was_open = done[50]
    assert was_open
    assert final.votes == (await store.poll(vote.id)).votes
    assert sum(final.votes.values()) <= 10
    assert not await store.cast(vote.id, 99, vote.codes[0])


async def test_a_home_on_postgresql_is_saved_and_moves_to_sqlite_and_back(
    server, postgresql, monkeypatch, tmp_path, make_config
):
    file, sqlite = tmp_path / "home.zip", make_config().bot.store
    monkeypatch.setenv("BOT_STORE", postgresql)
    async with server() as world:
        await world.ada.send(world.channel, "!bag variations 42")
        await world.ada.send(world.channel, "!bag 42")
        await world.ada.click(world.last, custom_id=f"bag:up:{world.code}")
        await world.ben.click(world.last, custom_id=f"bag:save:{world.code}")
        await world.ada.send(world.channel, "!bag vote 1 2")
        code = Code.seeded("k3f9x2", 1)
        await world.app.store.add_designs([code], 1, world.guild.id, None)
        voting = asyncio.create_task(world.app.store.vote(str(code), 100, world.guild.id, 1))
        contents = await backup(world.app.config, tmp_path / "during.zip")
        await voting
        assert contents.favorites == 1
        await backup(world.app.config, file)
        before, config = await rows(world.app.store), world.app.config
    for path in (tmp_path / "favorites").glob("*"):
        path.unlink()
    with pytest.raises(BackupError, match="--force"):
        await restore(config, file, False)
    monkeypatch.setenv("BOT_STORE", sqlite)
    await restore(load_config(config.path), file, True)
    store = Store(sqlite)
    assert await rows(store) == before
    await store.close()
    await restore(config, file, True)
    store = Store(postgresql)
    assert await rows(store) == before
    # A new poll gets a number of its own.
    poll = await store.open_poll(1, 2, ["k3f9x2-1"], datetime.now(UTC) + timedelta(hours=1))
    assert poll.id == len(before["rounds"]) + 1
    await store.close()
