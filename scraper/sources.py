"""Pictures that you have already: a folder, zip or tar, with a CSV of tags beside it or in it."""

import csv
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Self
from urllib.parse import quote

from scraper.decode import PictureError
from scraper.shop import Found
from scraper.tags import TAGS

TABLE_BYTES = 100_000_000
EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
HEADER_BYTES = 1_000_000
"""The most bytes of an extended header in a tar: it is read whole, before anything else is known."""

BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # zipfile's, for a compression that it doesn't know
    RuntimeError,
    UnicodeDecodeError,
)


class NothingToImportError(Exception):
    """There is nothing to import. The message is one line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its path in the source, its URL, and a stamp that changes whenever the file does.

    `read(cap)` returns its bytes. Raises PictureError if there are more than `cap` or it can't be read.
    """

    path: str
    address: str
    stamp: str
    read: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Source:
    """What to import: its name in the catalog, its files, and their tags by path."""

    name: str
    path: Path
    entries: Callable[[], Iterator[Entry]]
    tags: dict[str, dict[str, str]]

    def found(self, entry: Entry) -> Found:
        """A file as an item of the catalog."""
        tags = self.tags.get(entry.path, {})
        return Found(image=entry.address, url=tags.get("url", ""), **{tag: tags.get(tag, "") for tag in TAGS})


def open_source(path: Path) -> Source:
    """Opens a folder, a zip, a tar, or a CSV that lists files. Raises NothingToImportError."""
    path = path.resolve()
    if not path.exists():
        raise NothingToImportError(f"no such folder: {path}")
    if path.is_dir():
        tables = [path.with_name(f"{path.name}.csv"), *sorted(path.glob("*.csv"))]
        tags = {str(file): row for each in tables if each.is_file() for file, row in table_of(each).items()}
        return Source(path.name, path, lambda: folder(path), tags)
    if path.suffix.lower() == ".csv":
        rows = table_of(path)
        return Source(
            path.stem, path, lambda: map(file_entry, rows), {str(file): row for file, row in rows.items()}
        )
    neither = f"neither a folder, a zip, a tar, nor a CSV of tags: {path}"
    if not path.is_file():  # opening a FIFO would wait for ever
        raise NothingToImportError(neither)
    try:
        if zipfile.is_zipfile(path):
            return archive(path, zipped)
        with open_tar(path):
            pass
    except tarfile.ReadError as error:
        raise NothingToImportError(neither) from error
    except (*BROKEN_ARCHIVE, OSError) as error:
        raise NothingToImportError(f"cannot read {path}: {error}") from error
    try:
        return archive(path, tarred)
    except (*BROKEN_ARCHIVE, OSError) as error:
        raise NothingToImportError(f"cannot read {path}: {error}") from error


def folder(path: Path) -> Iterator[Entry]:
    """The files of a folder and its subfolders, in order, without hidden ones and CSVs."""
    for place, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if is_picture_name(name) and not is_special(path):
                yield file_entry(path)


def is_special(path: Path) -> bool:
    """Whether this is a FIFO, a socket or a device: reading one may wait for ever, or never end."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False  # reading it will report why


def is_picture_name(name: str) -> bool:
    """Whether a file may be a picture: it is neither hidden nor a CSV. The content tells its type."""
    return not name.startswith(".") and not name.lower().endswith(".csv")


def file_entry(path: Path) -> Entry:
    """A file on disk."""
    try:
        status = path.stat()
        stamp = f"{status.st_size}-{status.st_mtime_ns}"
    except OSError:
        stamp = ""  # reading it will report why
    return Entry(str(path), path.as_uri(), stamp, lambda cap: read_file(path, cap))


def read_file(path: Path, cap: int) -> bytes:
    """A file's bytes. Raises PictureError if there are more than `cap` or it can't be read."""
    if is_special(path):
        raise PictureError("not a file")
    try:
        with path.open("rb") as file:
            return read_capped(file, cap)
    except OSError as error:
        raise PictureError(error.strerror or "cannot be read") from error


def read_capped(file: IO[bytes], cap: int) -> bytes:
    """All bytes of an open file. Raises PictureError if there are more than `cap`."""
    data = file.read(cap + 1)
    if len(data) > cap:
        raise PictureError(f"larger than {cap} bytes")
    return data


def archive(path: Path, members: Callable[[Path], Iterator[Entry]]) -> Source:
    """An archive. Nothing is ever extracted to disk, so the names in it can do no harm."""
    tags: dict[str, dict[str, str]] = {}
    if (beside := path.with_name(f"{path.name.partition('.')[0]}.csv")).is_file():
        tags |= {str(file.relative_to(path.parent)): row for file, row in table_of(beside).items()}
    for entry in members(path):
        if entry.path.lower().endswith(".csv") and "/" not in entry.path:
            try:
                text = entry.read(TABLE_BYTES).decode("utf-8-sig")
            except (PictureError, UnicodeDecodeError) as error:
                raise NothingToImportError(f"cannot read {entry.path} in {path}: {error}") from error
            tags |= table(text, entry.path)
    return Source(
        path.name.partition(".")[0],
        path,
        lambda: (e for e in members(path) if is_picture_name(Path(e.path).name)),
        tags,
    )


def zipped(path: Path) -> Iterator[Entry]:
    """The files of a zip, in its order."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue

            def read(cap: int, info: zipfile.ZipInfo = info) -> bytes:
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise PictureError("a symlink in an archive")
                if info.flag_bits & 1:
                    raise PictureError("encrypted")
                try:
                    with archive.open(info) as file:
                        return read_capped(file, cap)
                except (*BROKEN_ARCHIVE, OSError, ValueError) as error:
                    raise PictureError("broken in its archive") from error

            yield Entry(
                info.filename, member_address(path, info.filename), f"{info.file_size}-{info.CRC}", read
            )


def tarred(path: Path) -> Iterator[Entry]:
    """The files of a tar, compressed or not, in its order."""
    with open_tar(path) as archive:
        while info := archive.next():
            archive.members.clear()  # type: ignore[attr-defined]  # the stubs lack it; it would keep them all
            if not (info.isreg() or info.issym() or info.islnk()):
                continue

            def read(cap: int, info: tarfile.TarInfo = info) -> bytes:
                if not info.isreg():
                    raise PictureError("a symlink in an archive")
                try:
                    file = archive.extractfile(info)
                    return read_capped(file, cap) if file else b""
                except (*BROKEN_ARCHIVE, OSError) as error:
                    raise PictureError("broken in its archive") from error

            name = str(PurePosixPath(info.name))
            yield Entry(legible(name), member_address(path, name), f"{info.size}-{info.mtime}", read)


class BoundedTarInfo(tarfile.TarInfo):
    """The header of a member, unless it announces an extended header that is too large."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """A header from its block of 512 bytes. Raises tarfile.HeaderError."""
        info = super().frombuf(buf, encoding, errors)
        if info.type in EXTENDED and info.size > HEADER_BYTES:
            raise tarfile.HeaderError(f"an extended header of {info.size} bytes")
        return info


def open_tar(path: Path) -> tarfile.TarFile:
    """Opens a tar, compressed or not. Raises tarfile.TarError, OSError or what its compression raises."""
    return tarfile.open(path, tarinfo=BoundedTarInfo, encoding="utf-8", errors="surrogateescape")


def legible(name: str) -> str:
    """A name in an archive as text: what is not UTF-8 is taken for Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def member_address(path: Path, name: str) -> str:
    """The URL of a file in an archive."""
    return f"{path.as_uri()}#{quote(name.encode('utf-8', 'surrogateescape'))}"


def table_of(path: Path) -> dict[Path, dict[str, str]]:
    """A CSV on disk: file → tags. Raises NothingToImportError."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NothingToImportError(f"cannot read {path}: {error}") from error
    return {path.parent / file: row for file, row in table(text, str(path)).items()}


def table(text: str, name: str) -> dict[str, dict[str, str]]:
    """A CSV with the columns file (relative to the CSV), title, brand, category, color, …: file → tags.

    Raises NothingToImportError.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise NothingToImportError(f"cannot read {name}: {error}") from error
    if rows and "file" not in rows[0]:
        raise NothingToImportError(f"{name} has no column `file`")
    return {
        row["file"]: {key: value.strip() for key, value in row.items() if key and isinstance(value, str)}
        for row in rows
        if row["file"]
    }
