"""Names the color of a bag, photographed or dreamt. Needs numpy alone: the drawing process imports it."""

from colorsys import rgb_to_hsv
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BACKGROUND: Final = 235
"""A pixel is background if its darkest channel is at least this (of 255)."""

VIVID: Final = 45
"""A pixel is vivid if its channels are more than this apart; otherwise it is black, gray or white."""

HUES: Final = (
    (14, "red"),
    (40, "orange"),
    (68, "yellow"),
    (165, "green"),
    (255, "blue"),
    (300, "purple"),
    (345, "pink"),
    (360, "red"),
)
"""The upper limit of each hue, in degrees."""


@dataclass(frozen=True, slots=True)
class Color:
    """The main color of a bag."""

    name: str
    """beige, black, blue, brown, gray, green, orange, pink, purple, red, white or yellow.

    The tags that shops give (see `scraper.tags.COLORS`) also have gold, multicolor and silver.
    """
    rgb: int
    """0xRRGGBB: the median of the pixels that have this name."""


def name_color(pixels: NDArray[np.uint8], bag: NDArray[np.bool_] | None = None) -> Color | None:
    """The main color of a bag on white, RGB uint8 [S, S, 3]; None if less than 2 % of the square is bag.

    `bag`: where it is, bool [S, S]; without it, everything that is not nearly white.
    A bag that is at least 35 % vivid has the color of its vivid part. Samples every second row and column.
    """
    sample = pixels[::2, ::2].transpose(2, 0, 1).reshape(3, -1).astype(np.int16)
    darkest, brightest = np.minimum.reduce(sample), np.maximum.reduce(sample)
    bag = darkest < BACKGROUND if bag is None else bag[::2, ::2].ravel()
    size = np.count_nonzero(bag)
    if size < len(bag) / 50:
        return None
    vivid = bag & (brightest - darkest > VIVID)
    if np.count_nonzero(vivid) >= 0.35 * size:
        red, green, blue = _median(sample, vivid)
        name = _hue_name(red, green, blue)
    else:
        red, green, blue = _median(sample, bag & ~vivid)
        (light,) = _median(brightest[None], bag)
        name = "black" if light < 75 else "gray" if light < 190 else "white"
    return Color(name, red << 16 | green << 8 | blue)


def _median(channels: NDArray[np.int16], where: NDArray[np.bool_]) -> list[int]:
    """The (upper) median of each channel of [C, N] over the pixels in bool [N]."""
    chosen = channels.compress(where, axis=1)  # twice as fast as np.median, and a value that occurs
    middle = chosen.shape[1] // 2
    medians: list[int] = np.partition(chosen, middle)[:, middle].tolist()
    return medians


def _hue_name(red: int, green: int, blue: int) -> str:
    """The word for a vivid color; its channels are 0 to 255."""
    hue, saturation, value = rgb_to_hsv(red / 255, green / 255, blue / 255)
    hue *= 360
    if 10 <= hue < 50 and (value < 0.65 or saturation * value < 0.35):
        return "brown" if value < 0.65 else "beige"
    if 50 <= hue < 68 and value < 0.6:
        return "green"  # olive
    return next(name for limit, name in HUES if hue < limit)
