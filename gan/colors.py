"""The colors of a bag, in words. Imports no torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAMES = {
    "black": (28, 28, 30),
    "gray": (128, 128, 130),
    "silver": (190, 192, 196),
    "white": (244, 242, 238),
    "beige": (214, 194, 160),
    "tan": (188, 140, 92),
    "brown": (104, 66, 42),
    "red": (190, 36, 44),
    "burgundy": (104, 24, 42),
    "orange": (226, 118, 40),
    "yellow": (230, 196, 66),
    "olive": (112, 114, 58),
    "green": (54, 124, 76),
    "teal": (40, 128, 132),
    "sky blue": (132, 182, 222),
    "blue": (48, 88, 170),
    "navy": (30, 40, 80),
    "purple": (112, 66, 146),
    "pink": (232, 150, 178),
    "magenta": (198, 52, 128),
}
"""What bags' colors are called, each with its typical RGB."""

_BACKGROUND = 225
"""Of all three channels at least, in shades of 255: the white that shops photograph on."""

_FEWEST = 0.01
"""Share of a picture that must not be background, or all of it is taken for the bag."""


@dataclass(frozen=True)
class Color:
    """One of a bag's colors."""

    name: str
    """A key of `NAMES`."""
    rgb: int
    """0xRRGGBB: the median of the pixels that are called so."""
    share: float
    """Of the bag's pixels, in (0, 1]."""


def dominant(image: NDArray[np.uint8], count: int = 3) -> list[Color]:
    """The at most `count` colors of a bag on white, RGB uint8 [S, S, 3]; what most of it has comes first."""
    pixels = image.reshape(-1, 3).astype(np.int32)
    bag = pixels[pixels.min(axis=1) < _BACKGROUND]
    if len(bag) < _FEWEST * len(pixels):
        bag = pixels
    distances = ((bag[:, None] - np.array(list(NAMES.values()))) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1)
    frequent = np.bincount(nearest, minlength=len(NAMES))
    order = np.argsort(-frequent, kind="stable")[:count]
    return [_color(index, bag[nearest == index], len(bag)) for index in order if frequent[index]]


def _color(index: int, pixels: NDArray[np.int32], of: int) -> Color:
    red, green, blue = (int(value) for value in np.median(pixels, axis=0))
    return Color(list(NAMES)[index], red << 16 | green << 8 | blue, len(pixels) / of)
