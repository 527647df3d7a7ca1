"""`python -m bot backup FILE` and `restore FILE`: the store, the favorites and the generators in one file.

A backup is a zip whose entries are not compressed, so it can't unpack to more than its own size:
`about.json`, `store.db` (SQLite, whichever database the bot uses), `favorites/…` and `generators/…`.
No settings and no secrets are in it, but the ids of people are, so only its owner may read it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sqlite3
import struct
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot import words
from bot.drawing.generators import Generators
from bot.errors import BackupError, Refusal, StoreError
from bot.formats import counted
from bot.settings import Config
from bot.store.copies import at
from bot.store.store import Store
from gan.atomic import sync_folder, write_atomically
from gan.header import GeneratorError, read_header

FORMAT = 1
ABOUT, STORE = "about.json", "store.db"
_UNREADABLE = (
    zipfile.BadZipFile,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Python raises for files that are no zip, or no good one."""
_NAME = re.compile(r"favorites/[^./\\:\0][^/\\:\0]*\.(?:png|json)|generators/[a-z0-9]+\.safetensors")


@dataclass(frozen=True)
class Contents:
    """What is in a backup."""

    favorites: int
    generators: int
    size: int
    """Bytes."""

    def __str__(self) -> str:
        has = f"{counted(self.favorites, 'favorite')} and {counted(self.generators, 'generator')}"
        return f"the store, {has}; {self.size / 1e6:,.1f} MB"

    @classmethod
    def of(cls, file: Path, names: Iterable[str]) -> Contents:
        """What the backup `file` has, by the names in it."""
        endings = Counter(Path(name).suffix for name in names if name != ABOUT)
        return cls(endings[".json"], endings[".safetensors"], file.stat().st_size)


async def backup(config: Config, file: Path) -> Contents:
    """Write a backup to `file`, over an older one, while a bot runs. Raises StoreError or OSError."""
    settings, store = config.bot, Store(config.bot.store)
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / STORE
            await store.copy_to(copy)
            versions = await store.versions_in_use()
            try:
                generators = Generators(config.gan.runs, settings.generators, settings.generators_kept)
                versions.add((await generators.current()).version)
            except Refusal:  # nothing has been trained yet
                pass
            return await asyncio.to_thread(_pack, file, copy, config, versions)
    finally:
        await store.close()


def _pack(file: Path, store: Path, config: Config, versions: set[str]) -> Contents:
    about = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(timespec="seconds")}
    kept = [config.bot.generators / f"{version}.safetensors" for version in sorted(versions)]
    found = {f"favorites/{path.name}": path for path in sorted(config.bot.favorites.glob("*"))}
    found |= {f"generators/{path.name}": path for path in kept}
    with _replacing(file) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(ABOUT, json.dumps(about))
        archive.write(store, STORE)
        for name, path in found.items():
            # The pattern leaves out what is being written: such names begin with a dot.
            if _NAME.fullmatch(name):
                with suppress(FileNotFoundError):  # somebody has it forgotten just now
                    archive.write(path, name)
    return Contents.of(file, archive.namelist())


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """A new file beside `file`, which takes its place at the end; the old one stays if anything fails."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    temporary = Path(name)
    os.close(handle)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


async def restore(config: Config, file: Path, force: bool) -> Contents:
    """Put a backup in the place of what is there; `force` also over a home that is in use.

    The whole backup is checked before anything changes. Raises BackupError, StoreError (also while a bot
    runs) or OSError.
    """
    settings, store = config.bot, Store(config.bot.store)
    try:
        with tempfile.TemporaryDirectory() as unpacked:
            folder = Path(unpacked)
            names = await asyncio.to_thread(_unpack, file, folder)
            await _check_store(file, folder / STORE)
            for path in (folder / "generators").glob("*"):
                try:
                    if read_header(path).version != path.stem:
                        raise BackupError(f"{file}: a generator has the name of another")
                except GeneratorError as error:
                    raise BackupError(f"{file}: a generator in it can't be used") from error
            async with store.alone(min(settings.shard_ids, default=0)):
                if not force and (await store.revision() is not None or any(settings.favorites.glob("*"))):
                    raise BackupError(words.would_overwrite(store.name))
                for name, target in (("generators", settings.generators), ("favorites", settings.favorites)):
                    await asyncio.to_thread(_put, folder / name, target)
                await store.replace_with(folder / STORE)
            return Contents.of(file, names)
    finally:
        await store.close()


def _unpack(file: Path, folder: Path) -> list[str]:
    """Unpack a backup into an empty folder; the names in it. Raises BackupError for anything else."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            good = (
                len(set(names)) == len(names)
                and {ABOUT, STORE} <= set(names)
                and all(name in (ABOUT, STORE) or _NAME.fullmatch(name) for name in names)
                and all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
                and sum(entry.file_size for entry in entries) <= file.stat().st_size
            )
            if not good:
                raise BackupError(f"{file} is not a backup of mine")
            about = json.loads(archive.read(ABOUT))
            if about["format"] != FORMAT:
                raise BackupError(f"{file} is from a newer version of me: upgrade me")
            for name in ("favorites", "generators"):
                (folder / name).mkdir()
            for entry in entries:
                path = folder / entry.filename
                with archive.open(entry) as packed, path.open("wb") as written:
                    shutil.copyfileobj(packed, written)  # which compares the checksum
                # The newest generator is the one that is drawn with where there is no run.
                then = time.mktime((*entry.date_time, 0, 0, -1))
                os.utime(path, (then, then))
            return names
    except _UNREADABLE as error:
        raise BackupError(f"{file} is not a backup of mine, or is damaged") from error


async def _check_store(file: Path, store: Path) -> None:
    """Look at the store of a backup, and bring it up to date. Raises BackupError or StoreError."""
    try:
        with closing(sqlite3.connect(store)) as connection:
            (strange,) = connection.execute(
                "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
            ).fetchone()
        copy = Store(at(store))
        try:
            revision = await copy.revision()
            if strange or revision is None:
                raise BackupError(f"{file}: the store in it is not mine")
            await copy.open()
            damage = await copy.damage()
        finally:
            await copy.close()
    except (sqlite3.Error, StoreError) as error:
        raise BackupError(f"{file}: the store in it can't be used ({error})") from error
    if damage:
        raise BackupError(f"{file}: the store in it is damaged ({damage})")


def _put(folder: Path, target: Path) -> None:
    """Write a folder's files into another."""
    files = sorted(folder.glob("*"))
    if files:
        target.mkdir(parents=True, exist_ok=True)
    for path in files:
        write_atomically(target / path.name, path.read_bytes())
        os.utime(target / path.name, (path.stat().st_mtime,) * 2)
