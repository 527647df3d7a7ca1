"""The pictures of the gallery: drawn once, small where many stand side by side."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageSequence

from bot.codes import Code
from bot.drawing.studio import Studio
from bot.errors import Refusal
from bot.gallery.folder import Folder
from gan.animate import encode_webp

LARGE = 512
"""Pixels along a side on a bag's own page."""
SMALL = 256
AT_ONCE = 64
TIMELAPSE = 528
"""At most so many pixels along a timelapse's sides."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hue:
    """A bag's color: in a word, and as #rrggbb."""

    name: str
    hex: str


def large(code: str) -> str:
    """Where the picture of a bag's own page is."""
    return f"pictures/{code}.webp"


def small(code: str) -> str:
    """Where a bag's picture among others is."""
    return f"pictures/{code}-small.webp"


async def draw(folder: Folder, studio: Studio, codes: Sequence[str]) -> dict[str, Hue]:
    """Put the pictures of designs into the folder, and say their colors.

    Who has been drawn before is not drawn again. Who can't be drawn (its generator is gone) is left out.
    """
    known: dict[str, list[str]] = folder.notes.setdefault("hues", {})
    missing = [
        code for code in codes if not (folder.has(large(code)) and folder.has(small(code)) and code in known)
    ]
    for at in range(0, len(missing), AT_ONCE):
        some = missing[at : at + AT_ONCE]
        drawn = await asyncio.gather(
            *(studio.picture(Code.of(code)) for code in some), return_exceptions=True
        )
        for code, picture in zip(some, drawn, strict=True):
            if isinstance(picture, Refusal):
                log.warning("%s is left out: %s", code, picture)
                known.pop(code, None)
                continue
            if isinstance(picture, BaseException):
                raise picture
            with Image.open(io.BytesIO(picture.original)) as original:
                for name, side in ((large(code), LARGE), (small(code), SMALL)):
                    folder.put(name, _webp(original.resize((side, side), Image.Resampling.LANCZOS)))
            known[code] = [picture.color, f"#{picture.rgb:06x}"]
    folder.notes["hues"] = {code: known[code] for code in codes if code in known}
    return {code: Hue(*hue) for code, hue in folder.notes["hues"].items()}


@dataclass(frozen=True)
class Moving:
    """A timelapse in the folder: its file, its last picture, and their size in pixels."""

    film: str
    still: str
    width: int
    height: int


def timelapse(folder: Folder, name: str, gif: Path) -> Moving:
    """Put a run's timelapse into the folder as animated WebP, a third of the GIF, and its end as a still."""
    films: dict[str, list[int]] = folder.notes.setdefault("films", {})
    film, still = f"runs/{name}.webp", f"runs/{name}-still.webp"
    about = gif.stat()
    stamp = [about.st_mtime_ns, about.st_size]
    known = films.get(name, [])
    if not (folder.has(film) and folder.has(still) and known[:2] == stamp):
        with Image.open(gif) as image:
            share = min(1.0, TIMELAPSE / max(image.size))
            size = round(image.width * share), round(image.height * share)
            frames, durations = [], []
            for frame in ImageSequence.Iterator(image):
                frames.append(frame.convert("RGB").resize(size, Image.Resampling.LANCZOS))
                durations.append(int(frame.info.get("duration", 100)))
        folder.put(film, encode_webp(frames, durations, quality=60, method=2))
        folder.put(still, _webp(frames[-1]))
        films[name] = known = [*stamp, *size]
    return Moving(film, still, known[2], known[3])


def _webp(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "WEBP", quality=85, method=4)
    return data.getvalue()
