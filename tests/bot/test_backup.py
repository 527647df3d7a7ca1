"""A home is saved to one file while a bot uses it, and put back; other files are refused untouched."""

import asyncio
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.backup import backup, restore
from bot.errors import StoreError
from bot.settings import load_config
from bot.store.models import Base
from bot.store.store import Store


async def rows(store):
    """Everything in a store."""
    async with store.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, (await connection.execute(select(table))).all()))
            for table in Base.metadata.sorted_tables
        }


def bag_dreams(folder, *arguments):
    """The exit code of a command over a home, and what it said."""
    command = ["--config", str(folder / "config.toml"), *map(str, arguments)]
    result = CliRunner().invoke(command_line, command)
    return result.exit_code, result.stdout + result.stderr


def wipe(folder):
    """Lose everything but the settings and the backup."""
    for path in folder.glob("*"):
        if path.name not in ("config.toml", "home.zip"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


async def test_a_home_comes_back_as_it_was(server, tmp_path):
    file = tmp_path / "home.zip"
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code, picture = world.code, await world.last.attachments[0].read()
        for person in (world.ada, world.ben):
            await person.click(world.last, custom_id=f"bag:up:{code}")
        await world.ada.send(world.channel, "!bag variations 42")
        contents = await backup(world.app.config, file)
        assert (contents.favorites, contents.generators) == (1, 1)
        with pytest.raises(StoreError, match="another bot"):
            await restore(world.app.config, file, True)
        before = await rows(world.app.store)
        files = {path.name: path.read_bytes() for path in (tmp_path / "favorites").glob("*")}
        config = world.app.config
    assert file.stat().st_mode & 0o077 == 0  # people's ids are in it
    wipe(tmp_path)
    await restore(config, file, False)
    assert {path.name: path.read_bytes() for path in (tmp_path / "favorites").glob("*")} == files
    store = Store(config.bot.store)
    try:
        assert await rows(store) == before
    finally:
        await store.close()
    async with server(generator=False) as world:
        await world.ada.send(world.channel, f"!bag show {code}")
        assert await world.last.attachments[0].read() == picture


async def test_a_backup_while_people_vote_is_one_moment(server, tmp_path):
    async with server() as world:
        await world.ada.send(world.channel, "!bag grid 4")
        store = world.app.store
        version = (await world.app.studio.current()).version
        async with store.engine.connect() as connection:
            designs = (
                (await connection.execute(select(Base.metadata.tables["designs"].c.code))).scalars().all()
            )
        done = asyncio.Event()

        async def vote():
            person = 100
            while not done.is_set():
                person += 1
                await store.vote(designs[person % 4], person, world.guild.id, 1)

        voting = asyncio.create_task(vote())
        for number in range(5):
            await backup(world.app.config, tmp_path / f"{number}.zip")
        done.set()
        await voting
        counts = []
        for number in range(5):
            with zipfile.ZipFile(tmp_path / f"{number}.zip") as archive:
                assert f"generators/{version}.safetensors" in archive.namelist()
                archive.extract("store.db", tmp_path / "out")
            with closing(sqlite3.connect(tmp_path / "out" / "store.db")) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                ((votes,),) = copy.execute("SELECT count(*) FROM votes")
                ((scored,),) = copy.execute("SELECT sum(up) FROM scores WHERE period = ''")
                assert votes == (scored or 0)
                counts.append(votes)
        assert counts == sorted(counts)
        assert counts[0] < counts[-1]


@pytest.fixture
def home(make_config, tmp_path, empty_store):
    """A home with a store, a favorite and a backup of both."""
    config = make_config()
    shutil.copy(empty_store, tmp_path / "bot.db")
    (tmp_path / "favorites").mkdir()
    (tmp_path / "favorites" / "k3f9x2-1.json").write_text("{}")
    assert bag_dreams(tmp_path, "backup", tmp_path / "home.zip")[0] == 0
    return config


def test_a_home_that_is_in_use_is_replaced_only_by_force(home, tmp_path):
    code, said = bag_dreams(tmp_path, "restore", tmp_path / "home.zip")
    assert (code, said.count("\n")) == (2, 1)
    assert "--force" in said
    (tmp_path / "favorites" / "k3f9x2-1.json").write_text("[]")
    code, said = bag_dreams(tmp_path, "restore", tmp_path / "home.zip", "--force")
    assert (code, "1 favorite and 1 generator" in said) == (0, True)
    assert (tmp_path / "favorites" / "k3f9x2-1.json").read_text() == "{}"


def test_an_empty_home_has_nothing_to_save(make_config, tmp_path):
    make_config(generator=False)
    code, said = bag_dreams(tmp_path, "backup", tmp_path / "home.zip")
    assert (code, said.count("\n"), "nothing to back up" in said) == (2, 1, True)
    assert not list(tmp_path.glob("*.zip"))


def test_no_secret_is_in_a_backup(home, tmp_path, monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "aaaa.bbbb.cccc")
    (tmp_path / "favorites" / ".env").write_text("DISCORD_TOKEN=aaaa.bbbb.cccc")
    assert bag_dreams(tmp_path, "backup", tmp_path / "home.zip")[0] == 0
    assert b"bbbb" not in (tmp_path / "home.zip").read_bytes()


def rewritten(change):
    """A backup after `change` to the list of its entries (name, content)."""

    def hostile(file):
        with zipfile.ZipFile(file) as archive:
            entries = [(name, archive.read(name)) for name in archive.namelist()]
        change(entries)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in entries:
                archive.writestr(name, content)

    return hostile


def with_entry(name, content=b"{}"):
    return rewritten(lambda entries: entries.append((name, content)))


def without(name):
    return rewritten(lambda entries: entries.__setitem__(slice(None), [e for e in entries if e[0] != name]))


def with_content(name, content):
    return rewritten(
        lambda entries: entries.__setitem__(
            slice(None), [(n, content if n == name else c) for n, c in entries]
        )
    )


def compressed(file):
    """A bomb: a megabyte for each kilobyte."""
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("favorites/a-1.png", bytes(10**7))


def overlapping(file):
    """A bomb without compression: many entries that share their bytes."""
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("favorites/a-1.png", bytes(10**6))
        first = archive.infolist()[-1]
        for number in range(2, 50):
            other = zipfile.ZipInfo(f"favorites/a-{number}.png")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(other, name, getattr(first, name))
            archive.filelist.append(other)
            archive.NameToInfo[other.filename] = other


def flipped(file):
    """A byte of the store that is not as it was written."""
    data = bytearray(file.read_bytes())
    data[data.index(b"SQLite format 3") + 5000] ^= 255
    file.write_bytes(data)


def with_trigger(file):
    """A store that does something of its own."""
    copy = file.with_name("copy.db")
    with zipfile.ZipFile(file) as archive:
        copy.write_bytes(archive.read("store.db"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("CREATE TRIGGER t AFTER DELETE ON votes BEGIN DELETE FROM designs; END")
    with_content("store.db", copy.read_bytes())(file)
    copy.unlink()


@pytest.mark.parametrize(
    "spoil",
    [
        with_entry("../escaped.json"),
        with_entry("favorites/../../escaped.json"),
        with_entry("favorites/..\\escaped.json"),
        with_entry("/tmp/escaped.json"),
        with_entry("favorites/.hidden.json"),
        with_entry("favorites/C:escaped.json"),
        with_entry("generators/abcdef.safetensors", b"not weights"),
        with_entry("config.toml"),
        with_content("about.json", b'{"format": 2}'),
        with_content("about.json", b"[" * 10**5),
        with_content("store.db", b"SQLite format 3\0" + bytes(5000)),
        with_content("store.db", b""),
        without("store.db"),
        without("about.json"),
        with_trigger,
        compressed,
        overlapping,
        flipped,
        lambda file: file.write_bytes(file.read_bytes()[:-100]),
        lambda file: file.write_bytes(b"PK"),
        lambda file: file.unlink(),
    ],
)
def test_another_file_is_refused_in_one_line_and_nothing_is_touched(home, tmp_path, spoil):
    spoil(tmp_path / "home.zip")
    (tmp_path / "favorites" / "k3f9x2-1.json").write_text("[]")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, said = bag_dreams(tmp_path, "restore", tmp_path / "home.zip", "--force")
    assert (code, said.count("\n")) == (2, 1), said
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in before | after if before.get(path) != after.get(path)} == set()


def test_a_broken_off_backup_leaves_the_one_before_it(home, tmp_path, monkeypatch):
    before = (tmp_path / "home.zip").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    code, said = bag_dreams(tmp_path, "backup", tmp_path / "home.zip")
    assert (code, "No space left" in said) == (2, True)
    assert (tmp_path / "home.zip").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


async def test_a_backup_of_an_older_version_is_upgraded(make_config, tmp_path):
    from tests.bot.test_upgrade import CODE, WRITTEN

    config = make_config(generator=False)
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("about.json", json.dumps({"format": 1}))
        archive.write(WRITTEN / "bot.db", "store.db")
    await restore(config, tmp_path / "old.zip", False)
    store = Store(load_config(config.path).bot.store)
    try:
        assert await store.revision() == store.revisions()[0]
        assert (await store.tally(CODE)).up > 0
    finally:
        await store.close()
