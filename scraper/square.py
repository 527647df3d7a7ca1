"""A picture's bytes → a small square on white. What cannot be one is refused by a named reason."""

import io
import struct
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.Image import Resampling, Transpose

RECIPE: Final = "pad-1"
"""Names what is done to a picture: squares made by another recipe are made again."""

FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
SUFFIXES: Final = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif"}
SMALLEST: Final = 16
SLIMMEST: Final = 10
EXIF_ORIENTATION: Final = 0x0112
TURNS: Final = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
)

# Pillow only warns at 89 megapixels; `pixels` below is the limit that holds, and its warning would be noise.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class PictureError(Exception):
    """A picture that is refused. The message is the reason, in a few words that can be counted."""


@dataclass(frozen=True, slots=True)
class Square:
    """`pixels`: uint8 [size, size, 3] RGB; width and height in pixels of the original; suffix like ".jpg"."""

    pixels: NDArray[np.uint8]
    width: int
    height: int
    suffix: str


def square(data: bytes, size: int, limit: int) -> Square:
    """Composites on white, scales to fit (Lanczos3, antialiased), pads to a square with even white margins.

    `limit` is the most pixels that are decoded. Raises PictureError.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise PictureError("not a picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError("too many pixels") from error
    except BROKEN as error:
        raise PictureError("broken") from error
    with image:
        width, height = image.size
        check(image, limit)
        try:
            turn = TURNS.get(orientation(image))
            box = fit(width, height, size)
            # JPEG decodes at 1/2, 1/4 or 1/8 for less; from twice the size up the eye sees no difference.
            image.draft("RGB", (box[0] * 2, box[1] * 2))
            suffix = SUFFIXES.get(str(image.format), f".{str(image.format).lower()}")
            small = on_white(image).resize(box, Resampling.LANCZOS)
        except BROKEN as error:
            raise PictureError("truncated" if "truncated" in str(error) else "broken") from error
    if turn is not None:
        small = small.transpose(turn)
        width, height = (height, width) if turn in QUARTERS else (width, height)
    canvas = Image.new("RGB", (size, size), "white")
    canvas.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
    return Square(np.asarray(canvas), width, height, suffix)


QUARTERS: Final = frozenset(
    {Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90}
)


def check(image: Image.Image, limit: int) -> None:
    """Refuses by what the header says, before a pixel is decoded."""
    width, height = image.size
    if width * height > limit:
        raise PictureError("too many pixels")
    if min(width, height) < SMALLEST:
        raise PictureError("too small")
    if max(width, height) > SLIMMEST * min(width, height):
        raise PictureError("too slim")
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise PictureError("animated")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 when there is none or it is damaged."""
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except BROKEN:
        return 1  # the picture itself may be sound


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest box of this aspect ratio within size × size."""
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def on_white(image: Image.Image) -> Image.Image:
    """RGB, decoded; where the picture is transparent there is white, and 16 bits become 8."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        levels = np.asarray(image, dtype=np.float64)
        top = 65535.0 if levels.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.uint8(np.clip(levels / top * 255 + 0.5, 0, 255))).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")
