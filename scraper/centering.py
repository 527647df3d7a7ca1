"""Finds the bag on a plain, light background, to center it with even margins."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scraper.ground import Ground, find_ground

MARGIN: Final = 1 / 32
"""The white margin on each side of a bag, as a fraction of the square's side."""

FEWEST: Final = 0.01
"""The least fraction of a row or column that must be bag for it to count; less is dust."""

COARSE: Final = 128
"""The pixels of the longer side at which the bag's edges are found; more would show specks and a JPEG's noise
beside it."""


class Placement(NamedTuple):
    """The box of a picture to take and its new size, both in pixels; the ground if a bag stands out on it."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    ground: Ground | None

    def times(self, factor: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The same box in a picture that is `factor` times larger, of size `size`."""
        return scaled(self.box, factor, size)


def place(pixels: NDArray[np.uint8], size: int) -> Placement:
    """Places a picture, RGB uint8 [H, W, 3], in a square of side `size`: the bag if it stands out, or all."""
    height, width, _ = pixels.shape
    ground = rough = find_ground(pixels)
    factor = max(1, round(max(width, height) / COARSE))
    if ground and factor > 1:
        rough = find_ground(np.asarray(Image.fromarray(pixels).reduce(factor)))
    if ground is None or rough is None or (found := bag_box(rough.bag)) is None:
        return Placement((0, 0, width, height), fit(width, height, size), None)
    box = scaled(found, factor, (width, height))
    inside = size - 2 * max(1, round(size * MARGIN))
    return Placement(box, fit(box[2] - box[0], box[3] - box[1], inside), ground)


def scaled(box: tuple[int, int, int, int], factor: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of a reduced picture in the picture of this (width, height) that is `factor` times larger."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, size[0]), min(bottom, size[1])


def bag_box(bag: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """The box (left, top, right, bottom) around the True pixels of bool [H, W]; None if it is too small."""
    height, width = bag.shape
    # A row or column needs a few pixels of bag to count, so that a speck of dust does not.
    columns, rows = (
        np.flatnonzero(np.add.reduce(bag.view(np.uint8), axis, np.uint16) > bag.shape[axis] * FEWEST)
        for axis in (0, 1)
    )
    if len(columns) < width / 8 or len(rows) < height / 8:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest (width, height) of this aspect ratio within size × size."""
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
