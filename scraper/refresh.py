"""Refreshes known pictures after a while: a shop may have changed one at the same URL."""

from datetime import datetime, timedelta
from time import time as clock

from scraper.catalog import Catalog, Wanted


def due(
    catalog: Catalog, shop: str, crawl: int, age: timedelta, after: Wanted | None, limit: int = 64
) -> list[Wanted]:
    """The next pictures that this crawl has seen listed and that were requested longer than `age` ago.

    Depending on its id a picture is due after one to two times `age`, so that what came in one night is not
    due in one night. The oldest come first; `after` is the last one of the previous call.
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


def keep(catalog: Catalog, item: int) -> None:
    """Records that an item's picture was requested and stays: it is unchanged, or its shop has removed it."""
    with catalog.change() as db:
        db.execute("UPDATE items SET asked = ? WHERE id = ?", (clock(), item))


def drop(catalog: Catalog, item: int, reason: str) -> None:
    """Removes an item's picture, for a reason such as "opted out (noai)"."""
    with catalog.change() as db:
        (old,) = db.execute("SELECT picture FROM items WHERE id = ?", (item,)).fetchone()
        db.execute(
            "UPDATE items SET state = 'failed', reason = ?, transient = 0, picture = NULL WHERE id = ?",
            (reason, item),
        )
        catalog.release(old)
