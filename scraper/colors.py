"""Names the color of a bag, photographed or dreamt. Needs numpy alone: the drawing process imports it.

The name is that of the highest score, by multinomial logistic regression on nine numbers about the bag's
pixels in CIELAB (CIE 15, illuminant D65), learned from tagged photos.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BACKGROUND: Final = 235
"""A pixel is background if its darkest channel is at least this (of 255)."""

VIVID: Final = 45
"""A pixel is vivid if its channels are more than this apart."""

NEUTRAL: Final = frozenset(("black", "gray", "white"))
SAMPLES: Final = 32
"""The rows and columns of a square that are looked at."""

SCORES: Final = {
    "beige": (0.49, 2.54, -0.67, -7.77, 3.06, -1.19, -1.64, 4.44, 10.98, -1.68),
    "black": (-2.69, -0.95, -2.05, 8.54, 11.35, -9.26, 2.47, -10.20, -7.18, 3.00),
    "blue": (-0.35, -0.42, -1.09, -7.66, -7.37, 10.82, 1.01, -6.71, -7.87, 1.72),
    "brown": (0.12, -3.69, 0.05, -2.54, 9.03, -1.93, -4.27, 7.16, 4.23, 0.91),
    "gray": (2.24, 1.25, -2.03, 0.35, -7.84, 0.15, 0.78, -7.03, -1.56, 5.30),
    "green": (0.86, -3.25, -2.14, -8.36, -1.88, 7.81, -0.78, -13.76, 4.62, 0.94),
    "orange": (-1.52, 2.63, -0.25, -0.89, 3.31, 1.65, 3.60, 3.03, 1.17, -3.40),
    "pink": (-0.42, 4.35, 1.74, 5.65, -7.84, 2.91, -3.42, 10.40, 0.45, -1.44),
    "purple": (3.88, -3.40, -0.39, 4.48, -14.05, -2.24, -2.70, 9.82, -5.90, 1.44),
    "red": (-3.95, -1.61, 0.93, 10.61, 5.22, -8.63, 2.75, 8.22, -1.02, -4.39),
    "white": (1.87, 3.07, 5.23, 2.27, -3.05, 3.18, -0.15, -4.15, -2.42, 0.10),
    "yellow": (-0.53, -0.50, 0.69, -4.69, 10.05, -3.26, 2.35, -1.24, 4.49, -2.51),
}  # fmt: skip
"""Of each color the weight of each feature, and last its bias.

`python -m benchmarks.colors PHOTOS` learns and prints them.
"""

_NAMES: Final = tuple(SCORES)
_WEIGHTS: Final = np.array(list(SCORES.values()), np.float32)
_LEVELS: Final = np.arange(256, dtype=np.float32) / 255
_LINEAR: Final = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)
"""The light of each level of sRGB, 0 to 1 (IEC 61966-2-1)."""
_TO_XYZ: Final = np.array(
    (
        (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
    ),
    np.float32,
)
"""Linear sRGB to XYZ as fractions of the white of D65."""


@dataclass(frozen=True, slots=True)
class Color:
    """The main color of a bag."""

    name: str
    """beige, black, blue, brown, gray, green, orange, pink, purple, red, white or yellow.

    The tags that shops give (see `scraper.tags.COLORS`) also have gold, multicolor and silver.
    """
    rgb: int
    """0xRRGGBB: the median of its vivid pixels, or for black, gray and white of the others."""


def name_color(pixels: NDArray[np.uint8], bag: NDArray[np.bool_] | None = None) -> Color | None:
    """The main color of a bag on white, RGB uint8 [S, S, 3]; None if less than 2 % of the square is bag.

    `bag`: where it is, bool [S, S]; without it, everything that is not nearly white.
    """
    chosen = bag_pixels(pixels, bag)
    if chosen is None:
        return None
    name = _NAMES[int(np.argmax(_WEIGHTS[:, :-1] @ features(chosen) + _WEIGHTS[:, -1]))]
    vivid = np.maximum.reduce(chosen) - np.minimum.reduce(chosen) > VIVID
    part = chosen[:, ~vivid if name in NEUTRAL else vivid]
    red, green, blue = _median(part if part.size else chosen)
    return Color(name, red << 16 | green << 8 | blue)


def bag_pixels(pixels: NDArray[np.uint8], bag: NDArray[np.bool_] | None = None) -> NDArray[np.uint8] | None:
    """A sample of the bag's pixels, uint8 [3, n]; None if less than 2 % of the square is bag."""
    step = max(1, len(pixels) // SAMPLES)
    sample = np.ascontiguousarray(pixels[::step, ::step].reshape(-1, 3).T)
    where = np.minimum.reduce(sample) < BACKGROUND if bag is None else bag[::step, ::step].ravel()
    if np.count_nonzero(where) < len(where) / 50:
        return None
    return sample.compress(where, axis=1)


def features(chosen: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Nine numbers, mostly in [-1, 1], about pixels uint8 [3, n].

    The quartiles of L*, the medians of a* and b*, the median and the ninth decile of the chroma, and the mean
    direction of the hue (two numbers; a pixel counts the more, the more chroma it has).
    """
    xyz = _TO_XYZ @ _LINEAR[chosen].astype(np.float32)
    curved = np.where(xyz > 216 / 24389, np.cbrt(xyz), xyz * (841 / 108) + 4 / 29)
    x, y, z = curved
    plane = np.stack((500 * (x - y), 200 * (y - z)))
    chroma = np.hypot(*plane)
    ordered = np.sort(np.stack((116 * y - 66, *plane, chroma)), axis=1)
    count = chosen.shape[1]
    middle = count // 2
    which = (
        [0, 0, 0, 1, 2, 3, 3],
        [count // 4, middle, count * 3 // 4, middle, middle, middle, count * 9 // 10],
    )
    return np.concatenate((ordered[which] / 50, np.mean(plane / (chroma + 8), axis=1)), dtype=np.float32)


def _median(chosen: NDArray[np.uint8]) -> list[int]:
    """The (upper) median of each channel of [3, n]."""
    middle = chosen.shape[1] // 2
    medians: list[int] = np.partition(chosen, middle)[:, middle].tolist()
    return medians
