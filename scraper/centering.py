"""Where the bag is: found on a plain light background, to be centered with even margins."""

from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageChops

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
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.int16)
    red, green, blue = (int(level) for level in np.median(rim, axis=0))
    background = red, green, blue
    plain = min(background) >= LIGHT and (np.abs(rim - background).max(axis=1) <= NEAR).mean() >= UNIFORM
    box = bag_box(image, background) if plain else None
    if box is None:
        return Placement((0, 0, image.width, image.height), fit(image.width, image.height, size), WHITE)
    inside = size - 2 * max(1, round(size * MARGIN))
    return Placement(box, fit(box[2] - box[0], box[3] - box[1], inside), background)


def bag_box(image: Image.Image, background: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """The box of all that is not background (left, top, right, bottom), or None if nothing stands out."""
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, background)).split()
    bag = np.asarray(ImageChops.lighter(ImageChops.lighter(red, green), blue)) > NEAR
    # A row or column counts with a few pixels of bag in it, so that a speck of dust does not.
    columns = np.flatnonzero(np.count_nonzero(bag, axis=0) > image.height * FEWEST)
    rows = np.flatnonzero(np.count_nonzero(bag, axis=1) > image.width * FEWEST)
    if len(columns) < image.width / 8 or len(rows) < image.height / 8:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest box of this aspect ratio within size × size."""
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
