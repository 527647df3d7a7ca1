"""A server's favorites as zip files, each small enough to be sent."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """One favorite, as the index tells it. It names nobody."""

    code: str
    saved_at: datetime
    by_vote: bool
    up: int
    down: int


@dataclass(frozen=True)
class Archive:
    """A zip file, and how many favorites are in it."""

    data: bytes
    favorites: int


_COLUMNS = ("code", "saved_at", "by_vote", "up", "down", "files")
_ENTRY = 512
"""Bytes that a file needs beyond its own: the zip's two headers, and its part of the index."""


def archives(folder: Path, favorites: Sequence[Kept], most: int) -> Iterator[Archive]:
    """Zip files of at most `most` bytes with every favorite's PNGs and JSON and an index.csv, in order.

    A favorite whose files are not in the folder is only in the index. Raises OSError.
    """
    rows: list[tuple[Kept, dict[str, bytes]]] = []
    size = _ENTRY
    for kept in favorites:
        files = _files(folder, kept.code)
        needs = _ENTRY * (1 + len(files)) + sum(map(len, files.values()))
        if rows and size + needs > most:
            yield _pack(rows)
            rows, size = [], _ENTRY
        rows.append((kept, files))
        size += needs
    if rows:
        yield _pack(rows)


def _files(folder: Path, code: str) -> dict[str, bytes]:
    names = (f"{code}.png", f"{code}-large.png", f"{code}.json")
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def _pack(rows: Sequence[tuple[Kept, dict[str, bytes]]]) -> Archive:
    index = io.StringIO()
    table = csv.writer(index)
    table.writerow(_COLUMNS)
    for kept, files in rows:
        saved_at = kept.saved_at.isoformat(timespec="seconds")
        table.writerow([kept.code, saved_at, int(kept.by_vote), kept.up, kept.down, " ".join(files)])
    data = io.BytesIO()
    # Stored and not deflated: PNGs are packed already.
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("index.csv", index.getvalue())
        for _, files in rows:
            for name, content in files.items():
                archive.writestr(name, content)
    return Archive(data.getvalue(), len(rows))
