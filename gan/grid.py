"""Pictures side by side, and larger."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

GUTTER = 2
"""Pixels of white around every picture."""


def grid(images: NDArray[np.uint8], columns: int, numbers: bool = False, scale: int = 1) -> Image.Image:
    """uint8 [n, S, S, 3] → one picture, row by row with white gutters; the last row may be short.

    `numbers` writes 1, 2, … into the corners; `scale` enlarges every picture by that factor first.
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
    """The picture `factor` times as large, without blocks (Lanczos)."""
    if factor == 1:
        return image
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.LANCZOS)


def png(picture: Image.Image) -> bytes:
    """The picture as PNG: the same bytes for the same pixels."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
