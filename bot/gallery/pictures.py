"""The pictures of the gallery: drawn once, and smaller where many are side by side."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageSequence

from bot import words
from bot.codes import Code
from bot.drawing.studio import Studio
from bot.errors import Refusal
from bot.gallery.folder import Folder
from gan.animate import encode_webp

LARGE = 512
"""Side of the picture on a bag's own page, in pixels."""
SMALL = 256
"""Side of a picture among others, in pixels."""
AT_ONCE = 64
TIMELAPSE = 528
"""The longest side of a timelapse, in pixels."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hue:
    """A bag's color, its name and as #rrggbb, and what the bag is, if its generator knows words."""

    name: str
    hex: str
    bag: str = ""


def large(code: str) -> str:
    """Path of the picture on a bag's own page."""
    return f"pictures/{code}.webp"


def small(code: str) -> str:
    """Path of a bag's picture among others."""
    return f"pictures/{code}-small.webp"


async def draw(folder: Folder, studio: Studio, codes: Sequence[str]) -> dict[str, Hue]:
    """Put the pictures of designs into the folder; returns their colors and words by code.

    A design that was drawn before is not drawn again. One that can't be drawn (its generator is gone) is left
    out.
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
                log.warning("leaving out %s: %s", code, picture)
                known.pop(code, None)
                continue
            if isinstance(picture, BaseException):
                raise picture
            with Image.open(io.BytesIO(picture.original)) as original:
                for name, side in ((large(code), LARGE), (small(code), SMALL)):
                    folder.put(name, _webp(original.resize((side, side), Image.Resampling.LANCZOS)))
            (said,) = await studio.words([Code.of(code)])
            known[code] = [picture.color, f"#{picture.rgb:06x}", words.bag_of(said)]
    folder.notes["hues"] = {code: known[code] for code in codes if code in known}
    return {code: Hue(*hue) for code, hue in folder.notes["hues"].items()}


@dataclass(frozen=True)
class Moving:
    """A timelapse in the folder: the paths of the film and of its last frame, and their size in pixels."""

    film: str
    still: str
    width: int
    height: int


def timelapse(folder: Folder, name: str, gif: Path) -> Moving:
    """Put a run's timelapse into the folder as animated WebP, a third of the GIF's bytes, and a still."""
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
