"""Decodes the bytes of a picture into sRGB on white, no larger than needed and at a bounded cost."""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.Image import Transpose

FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
SUFFIXES: Final = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "HEIF": ".heic"}
SMALLEST: Final = 16
SLIMMEST: Final = 10

SCANS: Final = 100
USUAL: Final = 12
"""A progressive JPEG has about twelve scans, each a pass over all its pixels; a small one may have 100."""

LARGE: Final = 8_000_000
"""Only one picture with more pixels than this is decoded at a time, or their memory would add up."""

BAND: Final = 1_000_000
"""The number of pixels that are converted at a time."""

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
QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
    zlib.error,
)  # fmt: skip
"""What the decoders raise on damaged files."""

large = threading.Lock()

# Pillow only warns at 89 megapixels. Our own limit applies, and the warning would be noise.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# What its decoders warn of is metadata that we don't use; what they can't decode is an error.
warnings.filterwarnings("ignore", module=r"PIL\.", category=UserWarning)


class PictureError(Exception):
    """A refused picture. The message is the reason, in a few words, so that equal reasons can be counted."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An RGB picture on white, upright and in sRGB.

    `width` and `height` are those of the original, in pixels; `suffix` is like ".jpg".
    """

    image: Image.Image
    width: int
    height: int
    suffix: str


def decode(data: bytes, least: int, limit: int) -> Decoded:
    """Decodes a picture at a reduced size, with its longer side at least `least` pixels, if it has as many.

    `limit` is the most pixels to decode. Raises PictureError.
    """
    with opened(data, limit) as image, large if image.width * image.height > LARGE else nullcontext():
        if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
            small = jpeg(data, image, least)
        else:
            small = reduced(image, least)
        # Only now: a PNG is decoded when its EXIF is asked for, and a TIFF is turned when it is decoded.
        orientation = orientation_of(image)
        width, height = reversed(image.size) if orientation in QUARTER_TURNS else image.size
        suffix = SUFFIXES.get(str(image.format), f".{str(image.format).lower()}")
        upright = in_srgb(small, image.info.get("icc_profile"))
        if orientation in TURNS:
            upright = upright.transpose(TURNS[orientation])
        return Decoded(upright, width, height, suffix)


@contextmanager
def opened(data: bytes, limit: int) -> Iterator[Image.Image]:
    """Opens a picture whose header is acceptable; errors in the `with` block become PictureError too."""
    try:
        heif = data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"avis")
        if heif:
            register_heif()
        with Image.open(io.BytesIO(data), formats=("HEIF",) if heif else FORMATS) as image:
            check(image, data, limit)
            yield image
    except UnidentifiedImageError as error:
        raise PictureError("not a picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError("too many pixels") from error
    except MemoryError as error:
        raise PictureError("too large for the memory") from error
    except BROKEN as error:
        cut_off = "truncated" in str(error) or "Premature end" in str(error)
        raise PictureError("truncated" if cut_off else "broken") from error


def check(image: Image.Image, data: bytes, limit: int) -> None:
    """Checks the header, before a pixel is decoded. Raises PictureError, or OSError for a damaged PNG."""
    width, height = image.size
    if width * height > limit:
        raise PictureError("too many pixels")
    if min(width, height) < SMALLEST:
        raise PictureError("too small")
    if max(width, height) > SLIMMEST * min(width, height):
        raise PictureError("too slim")
    if image.format in ("JPEG", "MPO", "HEIF"):  # further pictures in it are previews, or of the same thing
        # The marker of a scan; within its data, FF is always followed by 00 (ITU-T T.81, B.1.1.5).
        scans = data.count(b"\xff\xda")
        if scans > SCANS or scans * width * height > USUAL * limit:
            raise PictureError("too many scans")
    elif getattr(image, "is_animated", False):
        raise PictureError("animated")
    if image.format == "PNG":
        with Image.open(io.BytesIO(data), formats=("PNG",)) as copy:
            copy.verify()  # its checksums, which decoding ignores


@lru_cache
def register_heif() -> None:
    """Teaches Pillow HEIC, which phones write; loaded only once there is one."""
    import pi_heif

    pi_heif.register_heif_opener()


def jpeg(data: bytes, image: Image.Image, least: int) -> Image.Image:
    """A JPEG in RGB or gray, scaled while it is decoded. Raises ValueError, also for what Pillow ignores."""
    scale = min(1.0, least / max(image.size))
    width, height = (int(np.ceil(length * scale)) for length in image.size)
    space = "GRAY" if image.mode == "L" else "RGB"
    pixels = simplejpeg.decode_jpeg(data, space, min_width=width, min_height=height)
    return Image.fromarray(pixels[..., 0] if image.mode == "L" else pixels)


def reduced(image: Image.Image, least: int) -> Image.Image:
    """A picture of any kind in RGB, gray or CMYK on white, reduced in bands, so that it is never copied."""
    image.load()
    top = brightest(image)
    width, height = image.size
    factor = max(1, max(width, height) // (least * 2))
    rows = factor * max(1, BAND // (width * factor))
    bands = [
        on_white(image.crop((0, start, width, min(start + rows, height))), top).reduce(factor)
        for start in range(0, height, rows)
    ]
    whole = Image.new(bands[0].mode, (bands[0].width, sum(band.height for band in bands)))
    for number, band in enumerate(bands):
        whole.paste(band, (0, number * (rows // factor)))
    return whole


def brightest(image: Image.Image) -> float:
    """The level of a 16- or 32-bit picture that is white."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;"):
        return 255
    most = float(image.getextrema()[1])  # type: ignore[arg-type]  # these modes have one band
    return 65535 if most > 255 else 1 if image.mode == "F" and most <= 1 else 255


def on_white(image: Image.Image, top: float) -> Image.Image:
    """A decoded picture in 8 bits, white where it is transparent: RGB, or L and CMYK as they are."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        levels = np.nan_to_num(np.asarray(image, np.float32)) * np.float32(255 / top) + np.float32(0.5)
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation of a decoded picture, 1 to 8; 1 if it is missing or damaged."""
    if image.format == "JPEG" and not {"exif", "xmp"} & image.info.keys():
        return 1  # most have none, and searching for it is slow
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except BROKEN:
        return 1  # the picture itself is decoded, and intact


def in_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """A picture in RGB, L or CMYK as sRGB, by its ICC profile if it has a usable one."""
    if isinstance(profile, bytes) and (found := to_srgb(profile)):
        mode, transform = found
        if (mode == "CMYK") == (image.mode == "CMYK"):
            return transform.apply(image if image.mode == mode else image.convert(mode))
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(16)
def to_srgb(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """What turns this ICC profile's colors into sRGB, and from which mode; None if nothing changes."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(source.profile.xcolor_space.strip())
        if not mode:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return None  # a damaged profile of an intact picture
    if mode == "RGB":
        colors = np.mgrid[0:256:51, 0:256:51, 0:256:51].astype(np.uint8).reshape(3, 6, 36).transpose(1, 2, 0)
        changed = np.asarray(transform.apply(Image.fromarray(np.ascontiguousarray(colors))))
        if np.abs(changed.astype(int) - colors).max() <= 2:
            return None  # most profiles are sRGB's own
    return mode, transform
