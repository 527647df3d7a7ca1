"""Pictures side by side, enlarged, and as PNG."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

GUTTER = 2
"""Pixels of white around each picture."""


def grid(images: NDArray[np.uint8], columns: int, numbers: bool = False, scale: int = 1) -> Image.Image:
    """RGB pictures uint8 [n, S, S, 3] → one picture, row by row with white gutters; the last may be short.

    `numbers` writes 1, 2, … in the corners; `scale` first enlarges each picture by that factor.
    """
    side = images.shape[1] * scale
    step = side + GUTTER
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * step + GUTTER, rows * step + GUTTER), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(max(10, side // 8))
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        corner = (GUTTER + column * step, GUTTER + row * step)
        sheet.paste(enlarge(Image.fromarray(image), scale), corner)
        if numbers:
            pen.text(
                (corner[0] + side // 24, corner[1]),
                str(index + 1),
                "black",
                font,
                stroke_width=2,
                stroke_fill="white",
            )
    return sheet


def enlarge(image: Image.Image, factor: int = 4) -> Image.Image:
    """The picture `factor` times as wide and high, interpolated (Lanczos)."""
    if factor == 1:
        return image
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.LANCZOS)


def magnification(size: int, most: int, side: int) -> int:
    """The factor, from 1 to `most`, that makes pictures of `size` pixels at most `side` pixels large."""
    return max(1, min(most, side // size))


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG; the same pixels give the same bytes."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
