"""A contact sheet: the catalog's squares in one picture."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from scraper.atomic import write_atomically
from scraper.catalog import Catalog

GUTTER = 2


def write_sheet(catalog: Catalog, path: Path, count: int, columns: int) -> int:
    """Writes a PNG of up to `count` squares, an even sample of the catalog. Returns how many it shows.

    Writes nothing and returns 0 when there are none. Raises OSError.
    """
    (last,) = catalog.db.execute("SELECT COALESCE(MAX(id), 0) FROM pictures").fetchone()
    every = "SELECT id FROM pictures WHERE id % ? = 0 ORDER BY id LIMIT ?"
    slots = [row[0] for row in catalog.db.execute(every, (max(1, last // count), count))]
    squares = [pixels for slot in slots if (pixels := catalog.files.squares.read(slot)) is not None]
    if not squares:
        return 0
    cell = squares[0].shape[0] + GUTTER
    rows = -(-len(squares) // columns)
    canvas = np.full((rows * cell + GUTTER, min(columns, len(squares)) * cell + GUTTER, 3), 208, np.uint8)
    for number, pixels in enumerate(squares):
        top, left = GUTTER + number // columns * cell, GUTTER + number % columns * cell
        canvas[top : top + cell - GUTTER, left : left + cell - GUTTER] = pixels
    png = io.BytesIO()
    Image.fromarray(canvas).save(png, "PNG")
    write_atomically(path, png.getvalue())
    return len(squares)
