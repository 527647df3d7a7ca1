"""Where the bag is: found on a plain light background, to be centered with even margins."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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


WHITE: Final = (255, 255, 255)


class Placement(NamedTuple):
    """What part of a picture to take (pixels), how large to make it, and the color that becomes white."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    background: tuple[int, int, int]

    def times(self, factor: int, size: tuple[int, int]) -> "Placement":
        """The same part of the picture before it was made smaller by a factor; `size` is its size then."""
        left, top, right, bottom = (edge * factor for edge in self.box)
        return self._replace(box=(left, top, min(right, size[0]), min(bottom, size[1])))


def place(image: Image.Image, size: int) -> Placement:
    """Places an RGB picture in a square of `size`: the bag if it stands out, else all of the picture."""
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
    """The outermost rows and columns of [h, w, …]: [2 w + 2 h, …]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def far(pixels: NDArray[np.uint8], background: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Which pixels of uint8 [h, w, 3] are not the light background: bool [h, w]."""
    height, width, _ = pixels.shape
    darkest = np.frombuffer(bytes(level - NEAR for level in background) * width, np.uint8)
    # What is darker than the darkest wraps around to large numbers, so that one comparison is enough.
    channels = pixels.reshape(height, -1) - darkest > 2 * NEAR
    return channels[:, ::3] | channels[:, 1::3] | channels[:, 2::3]


def bag_box(bag: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """The box of all that is bag in bool [h, w] (left, top, right, bottom), or None if nothing stands out."""
    height, width = bag.shape
    # A row or column counts with a few pixels of bag in it, so that a speck of dust does not.
    columns, rows = (
        np.flatnonzero(np.add.reduce(bag.view(np.uint8), axis, np.uint16) > bag.shape[axis] * FEWEST)
        for axis in (0, 1)
    )
    if len(columns) < width / 8 or len(rows) < height / 8:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest box of this aspect ratio within size × size."""
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
