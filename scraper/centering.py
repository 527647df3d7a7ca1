"""Finds the bag on a plain, light background, to center it with even margins."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MARGIN: Final = 1 / 32
"""The white margin on each side of a bag, as a fraction of the square's side."""

LIGHT: Final = 190
"""The least value of a background's darkest channel; on a darker background the bag is not cropped."""

NEAR: Final = 14
"""How far a channel may differ from the background for a pixel to belong to it (levels of 255)."""

UNIFORM: Final = 0.9
"""The least fraction of the picture's rim that must be background."""

FEWEST: Final = 0.01
"""The least fraction of a row or column that must be bag for it to count; less is dust."""

WHITE: Final = (255, 255, 255)


class Placement(NamedTuple):
    """The box of a picture to take, the size to give it (both in pixels), and the color to make white."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    background: tuple[int, int, int]

    def times(self, factor: int, size: tuple[int, int]) -> "Placement":
        """The same placement in a picture that is `factor` times larger, of size `size`."""
        left, top, right, bottom = (edge * factor for edge in self.box)
        return self._replace(box=(left, top, min(right, size[0]), min(bottom, size[1])))


def place(image: Image.Image, size: int) -> Placement:
    """Places an RGB picture in a square of side `size`: the bag if it stands out, else the whole picture."""
    pixels = np.asarray(image)
    middle = image.width + image.height
    red, green, blue = np.partition(rim(pixels), middle, axis=0)[middle].tolist()  # the median
    background = red, green, blue
    box = None
    if min(background) >= LIGHT:
        bag = far(pixels, background)
        edge = rim(bag)
        if np.count_nonzero(edge) <= (1 - UNIFORM) * len(edge):
            box = bag_box(bag)
    if box is None:
        return Placement((0, 0, image.width, image.height), fit(image.width, image.height, size), WHITE)
    inside = size - 2 * max(1, round(size * MARGIN))
    return Placement(box, fit(box[2] - box[0], box[3] - box[1], inside), background)


def rim(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost rows and columns of an array [H, W, …], as [2 W + 2 H, …]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def far(pixels: NDArray[np.uint8], background: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Which pixels of uint8 [H, W, 3] are not background, as bool [H, W]."""
    height, width, _ = pixels.shape
    darkest = np.frombuffer(bytes(level - NEAR for level in background) * width, np.uint8)
    # Values darker than the darkest wrap around to large ones, so one comparison is enough.
    channels = pixels.reshape(height, -1) - darkest > 2 * NEAR
    return channels[:, ::3] | channels[:, 1::3] | channels[:, 2::3]


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
