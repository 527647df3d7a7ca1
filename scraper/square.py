"""Turns the bytes of a picture into a small square on white, or refuses them for a named reason."""

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from scraper.centering import Placement, place
from scraper.resize import resized
from scraper.twins import look

RECIPE: Final = "whitened-1"
"""The name of what is done to a picture; squares of another recipe are made again."""

FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
SUFFIXES: Final = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif"}
SMALLEST: Final = 16
SLIMMEST: Final = 10
DETAIL: Final = 3
"""A JPEG is decoded at this many times the square's side or more; less would make the filter imprecise."""

EXIF_ORIENTATION: Final = 0x0112
TURNS: Final[dict[int, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}
QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
)  # fmt: skip
"""What Pillow's decoders raise on damaged files."""

# Pillow only warns at 89 megapixels. Our own limit applies, and the warning would be noise.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class PictureError(Exception):
    """A refused picture. The message is the reason, in a few words, so that equal reasons can be counted."""


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
    with opened(data, limit) as image:
        suffix = SUFFIXES.get(str(image.format), f".{str(image.format).lower()}")
        width, height = image.size
        orientation = orientation_of(image)
        scale = size * DETAIL / max(width, height)
        image.draft("RGB", (round(width * scale), round(height * scale)))
        whole = on_white(image)
        if (factor := max(width, height) // (size * DETAIL * 2)) > 1 and whole.size == image.size == (
            width,
            height,
        ):
            whole = whole.reduce(factor)  # as draft does for JPEG
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
    if turn := TURNS.get(orientation):
        canvas, where = turn(canvas), turn(where)
    if orientation in QUARTER_TURNS:
        width, height = height, width
    return Square(canvas, where, width, height, suffix, appearance)


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


@contextmanager
def opened(data: bytes, limit: int) -> Iterator[Image.Image]:
    """Opens a picture whose header is acceptable; errors in the `with` block become PictureError too."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            check(image, limit)
            yield image
    except UnidentifiedImageError as error:
        raise PictureError("not a picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError("too many pixels") from error
    except BROKEN as error:
        raise PictureError("truncated" if "truncated" in str(error) else "broken") from error


def check(image: Image.Image, limit: int) -> None:
    """Checks the header, before a pixel is decoded. Raises PictureError."""
    width, height = image.size
    if width * height > limit:
        raise PictureError("too many pixels")
    if min(width, height) < SMALLEST:
        raise PictureError("too small")
    if max(width, height) > SLIMMEST * min(width, height):
        raise PictureError("too slim")
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise PictureError("animated")


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 if it is missing or damaged."""
    if image.format == "JPEG" and not {"exif", "xmp"} & image.info.keys():
        return 1  # most have none, and searching for it is slow
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except BROKEN:
        return 1  # the picture itself may be intact


def on_white(image: Image.Image) -> Image.Image:
    """The decoded picture in 8-bit RGB, white where it is transparent."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        levels = np.asarray(image, dtype=np.float64)
        top = 65535.0 if levels.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.uint8(np.clip(levels / top * 255 + 0.5, 0, 255))).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")
