"""Animations as GIF and WebP: any frames, and a whole run in a few seconds. Imports no torch."""

import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LIMIT = 8 * 2**20
"""Largest upload, in bytes, that a chat accepts from everyone."""

_COLORS = 256

_PIXELS = 2**23
"""Of a grid at most: 64 bags of 256 × 256 pixels, and as much again."""

_WIDTH = 530
"""Pixels across a timelapse, about: 64 bags of 64 pixels. A hundred larger grids would take half a gigabyte,
and would not fit into an upload.
"""

_FEWEST = 60
"""Frames of a timelapse at least; to save more bytes its pictures are made smaller."""

_SLOWEST = 8
"""Steps of a timelapse from one grid to the next, at most."""


def encode_gif(frames: Sequence[Image.Image], milliseconds: int | Sequence[int]) -> bytes:
    """A looping GIF of RGB pictures of one size, each shown for that long (one number for all, or one each).

    All frames share a palette: colors do not flicker, and it is many times faster than a palette per frame.
    """
    palette = _palette(frames)
    paletted = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    file = io.BytesIO()
    durations = milliseconds if isinstance(milliseconds, int) else list(milliseconds)
    paletted[0].save(
        file, "GIF", save_all=True, append_images=paletted[1:], duration=durations, loop=0, optimize=False
    )
    return file.getvalue()


def encode_webp(
    frames: Sequence[Image.Image], milliseconds: int | Sequence[int], *, quality: int = 80, method: int = 0
) -> bytes:
    """A looping animated WebP of RGB pictures of one size: a fifth of the GIF's bytes, in full color.

    `milliseconds` as in `encode_gif`; `quality` is 0 to 100 (best), `method` 0 (fastest) to 6 (smallest).
    """
    file = io.BytesIO()
    durations = milliseconds if isinstance(milliseconds, int) else list(milliseconds)
    frames[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=list(frames[1:]),
        duration=durations,
        loop=0,
        quality=quality,
        method=method,
    )
    return file.getvalue()


def timelapse(grids: Sequence[Path], milliseconds: int = 120, most: int = 120, limit: int = LIMIT) -> bytes:
    """A run's grids, first to last, as a GIF of at most `limit` bytes, however many there are.

    Of more than `most` grids, early ones are picked more densely, since that is when most changes; few grids
    crossfade, so that a short run is not over at once. Below are the epoch and a progress bar. Each frame is
    shown for `milliseconds`, the last for three seconds. Raises ValueError if there are no grids.
    """
    if not grids:
        raise ValueError("there are no grids to show yet")
    chosen = [grids[index] for index in _denser_early(len(grids), most)]
    frames = list(_crossfaded(chosen, min(_SLOWEST, max(1, _FEWEST // len(chosen)))))
    data = _encode_holding_last(frames, milliseconds)
    if len(data) <= limit:
        return data
    if len(frames) > _FEWEST:
        fewer = max(_FEWEST, len(frames) * limit // len(data))
        frames = [frames[index] for index in _evenly(len(frames), fewer)]
    return bounded(frames, lambda smaller: _encode_holding_last(smaller, milliseconds), limit)


def bounded(
    frames: Sequence[Image.Image], encode: Callable[[Sequence[Image.Image]], bytes], limit: int = LIMIT
) -> bytes:
    """The frames encoded in at most `limit` bytes, shrunk as far as that takes."""
    while len(data := encode(frames)) > limit:
        scale = min(0.9, (limit / len(data)) ** 0.5)
        size = (max(1, int(frames[0].width * scale)), max(1, int(frames[0].height * scale)))
        frames = [frame.resize(size, Image.Resampling.LANCZOS) for frame in frames]
    return data


def _encode_holding_last(frames: Sequence[Image.Image], milliseconds: int) -> bytes:
    return encode_gif(frames, [milliseconds] * (len(frames) - 1) + [3000])


def _crossfaded(grids: Sequence[Path], steps: int) -> Iterator[Image.Image]:
    """The grids, each fading into the next in `steps` steps, with epoch and progress bar."""
    last = _epoch(grids[-1])
    for here, there in itertools.pairwise(grids):
        one, other = _read(here), _read(there)
        for step in range(steps):
            epoch = _epoch(here) + (_epoch(there) - _epoch(here)) * step / steps
            yield _captioned(Image.blend(one, other, step / steps), _epoch(here), epoch / last)
    yield _captioned(_read(grids[-1]), last, 1)


def _captioned(picture: Image.Image, epoch: int, share: float) -> Image.Image:
    height = max(12, picture.height // 22)
    framed = Image.new("RGB", (picture.width, picture.height + height), "white")
    framed.paste(picture)
    pen = ImageDraw.Draw(framed)
    pen.rectangle((0, picture.height, round(picture.width * share), picture.height + 1), "black")
    place = (picture.width // 2, picture.height + height // 2 + 1)
    pen.text(place, f"epoch {epoch}", "black", ImageFont.load_default(height * 2 // 3), anchor="mm")
    return framed


def _epoch(grid: Path) -> int:
    return int(grid.stem.rpartition("-")[2])


def _read(file: Path) -> Image.Image:
    with Image.open(file) as image:
        if image.width * image.height > _PIXELS:
            raise ValueError(f"{file.name} is no grid: it has {image.width} × {image.height} pixels")
        return image.convert("RGB").reduce(max(1, round(image.width / _WIDTH)))


def _denser_early(count: int, most: int) -> list[int]:
    if count <= most:
        return list(range(count))
    return sorted({round((count - 1) * (at / (most - 1)) ** 2) for at in range(most)})


def _evenly(count: int, most: int) -> list[int]:
    return sorted({round((count - 1) * at / (most - 1)) for at in range(most)})


def _palette(frames: Sequence[Image.Image]) -> Image.Image:
    # From some frames, made small. White, which is most of every picture, keeps an entry of its own.
    some = frames[:: max(1, len(frames) // 16)]
    small = [np.asarray(frame.resize((128, 128), Image.Resampling.NEAREST)) for frame in some]
    mosaic = Image.fromarray(np.concatenate(small)).quantize(_COLORS - 1, Image.Quantize.MEDIANCUT)
    colors = (mosaic.getpalette() or [])[: (_COLORS - 1) * 3]
    palette = Image.new("P", (1, 1))
    palette.putpalette([255, 255, 255, *colors])
    return palette
