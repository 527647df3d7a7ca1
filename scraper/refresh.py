"""Pictures that we have, asked for again after a while: a shop may have changed one at the same address."""

from datetime import datetime, timedelta
from time import time as clock

from scraper.catalog import Catalog, Wanted


def due(
    catalog: Catalog, shop: str, crawl: int, age: timedelta, after: Wanted | None, limit: int = 64
) -> list[Wanted]:
    """Pictures that this crawl has seen, and that were asked for before it and longer ago than `age`.

    Up to twice as long, by their numbers: what came in one night is not asked for again in one night.
    The longest ago comes first; `after` is the last of those that were given already.
    """
    (started,) = catalog.db.execute("SELECT started FROM crawls WHERE id = ?", (crawl,)).fetchone()
    seconds = age.total_seconds()
    latest = min(datetime.fromisoformat(started).timestamp(), clock() - seconds)
    last = (after.asked, after.id) if after else (0, 0)
    rows = catalog.db.execute(
        "SELECT id, image, etag, modified, asked FROM items"
        " WHERE state = 'kept' AND shop = ? AND crawl = ?"
        " AND asked < ? AND asked < ? - ? * (id * 61 % 100)"
        " AND (asked, id) > (?, ?) ORDER BY asked, id LIMIT ?",
        (shop, crawl, latest, latest, seconds / 100, *last, limit),
    )
    return [Wanted(*row) for row in rows]


def same(catalog: Catalog, item: int) -> None:
    """The item's picture is what it was when it was last asked for, or its shop has it no more."""
    with catalog.change() as db:
        db.execute("UPDATE items SET asked = ? WHERE id = ?", (clock(), item))


def drop(catalog: Catalog, item: int, reason: str) -> None:
    """The item's picture is here, but may no longer be."""
    with catalog.change() as db:
        (old,) = db.execute("SELECT picture FROM items WHERE id = ?", (item,)).fetchone()
        db.execute(
            "UPDATE items SET state = 'failed', reason = ?, transient = 0, picture = NULL WHERE id = ?",
            (reason, item),
        )
        catalog.release(old)
