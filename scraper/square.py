"""Turns the bytes of a picture into a small square on white, or refuses them for a named reason."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scraper.centering import Placement, place
from scraper.decode import decode
from scraper.resize import resized
from scraper.twins import look

RECIPE: Final = "whitened-1"
"""The name of what is done to a picture; squares of another recipe are made again."""

DETAIL: Final = 3
"""A picture is decoded at this many times the square's side or more; less would make the filter imprecise."""


@dataclass(frozen=True, slots=True)
class Square:
    """A picture as a square: `pixels` are RGB uint8 [size, size, 3].
    `bag`, bool [size, size], is where the bag is: nowhere if it could not be cut out.

    `width` and `height` are those of the original, in pixels; `suffix` is like ".jpg"; `look`: see twins.
    """

    pixels: NDArray[np.uint8]
    bag: NDArray[np.bool_]
    width: int
    height: int
    suffix: str
    look: bytes


def square(data: bytes, size: int, limit: int) -> Square:
    """Composites a picture on white, finds the bag on its plain background, and centers it in a white square.

    It is scaled with Lanczos3, antialiased, and padded last. `limit` is the most pixels to decode.
    Raises PictureError.
    """
    decoded = decode(data, size * DETAIL, limit)
    whole = decoded.image
    # Half the detail is enough to find the bag and to remember what it looks like.
    factor = max(1, round(max(whole.size) / (size * 2)))
    rough = whole.reduce(factor) if factor > 1 else whole
    appearance = look(rough, whole.width / factor, whole.height / factor)
    pixels, bag = scaled(np.asarray(whole), factor, place(np.asarray(rough), size))
    canvas = np.full((size, size, 3), 255, np.uint8)
    where = np.zeros((size, size), bool)
    top, left = (size - pixels.shape[0]) // 2, (size - pixels.shape[1]) // 2
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    where[top : top + pixels.shape[0], left : left + pixels.shape[1]] = bag
    return Square(canvas, where, decoded.width, decoded.height, decoded.suffix, appearance)


def scaled(
    pixels: NDArray[np.uint8], factor: int, placement: Placement
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The placed part of a picture with its ground made white, and where in it the bag is.

    RGB uint8 [H, W, 3] and bool [H, W]; `factor`: how many times larger it is than what was placed.
    """
    small = resized(pixels, placement.times(factor, pixels.shape[1::-1]), placement.size)
    ground = placement.ground
    if ground is None:
        bag = np.zeros(small.shape[:2], bool)
    else:
        if ground.lift is not None:
            small += resized(ground.lift, placement.box, placement.size)
        left, top, right, bottom = placement.box
        rows, columns = (
            ((2 * np.arange(n) + 1) * (stop - start) // (2 * n)) + start
            for n, start, stop in ((placement.size[1], top, bottom), (placement.size[0], left, right))
        )
        bag = ground.bag[rows[:, None], columns]
    small += 0.5
    return np.clip(small, 0, 255, out=small).astype(np.uint8), bag
