"""`!bag export`: a server's favorites as zip files, each small enough to be sent."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from discord.ext import commands

from bot import words
from bot.client.bot import Context, guild_id
from bot.client.replies import defer_privately, tell
from bot.errors import Refusal
from bot.features.card import MAX_UPLOAD, attach
from bot.features.feature import Feature
from bot.store.favorites import Kept

MOST_ZIPS = 5


@dataclass(frozen=True)
class Archive:
    """A zip file, and how many favorites are in it."""

    data: bytes
    favorites: int


_COLUMNS = ("code", "saved_at", "by_vote", "up", "down", "files")
_ENTRY = 512
"""Bytes that a file needs beyond its own: the zip's two headers, and its part of the index."""


class ExportCog(Feature):
    """Hands a server's favorites to the people who manage it."""

    @commands.hybrid_command(name="export")
    @commands.has_guild_permissions(manage_guild=True)
    async def export(self, context: Context) -> None:
        """The favorites of a server as a zip, for you alone: `!bag export`."""
        if context.interaction is not None:
            await defer_privately(context.interaction)
        favorites = await self.store.kept(guild_id(context))
        if not favorites:
            raise Refusal(words.no_favorites(None))
        # Read and packed one by one, off the loop: no more than one is in memory.
        zips = islice(archives(self.settings.favorites, favorites, MAX_UPLOAD), MOST_ZIPS)
        number = sent = 0
        while (archive := await asyncio.to_thread(next, zips, None)) is not None:
            number, sent = number + 1, sent + archive.favorites
            name = "favorites.zip" if archive.favorites == len(favorites) else f"favorites-{number}.zip"
            file = attach(name, archive.data, words.ZIP_ALT)
            await tell(context, words.exported(number, sent, len(favorites)), file=file)
        if sent < len(favorites):
            await tell(context, words.EXPORT_REST)


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
