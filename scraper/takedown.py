"""Takedowns: forgotten pictures leave the catalog, the disk and the next dataset, and never come back."""

from scraper.catalog import Catalog, now


def forget(catalog: Catalog, *, url: str = "", shop: str = "", sha256: str = "") -> int:
    """Forgets a picture by its URL, its page's URL or its SHA-256, or a whole shop.

    Returns the number of deleted pictures. The SHA-256 of a picture is remembered with its URL, so that no
    other URL brings it back. A forgotten shop's pictures stay if another shop shows them too.
    """
    with catalog.change() as db:
        found = db.execute(
            "SELECT items.id, pictures.id, sha256, suffix"
            " FROM items LEFT JOIN pictures ON pictures.id = picture WHERE items.id IN ("
            " SELECT id FROM items WHERE image = ?1 UNION SELECT id FROM items WHERE url = ?1"
            " UNION SELECT items.id FROM pictures JOIN items ON picture = pictures.id WHERE sha256 = ?2"
            " UNION SELECT id FROM items WHERE shop = ?3)",
            (url or None, sha256 or None, shop or None),
        ).fetchall()
        checksums = set() if shop else {row[2] for row in found if row[2]}
        values = {value for value in (url, sha256, f"shop:{shop}" if shop else "") if value} | checksums
        db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", [(value, now()) for value in values])
        if shop:
            db.execute("DELETE FROM items WHERE shop = ?", (shop,))
            db.execute("DELETE FROM pages WHERE shop = ?", (shop,))
            db.execute("DELETE FROM crawls WHERE shop = ?", (shop,))
        else:
            db.executemany("DELETE FROM items WHERE id = ?", [(row[0],) for row in found])
            db.executemany(
                "DELETE FROM items WHERE picture = (SELECT id FROM pictures WHERE sha256 = ?)",
                [(checksum,) for checksum in checksums],
            )
        gone = {row[1]: (row[2], row[3]) for row in found if row[1]}
        orphans = [slot for slot in gone if not db.execute(SHOWN, (slot,)).fetchone()]
        for slot in orphans:
            db.execute("DELETE FROM pictures WHERE id = ?", (slot,))
            # Before the commit: after a kill here the row is still there, to be forgotten again.
            checksum, suffix = gone[slot]
            catalog.files.remove(checksum, suffix, slot)
    return len(orphans)


SHOWN = "SELECT 1 FROM items WHERE picture = ? LIMIT 1"
