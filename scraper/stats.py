"""Counts what the catalog holds, and shows it as tables."""

from typing import Any

from rich.console import Group
from rich.table import Table

from scraper.catalog import Catalog

TOP = 15


def count(catalog: Catalog) -> dict[str, Any]:
    """Counts: pictures, bytes; items by shop and state, brand, category, color (how many of these
    are `measured` by their pixels); failures by reason.
    """
    db = catalog.db
    total = dict(db.execute("SELECT name, n FROM tally WHERE what = 'all'").fetchall())
    shops: dict[str, dict[str, int]] = {}
    for shop, state, number in db.execute("SELECT shop, name, n FROM tally WHERE what = 'state' AND n > 0"):
        shops.setdefault(shop, {"kept": 0, "wanted": 0, "failed": 0})[state] = number
    top = "SELECT name, n FROM tally WHERE what = ? AND n > 0 ORDER BY n DESC LIMIT ?"
    tags = {
        what: dict(db.execute(top, (what, TOP)).fetchall())
        for what in ("brand", "category", "color", "failures")
    }
    measured = dict(db.execute("SELECT what, n FROM tally WHERE what = 'measured'").fetchall())
    counts = {"pictures": total.get("pictures", 0), "bytes": total.get("bytes", 0), "shops": shops}
    return counts | tags | {"measured": measured.get("measured", 0)}


def tables(numbers: dict[str, Any]) -> Group:
    """The counts as Rich tables."""
    shops = Table(
        "shop",
        "kept",
        "wanted",
        "failed",
        title=f"{numbers['pictures']} pictures, {numbers['bytes'] / 1e6:.0f} MB",
    )
    for shop, states in numbers["shops"].items():
        shops.add_row(shop, *(str(states[state]) for state in ("kept", "wanted", "failed")))
    parts = [shops]
    for name in ("brand", "category", "color", "failures"):
        if numbers[name]:
            measured = f"measured: {numbers['measured']}" if name == "color" and numbers["measured"] else None
            part = Table(name, "pictures", caption=measured)
            for value, number in numbers[name].items():
                part.add_row(value, str(number))
            parts.append(part)
    return Group(*parts)
