"""Where the bag is: found on a plain light background, to be centered with even margins."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

MARGIN: Final = 1 / 32
"""White on each side of a bag that was found, as a part of the square's side."""

LIGHT: Final = 190
"""A background's darkest channel is at least this; the bag on a darker one is not cut out."""

NEAR: Final = 14
"""So far from the background, in levels of a channel, a pixel still belongs to it."""

UNIFORM: Final = 0.9
"""So much of the picture's rim must be background."""

FEWEST: Final = 0.01
"""A bag covers at least so much of the picture's width and height; less is dust."""


class Placement(NamedTuple):
    """What part of a picture to take (pixels), how large to make it, and the color that becomes white."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    background: tuple[int, int, int]


def place(pixels: NDArray[np.uint8], size: int) -> Placement:
    """Places a picture, uint8 [h, w, 3], in a square of `size`: the bag if it stands out, else all of it."""
    height, width = pixels.shape[:2]
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    background = np.median(rim, axis=0).astype(np.int16)
    box = bag_box(pixels, rim, background)
    if box is None:
        return Placement((0, 0, width, height), fit(width, height, size), (255, 255, 255))
    inside = size - 2 * max(1, round(size * MARGIN))
    red, green, blue = (int(level) for level in background)
    return Placement(box, fit(box[2] - box[0], box[3] - box[1], inside), (red, green, blue))


def bag_box(
    pixels: NDArray[np.uint8], rim: NDArray[np.uint8], background: NDArray[np.int16]
) -> tuple[int, int, int, int] | None:
    """The box of all that is not background (left, top, right, bottom), or None if nothing stands out."""
    if background.min() < LIGHT or (np.abs(rim - background).max(axis=1) <= NEAR).mean() < UNIFORM:
        return None
    height, width = pixels.shape[:2]
    low, high = np.clip(background - NEAR, 0, 255), np.clip(background + NEAR, 0, 255)
    bag = ((pixels < low.astype(np.uint8)) | (pixels > high.astype(np.uint8))).any(axis=2)
    # A row or column counts with a few pixels of bag in it, so that a speck of dust does not.
    columns = np.flatnonzero(bag.sum(axis=0) > height * FEWEST)
    rows = np.flatnonzero(bag.sum(axis=1) > width * FEWEST)
    if len(columns) < width / 8 or len(rows) < height / 8:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest box of this aspect ratio within size × size."""
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
