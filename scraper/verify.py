"""Checks the files against the catalog and repairs what can be repaired."""

import hashlib
from collections import Counter
from pathlib import Path

from scraper.catalog import Catalog, CatalogError
from scraper.decode import PictureError
from scraper.settings import Settings
from scraper.square import square


def verify(catalog: Catalog, settings: Settings) -> Counter[str]:
    """Reads every original and square. Returns the number of "pictures", and of each kind of repair.

    A damaged or missing original is wanted again, from its shop; a square is made again from its original;
    files that no picture owns are deleted. Raises CatalogError if SQLite's own check fails.
    """
    found: Counter[str] = Counter()
    (verdict,) = catalog.db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise CatalogError(f"the catalog is damaged: {verdict}")
    files = catalog.files
    last = 0
    while batch := pictures(catalog, last):
        for slot, sha256, suffix in batch:
            last = slot
            found["pictures"] += 1
            path = files.path(sha256, suffix)
            sound = not files.keeps_originals or is_sound(path, sha256)
            squared = files.squares.read(slot) is not None
            if not squared and path.exists() and sound:
                try:
                    data = path.read_bytes()
                    files.squares.write(slot, square(data, settings.square_size, settings.pixels).pixels)
                    found["squares made again"] += 1
                    squared = True
                except PictureError:
                    sound = False  # an older version accepted it
            if not sound or not squared:
                want_again(catalog, slot, sha256, suffix)
                found["pictures wanted again"] += 1
    if strays := sweep(catalog):
        found["stray files deleted"] = strays
    return found


def pictures(catalog: Catalog, after: int, limit: int = 500) -> list[tuple[int, str, str]]:
    """(slot, SHA-256, suffix) of the next pictures with a slot above `after`, in order."""
    query = "SELECT id, sha256, suffix FROM pictures WHERE id > ? ORDER BY id LIMIT ?"
    return catalog.db.execute(query, (after, limit)).fetchall()


def want_again(catalog: Catalog, slot: int, sha256: str, suffix: str) -> None:
    """Removes a lost or damaged picture and marks its items as wanted: the next crawl fetches it."""
    with catalog.change() as db:
        db.execute(
            "UPDATE items SET state = 'wanted', picture = NULL, etag = NULL WHERE picture = ?", (slot,)
        )
        db.execute("DELETE FROM pictures WHERE id = ?", (slot,))
        catalog.files.remove(sha256, suffix, slot)


def is_sound(path: Path, sha256: str) -> bool:
    """Whether the file exists and still has this checksum."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def sweep(catalog: Catalog) -> int:
    """Deletes originals that no picture owns, such as a crash leaves. Returns how many."""
    strays = 0
    for path in catalog.files.originals.glob("??/*"):
        if not catalog.owns(path.stem, path.suffix):
            path.unlink()
            strays += 1
    return strays
