"""The catalog: every page and picture we know, in SQLite (WAL). Every change of state is one transaction."""

import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from time import time as clock
from typing import Literal, Self

from scraper.files import Files
from scraper.schema import SCHEMA, VERSION
from scraper.shop import Found, Listing
from scraper.square import Square
from scraper.tags import TAGS

RESUME_WITHIN = timedelta(days=1)
"""A crawl that was broken off goes on where it was; after this long it starts at the first page again."""

STALE_PAGES = 5
"""So many pages in a row with nothing the crawl has not seen end a listing: some shops have no last page."""

KEEP_WORDS = ", ".join(f"{tag} = COALESCE(NULLIF(?, ''), {tag})" for tag in TAGS)
WORDS = attrgetter(*TAGS)
SEEN = f"last_seen = ?, url = ?, {KEEP_WORDS} WHERE id = ?"


Kept = Literal["new", "same", "duplicate", "forgotten"]


class CatalogError(Exception):
    """The catalog cannot be used. One line."""


@dataclass(frozen=True, slots=True)
class Todo:
    """A page that this crawl has to read, with what it said of itself the last time."""

    id: int
    url: str
    first: bool
    stale: int
    etag: str | None
    modified: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to ask a shop for: one that we do not have, or one that we have had since `asked`."""

    id: int
    image: str
    etag: str | None = None
    modified: str | None = None
    asked: float = 0


def now() -> str:
    """The time as the catalog writes it: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def moment(ago: timedelta = timedelta()) -> str:
    """The time some time ago, to the microsecond: what follows in a crawl stays in order."""
    return (datetime.now(UTC) - ago).isoformat(timespec="microseconds")


class Catalog:
    """A context manager around FOLDER/catalog.sqlite and the files beside it; one process writes at a time.

    Raises CatalogError when another one does, or when the file is not ours.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.files = files
        self.released: list[tuple[int, str, str]] = []
        self.lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.lock.close()
            raise CatalogError(f"{folder} is in use by another scraper") from error
        try:
            self.db = sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)
            self.db.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            )
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self.db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
            elif version != VERSION:
                hint = "begin in another folder, and import the originals of this one"
                raise CatalogError(f"{folder}/catalog.sqlite is of version {version}, not {VERSION}: {hint}")
            self.respell()
        except sqlite3.DatabaseError as error:
            raise CatalogError(f"{folder}/catalog.sqlite: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()
        self.lock.close()

    def respell(self) -> None:
        """Turns "grey", which older versions wrote, into "gray"; `keep` does so for what is still wanted."""
        old = "SELECT 1 FROM tally WHERE what = 'color' AND shop = '' AND name = 'grey' AND n > 0"
        if self.db.execute(old).fetchone():
            self.db.execute("UPDATE items SET color = 'gray' WHERE color = 'grey'")

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it happens, or nothing."""
        released = len(self.released)
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            del self.released[released:]
            raise
        self.db.execute("COMMIT")

    # Crawls and their pages.

    def begin(self, shop: str, start: Iterable[str]) -> int:
        """The number of the shop's crawl: the one lately broken off, or a new one at the start pages."""
        recent = moment(RESUME_WITHIN)
        with self.change() as db:
            row = db.execute(
                "SELECT id FROM crawls WHERE shop = ? AND finished IS NULL AND started > ?", (shop, recent)
            ).fetchone()
            crawl: int
            if row:
                crawl = row[0]
            else:
                db.execute(
                    "UPDATE crawls SET finished = ? WHERE shop = ? AND finished IS NULL", (now(), shop)
                )
                cursor = db.execute("INSERT INTO crawls (shop, started) VALUES (?, ?)", (shop, moment()))
                crawl = int(cursor.lastrowid or 0)
                db.execute("UPDATE pages SET done = queued WHERE shop = ? AND queued > done", (shop,))
                db.execute(
                    "UPDATE items SET state = 'wanted' WHERE shop = ? AND state = 'failed' AND transient",
                    (shop,),
                )
            self.queue(shop, crawl, start, first=True)
        return crawl

    def finish(self, crawl: int) -> None:
        """The crawl has read all its pages and tried all its pictures."""
        with self.change() as db:
            db.execute("UPDATE crawls SET finished = ? WHERE id = ?", (now(), crawl))

    def queue(
        self, shop: str, crawl: int, urls: Iterable[str], *, first: bool = False, stale: int = 0
    ) -> None:
        """Asks for pages in this crawl, once each (within a transaction)."""
        self.db.executemany(
            "INSERT INTO pages (shop, url, queued, first, stale) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stale = excluded.stale, queued = excluded.queued"
            " WHERE queued != excluded.queued",
            [(shop, url, crawl, first, stale) for url in urls],
        )

    def next_page(self, shop: str, crawl: int, after: int) -> Todo | None:
        """The next page of this crawl that has not been read, in the order in which they were found."""
        row = self.db.execute(
            "SELECT id, url, first, stale, etag, modified FROM pages"
            " WHERE shop = ? AND queued = ? AND queued > done AND id > ? ORDER BY id LIMIT 1",
            (shop, crawl, after),
        ).fetchone()
        return Todo(row[0], row[1], bool(row[2]), *row[3:]) if row else None

    def read(
        self, shop: str, crawl: int, page: Todo, listing: Listing, etag: str | None, modified: str | None
    ) -> tuple[int, int]:
        """Writes down what a page gave. Returns (new pictures, known pictures)."""
        time = now()
        new = known = repeated = 0
        with self.change() as db:
            for found in listing.items:
                row = db.execute(
                    "SELECT id, crawl, page FROM items WHERE shop = ? AND image = ?", (shop, found.image)
                ).fetchone()
                if row:
                    known += 1
                    if row[1] == crawl and row[2] != page.id:
                        repeated += 1
                    db.execute(
                        f"UPDATE items SET crawl = ?, page = ?, {SEEN}",  # noqa: S608  # our own names
                        (crawl, page.id, time, found.url, *WORDS(found), row[0]),
                    )
                elif not self.is_forgotten(found.image, found.url):
                    new += 1
                    self.insert(shop, found, page.id, crawl, time)
            stale = page.stale + 1 if listing.items and repeated == len(listing.items) else 0
            more = listing.more if stale < STALE_PAGES else []
            self.queue(shop, crawl, more, stale=stale)
            db.execute(
                "UPDATE pages SET done = ?, etag = ?, modified = ?, more = ? WHERE id = ?",
                (crawl, etag, modified, json.dumps(more), page.id),
            )
        return new, known

    def unchanged(self, shop: str, crawl: int, page: Todo) -> int:
        """The page is as it was: what it gave then it gives now. Returns the number of pictures on it."""
        with self.change() as db:
            more = db.execute("SELECT more FROM pages WHERE id = ?", (page.id,)).fetchone()[0]
            seen = db.execute(
                "UPDATE items SET last_seen = ?, crawl = ? WHERE page = ?", (now(), crawl, page.id)
            ).rowcount
            self.queue(shop, crawl, json.loads(more))
            db.execute("UPDATE pages SET done = ? WHERE id = ?", (crawl, page.id))
        return seen

    def insert(self, shop: str, found: Found, page: int | None, crawl: int, time: str) -> int:
        """A picture we have not heard of before (within a transaction). Returns its number."""
        cursor = self.db.execute(
            "INSERT INTO items (shop, image, url, page, crawl, first_seen, last_seen, "  # noqa: S608  # our own names
            f"{', '.join(TAGS)})"
            f" VALUES (?, ?, ?, ?, ?, ?, ?{', ?' * len(TAGS)})",
            (shop, found.image, found.url, page, crawl, time, time, *WORDS(found)),
        )
        return int(cursor.lastrowid or 0)

    # Pictures.

    def wanted(self, shop: str, after: int, limit: int = 64) -> list[Wanted]:
        """Pictures of a shop that are still to be fetched, in order, after one's number."""
        rows = self.db.execute(
            "SELECT id, image FROM items WHERE state = 'wanted' AND shop = ? AND id > ? ORDER BY id LIMIT ?",
            (shop, after, limit),
        )
        return [Wanted(*row) for row in rows]

    def release(self, slot: int | None) -> None:
        """Takes a picture that no item shows any more out of the catalog (within a transaction)."""
        unused = "SELECT sha256, suffix FROM pictures WHERE id = ?1 AND NOT EXISTS"
        unused += " (SELECT 1 FROM items WHERE picture = ?1)"
        if row := self.db.execute(unused, (slot,)).fetchone():
            self.db.execute("DELETE FROM pictures WHERE id = ?", (slot,))
            self.released.append((slot, *row))

    def sweep(self) -> None:
        """Deletes the files of released pictures: at the end, as one may come in by another address."""
        while self.released:
            slot, sha256, suffix = self.released.pop()
            if not self.owns(sha256, suffix):
                self.files.path(sha256, suffix).unlink(missing_ok=True)
            if not self.db.execute("SELECT 1 FROM pictures WHERE id = ?", (slot,)).fetchone():
                self.files.squares.wipe(slot)

    def keep(
        self,
        item: int,
        sha256: str,
        size: int,
        picture: Square,
        color: str,
        etag: str | None = None,
        modified: str | None = None,
    ) -> Kept:
        """The item's picture is here: square and row (within a transaction; the original is on disk).

        It takes the place of one that the item showed before; a forgotten one goes.
        """
        db = self.db
        old = db.execute("SELECT picture FROM items WHERE id = ?", (item,)).fetchone()[0]
        if self.is_forgotten(sha256):
            db.execute("DELETE FROM items WHERE id = ?", (item,))
            self.release(old)
            return "forgotten"
        row = db.execute("SELECT id FROM pictures WHERE sha256 = ?", (sha256,)).fetchone()
        if row:
            slot = row[0]
        else:
            cursor = db.execute(
                "INSERT INTO pictures (sha256, suffix, bytes, width, height, look, added)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (sha256, picture.suffix, size, picture.width, picture.height, picture.look, now()),
            )
            slot = int(cursor.lastrowid or 0)
            self.files.squares.write(slot, picture.pixels)
        db.execute(
            "UPDATE items SET state = 'kept', reason = NULL, transient = 0, picture = ?, etag = ?,"
            " modified = ?, asked = ?,"
            " color = CASE color WHEN '' THEN ? WHEN 'grey' THEN 'gray' ELSE color END WHERE id = ?",
            (slot, etag, modified, clock(), color, item),
        )
        if old not in (None, slot):
            self.release(old)
        return "same" if old == slot else "duplicate" if row else "new"

    def is_forgotten(self, *values: str) -> bool:
        """True when any of these addresses, checksums or shop names was taken down."""
        marks = ", ".join("?" * len(values))
        query = f"SELECT 1 FROM forgotten WHERE value IN ({marks})"  # noqa: S608  # question marks
        return self.db.execute(query, values).fetchone() is not None

    def forgotten_checksums(self) -> frozenset[str]:
        """The checksums that were taken down (and the few addresses that are as long)."""
        return frozenset(
            row[0] for row in self.db.execute("SELECT value FROM forgotten WHERE length(value) = 64")
        )

    def fail(self, item: int, reason: str, *, transient: bool) -> None:
        """The item's picture could not be had; a transient failure is tried again by the next crawl."""
        with self.change() as db:
            db.execute(
                "UPDATE items SET state = 'failed', reason = ?, transient = ? WHERE id = ?",
                (reason, transient, item),
            )

    def retry(self, shop: str) -> None:
        """All of a shop's failures are wanted again."""
        with self.change() as db:
            db.execute("UPDATE items SET state = 'wanted' WHERE shop = ? AND state = 'failed'", (shop,))

    def offer(self, shop: str, found: Found, stamp: str) -> int | None:
        """A file of ours: its item's number if it is to be taken in, None if it is here or forgotten."""
        with self.change() as db:
            row = db.execute(
                "SELECT id, state, etag FROM items WHERE shop = ? AND image = ?", (shop, found.image)
            ).fetchone()
            if row is None:
                if self.is_forgotten(found.image, found.url, f"shop:{shop}"):
                    return None
                return self.insert(shop, found, None, 0, now())
            db.execute(
                f"UPDATE items SET {SEEN}",  # noqa: S608  # our own names
                (now(), found.url, *WORDS(found), row[0]),
            )
            return None if row[1] == "kept" and row[2] == stamp else int(row[0])

    def owns(self, sha256: str, suffix: str) -> bool:
        """True when a picture has this original."""
        query = "SELECT 1 FROM pictures WHERE sha256 = ? AND suffix = ?"
        return self.db.execute(query, (sha256, suffix)).fetchone() is not None
