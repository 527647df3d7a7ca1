"""What the catalog holds, as tables."""

from typing import Any

from rich.console import Group
from rich.table import Table

from scraper.catalog import Catalog

TOP = 15


def overview(catalog: Catalog) -> dict[str, Any]:
    """Counts: pictures, bytes; items by shop and state, brand, category, color; failures by reason."""
    db = catalog.db
    pictures, size = db.execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM pictures").fetchone()
    shops: dict[str, dict[str, int]] = {}
    for shop, state, count in db.execute("SELECT shop, state, COUNT(*) FROM items GROUP BY shop, state"):
        shops.setdefault(shop, {"kept": 0, "wanted": 0, "failed": 0})[state] = count
    tags = {
        tag: dict(
            db.execute(
                f"SELECT {tag}, COUNT(*) AS n FROM items"  # noqa: S608  # our own names
                f" WHERE state = 'kept' AND {tag} != ''"
                " GROUP BY 1 ORDER BY n DESC, 1 LIMIT ?",
                (TOP,),
            ).fetchall()
        )
        for tag in ("brand", "category", "color")
    }
    failures = db.execute(
        "SELECT reason, COUNT(*) AS n FROM items WHERE state = 'failed' GROUP BY 1 ORDER BY n DESC LIMIT ?",
        (TOP,),
    ).fetchall()
    return {"pictures": pictures, "bytes": size, "shops": shops, **tags, "failures": dict(failures)}


def tables(numbers: dict[str, Any]) -> Group:
    """The overview for people."""
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
            part = Table(name, "pictures")
            for value, count in numbers[name].items():
                part.add_row(value, str(count))
            parts.append(part)
    return Group(*parts)
