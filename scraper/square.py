"""Turns the bytes of a picture into a small square on white, or refuses them for a named reason."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops
from PIL.Image import Resampling

from scraper.centering import place
from scraper.decode import decode
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
    placement = place(np.asarray(rough), size)
    canvas, bag = Image.new("RGB", (size, size), "white"), Image.new("1", (size, size))
    corner = (size - placement.size[0]) // 2, (size - placement.size[1]) // 2
    if ground := placement.ground:
        bag.paste(Image.fromarray(ground.bag).resize(placement.size, box=placement.box), corner)
    small = whole.resize(placement.size, Resampling.LANCZOS, placement.times(factor, whole.size))
    if ground and ground.lift:
        small = ImageChops.add(small, ground.lift.resize(placement.size, Resampling.LANCZOS, placement.box))
    canvas.paste(small, corner)
    width, height = decoded.width, decoded.height
    return Square(np.asarray(canvas), np.asarray(bag), width, height, decoded.suffix, appearance)
