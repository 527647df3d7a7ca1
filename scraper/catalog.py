"""The catalog: every known page and picture, in SQLite (WAL). Each change of state is one transaction."""

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

from filelock import FileLock, Timeout

from scraper.files import Files
from scraper.schema import SCHEMA, UPGRADE, VERSION
from scraper.shop import LONGEST_WORDS, Found, Listing, clean
from scraper.square import Square
from scraper.tags import TAGS, color_in_title

RESUME_WITHIN = timedelta(hours=20)
"""An unfinished crawl resumes where it stopped, unless it began longer ago than this.

Less than a day: of a shop with a page that always fails, each nightly crawl shall see what is new.
"""

STALE_PAGES = 5
"""A listing ends after this many pages in a row with nothing new: some shops have no last page."""

KEEP_WORDS = ", ".join(f"{tag} = COALESCE(NULLIF(?, ''), {tag})" for tag in TAGS)
WORDS = attrgetter(*TAGS)
SEEN = f"last_seen = ?, url = ?, {KEEP_WORDS} WHERE id = ?"


Kept = Literal["new", "same", "duplicate", "forgotten"]


class CatalogError(Exception):
    """The catalog can't be used. The message is one line."""


@dataclass(frozen=True, slots=True)
class Todo:
    """A page that this crawl has yet to read, with the validators (RFC 9110 §8.8) of its last answer."""

    id: int
    url: str
    first: bool
    stale: int
    etag: str | None
    modified: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to fetch: a new one, or one that was last requested at `asked` (POSIX seconds)."""

    id: int
    image: str
    etag: str | None = None
    modified: str | None = None
    asked: float = 0


def now() -> str:
    """The current time as the catalog writes it: UTC, ISO 8601, in whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def moment(ago: timedelta = timedelta()) -> str:
    """The time `ago` before now, to the microsecond, so that the steps of a crawl sort in order."""
    return (datetime.now(UTC) - ago).isoformat(timespec="microseconds")


class Catalog:
    """A context manager around FOLDER/catalog.sqlite and the files beside it, for one process at a time.

    Raises CatalogError if another process has it open, or if the file is not a catalog of this version.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.files = files
        self.released: list[tuple[int, str, str]] = []
        self.lock = FileLock(folder / "lock", blocking=False)
        try:
            self.lock.acquire()
        except Timeout as error:
            raise CatalogError(f"{folder} is in use by another scraper") from error
        try:
            self.db = sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)
            self.db.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            )
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self.db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
            elif version == VERSION - 1:
                self.db.create_function("color_in_title", 2, color_in_title, deterministic=True)
                self.db.executescript(f"BEGIN IMMEDIATE; {UPGRADE} COMMIT;")
            elif version != VERSION:
                hint = "start in another folder and import the originals of this one"
                raise CatalogError(f"{folder}/catalog.sqlite has version {version}, not {VERSION}: {hint}")
        except sqlite3.DatabaseError as error:
            raise CatalogError(f"{folder}/catalog.sqlite: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()
        self.lock.release()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all or nothing."""
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
        """The id of the shop's crawl: a recently interrupted one, or a new one that starts at `start`."""
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
                "UPDATE items SET state = 'wanted' WHERE shop = ? AND state = 'failed' AND transient", (shop,)
            )
            self.queue(shop, crawl, start, first=True)
        return crawl

    def finish(self, crawl: int) -> None:
        """Marks a crawl as complete: all pages read, all pictures tried."""
        with self.change() as db:
            db.execute("UPDATE crawls SET finished = ? WHERE id = ?", (now(), crawl))

    def queue(
        self, shop: str, crawl: int, urls: Iterable[str], *, first: bool = False, stale: int = 0
    ) -> None:
        """Queues pages for this crawl, each at most once. Call within a transaction."""
        self.db.executemany(
            "INSERT INTO pages (shop, url, queued, first, stale) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stale = excluded.stale, queued = excluded.queued"
            " WHERE queued != excluded.queued",
            [(shop, url, crawl, first, stale) for url in urls],
        )

    def next_page(self, shop: str, crawl: int, after: int) -> Todo | None:
        """The first unread page of this crawl with an id above `after`; None at the end."""
        row = self.db.execute(
            "SELECT id, url, first, stale, etag, modified FROM pages"
            " WHERE shop = ? AND queued = ? AND queued > done AND id > ? ORDER BY id LIMIT 1",
            (shop, crawl, after),
        ).fetchone()
        return Todo(row[0], row[1], bool(row[2]), *row[3:]) if row else None

    def record_page(
        self, shop: str, crawl: int, page: Todo, listing: Listing, etag: str | None, modified: str | None
    ) -> tuple[int, int]:
        """Records what a page lists. Returns how many of its pictures are (new, known)."""
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

    def record_unchanged_page(self, shop: str, crawl: int, page: Todo) -> int:
        """Records that a page still lists what it listed last time. Returns the number of its pictures."""
        with self.change() as db:
            more = db.execute("SELECT more FROM pages WHERE id = ?", (page.id,)).fetchone()[0]
            seen = db.execute(
                "UPDATE items SET last_seen = ?, crawl = ? WHERE page = ?", (now(), crawl, page.id)
            ).rowcount
            self.queue(shop, crawl, json.loads(more))
            db.execute("UPDATE pages SET done = ? WHERE id = ?", (crawl, page.id))
        return seen

    def insert(self, shop: str, found: Found, page: int | None, crawl: int, time: str) -> int:
        """Adds an item for a picture new to the catalog; returns its id. Call within a transaction."""
        cursor = self.db.execute(
            "INSERT INTO items (shop, image, url, page, crawl, first_seen, last_seen, "  # noqa: S608  # our own names
            f"{', '.join(TAGS)})"
            f" VALUES (?, ?, ?, ?, ?, ?, ?{', ?' * len(TAGS)})",
            (shop, found.image, found.url, page, crawl, time, time, *WORDS(found)),
        )
        return int(cursor.lastrowid or 0)

    # Pictures.

    def wanted(self, shop: str, after: int, limit: int = 64) -> list[Wanted]:
        """A shop's next pictures to fetch, by id, above `after`."""
        rows = self.db.execute(
            "SELECT id, image FROM items WHERE state = 'wanted' AND shop = ? AND id > ? ORDER BY id LIMIT ?",
            (shop, after, limit),
        )
        return [Wanted(*row) for row in rows]

    def release(self, slot: int | None) -> None:
        """Removes a picture that no item shows any more. Call within a transaction."""
        unused = "SELECT sha256, suffix FROM pictures WHERE id = ?1 AND NOT EXISTS"
        unused += " (SELECT 1 FROM items WHERE picture = ?1)"
        if row := self.db.execute(unused, (slot,)).fetchone():
            self.db.execute("DELETE FROM pictures WHERE id = ?", (slot,))
            self.released.append((slot, *row))

    def sweep(self) -> None:
        """Deletes the files of released pictures: at the end, as another address may bring one back."""
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
        measured: str,
        etag: str | None = None,
        modified: str | None = None,
    ) -> Kept:
        """Adds an item's picture, of `size` bytes: row and square. Call within a transaction.

        `measured` is the color of its pixels, or "".
        The original is on disk already. It replaces the item's former picture; a forgotten one is dropped.
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
            " modified = ?, asked = ?, measured = ? WHERE id = ?",
            (slot, etag, modified, clock(), measured, item),
        )
        if old not in (None, slot):
            self.release(old)
        return "same" if old == slot else "duplicate" if row else "new"

    def is_forgotten(self, *values: str) -> bool:
        """Whether any of these URLs, checksums or `shop:NAME` was taken down."""
        marks = ", ".join("?" * len(values))
        query = f"SELECT 1 FROM forgotten WHERE value IN ({marks})"  # noqa: S608  # question marks
        return self.db.execute(query, values).fetchone() is not None

    def forgotten_checksums(self) -> frozenset[str]:
        """The checksums that were taken down (and any URL of 64 characters)."""
        return frozenset(
            row[0] for row in self.db.execute("SELECT value FROM forgotten WHERE length(value) = 64")
        )

    def fail(self, item: int, reason: str, *, transient: bool) -> None:
        """Records that an item's picture failed; the next crawl retries a transient failure."""
        with self.change() as db:
            db.execute(
                "UPDATE items SET state = 'failed', reason = ?, transient = ? WHERE id = ?",
                (clean(reason, LONGEST_WORDS), transient, item),
            )

    def retry(self, shop: str) -> None:
        """Queues all failed pictures of a shop again."""
        with self.change() as db:
            db.execute("UPDATE items SET state = 'wanted' WHERE shop = ? AND state = 'failed'", (shop,))

    def offer(self, shop: str, found: Found, stamp: str) -> int | Literal["same", "forgotten"]:
        """Adds or updates the item of a local file; `stamp` changes whenever the file does.

        Returns the item's id if the file is to be imported, else whether it is unchanged or was taken down.
        """
        with self.change() as db:
            row = db.execute(
                "SELECT id, state, etag FROM items WHERE shop = ? AND image = ?", (shop, found.image)
            ).fetchone()
            if row is None:
                if self.is_forgotten(found.image, found.url, f"shop:{shop}"):
                    return "forgotten"
                return self.insert(shop, found, None, 0, now())
            db.execute(
                f"UPDATE items SET {SEEN}",  # noqa: S608  # our own names
                (now(), found.url, *WORDS(found), row[0]),
            )
            return "same" if row[1] == "kept" and row[2] == stamp else int(row[0])

    def owns(self, sha256: str, suffix: str) -> bool:
        """Whether some picture has this original."""
        query = "SELECT 1 FROM pictures WHERE sha256 = ? AND suffix = ?"
        return self.db.execute(query, (sha256, suffix)).fetchone() is not None
