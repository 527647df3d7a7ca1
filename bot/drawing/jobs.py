"""Jobs: what the drawing processes do with torch and pictures, far from the event loop.

These functions run in processes of their own (see `workers`), which alone load torch: the bot starts at once,
and neither a slow import nor a big picture can delay a heartbeat. The bot makes `Job`s; a process does those
that waited `together`.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from io import BytesIO
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.drawing.family_tree import draw_tree
from bot.drawing.look import Traits, look
from gan import animate
from gan.grid import enlarge, magnification
from gan.grid import grid as numbered
from gan.neighbors import NearestPhoto, nearest_photo
from gan.run import Run
from gan.words import slug
from scraper.colors import Color, name_color
from scraper.decode import PictureError
from scraper.square import square

if TYPE_CHECKING:
    from torch import Tensor

    from gan.events import Epoch
    from gan.generator import Generator

T = TypeVar("T")
Images = NDArray[np.uint8]
Source = int | tuple[int, str] | bytes
"""What a design is drawn from: a seed, a seed and the words of its code, or a latent float32 [z + w]."""
Design = tuple[Path, Source]
"""A generator file, and what it draws from."""


NO_BAG = Color("white", 0xFFFFFF)
"""Of a picture on which nothing stands out from the background."""


@dataclass(frozen=True)
class Job(Generic[T]):
    """Designs to draw, and what to make of their pictures uint8 [n, S, S, 3]."""

    designs: tuple[Design, ...]
    make: Callable[[Images], T]


@dataclass(frozen=True)
class Picture:
    """One design: a PNG of S × S, a larger one, its color in a word and as 0xRRGGBB."""

    original: bytes
    large: bytes
    """Four times as wide and high, but at most 256 pixels."""
    color: str
    rgb: int
    look: bytes
    """uint8 [8, 8, 4]: the picture in little, from which taste is learned; see `look`."""


@dataclass(frozen=True)
class Animation:
    """A morph: an animated WebP, a numbered PNG of some steps, and their latents, float32 [z + w] each."""

    webp: bytes
    strip: bytes
    latents: list[bytes]


PHOTO_PIXELS = 50_000_000
"""The most pixels that a photo may have: as many as a phone's."""
SHOWN = 256
"""Pixels along a side of a photo that is shown."""


@dataclass(frozen=True)
class Likeness:
    """The dream most like a photo: its latent float32 [z + w], itself, and beside the photo as a PNG."""

    latent: bytes
    picture: Picture
    pair: bytes


def set_up() -> None:
    """Prepare a drawing process: one thread, ignores Ctrl-C, ends when the bot ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        # A bot that is killed can't say goodbye.
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    import torch

    torch.set_num_threads(1)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(0)


def warm_up(path: Path | None) -> int:
    """Load torch, and a generator if there is one, before anybody waits for them; the process id."""
    if path is not None:
        _draw([(path, 0)])
    return os.getpid()


def together(jobs: Sequence[Job[Any]]) -> list[Any]:
    """Do jobs, each design of all of them drawn once; of a job that fails, its exception.

    A picture's bytes do not depend on what else is drawn: the generator sees to that.
    """
    drawn: dict[Design, Images | Exception] = {}
    for path in dict.fromkeys(path for job in jobs for path, _ in job.designs):
        wanted = list(dict.fromkeys(design for job in jobs for design in job.designs if design[0] == path))
        try:
            drawn |= zip(wanted, _draw(wanted), strict=True)
        except Exception as error:
            drawn |= dict.fromkeys(wanted, _noted(error))
    return [_done(job, [drawn[design] for design in job.designs]) for job in jobs]


def _done(job: Job[Any], drawn: Sequence[Images | Exception]) -> Any:
    images = [image for image in drawn if not isinstance(image, Exception)]
    if len(images) < len(drawn):
        return next(error for error in drawn if isinstance(error, Exception))
    try:
        return job.make(np.stack(images) if images else np.empty((0, 0, 0, 3), np.uint8))
    except Exception as error:
        return _noted(error)


def _noted(error: Exception) -> Exception:
    # What goes through the pipe between the processes loses its traceback, but not its notes.
    error.add_note(traceback.format_exc())
    return error


@lru_cache(maxsize=4)
def _load(path: Path) -> Generator:
    from gan import generator

    return generator.load(path)


def _latent(generator: Generator, source: Source) -> Tensor:
    import torch

    if isinstance(source, bytes):
        return torch.frombuffer(bytearray(source), dtype=torch.float32)
    if isinstance(source, int):
        return generator.latents([source])[0]
    seed, said = source
    return generator.latents([seed], generator.vocabulary.of_code(said) if generator.vocabulary else [said])[
        0
    ]


def _draw(designs: Sequence[Design]) -> Images:
    """Designs of one generator, uint8 [n, S, S, 3]."""
    import torch

    generator = _load(designs[0][0])
    return generator.draw(torch.stack([_latent(generator, source) for _, source in designs]))


def traits(designs: Sequence[Design]) -> list[Traits]:
    """What taste learns from designs of one generator. Raises GeneratorError."""
    import torch

    generator = _load(designs[0][0])
    latents = torch.stack([_latent(generator, source) for _, source in designs])
    return [
        (look(image), " ".join(map(slug, generator.words(latent))))
        for image, latent in zip(generator.draw(latents), latents, strict=True)
    ]


# The jobs ------------------------------------------------------------------------------------


def picture(design: Design) -> Job[Picture]:
    """One design."""
    return Job((design,), _picture)


def nearest(picture: Picture, dataset: Path) -> Job[NearestPhoto | None]:
    """The photo of a dataset folder that a picture resembles most; see `nearest_photo`."""
    return Job((), partial(_nearest, picture.original, dataset))


def grid(designs: Sequence[Design], columns: int) -> Job[bytes]:
    """Designs as one numbered PNG."""
    return Job(tuple(designs), partial(_grid, columns=columns))


def breed(
    parents: Sequence[Design], seeds: Sequence[int], count: int, mutation: float
) -> Job[dict[int, bytes]]:
    """The latents of children of two designs of one generator, or of one with itself, by seed.

    Of the seeds the first `count` whose child is neither like a parent nor like another. Each number of a
    child is a new one with the probability `mutation`.
    """
    return Job((), partial(_breed, tuple(parents), tuple(seeds), count, mutation))


def latent(design: Design) -> Job[bytes]:
    """What a design is drawn from, float32 [z + w], also that of a seed."""
    return Job((), partial(_latent_of, design))


def like(path: Path, photo: bytes) -> Job[Likeness]:
    """What a generator file dreams that is most like the bag on a photo, a file's bytes; takes seconds.

    Its result is a PictureError for a photo that can't be read, or with no bag that stands out.
    """
    return Job((), partial(_like, path, photo))


def morph(designs: Sequence[Design], frames: int, spots: Sequence[tuple[int, float]]) -> Job[Animation]:
    """A loop through designs of one generator in so many frames, and a strip of some spots on it.

    A spot (i, t) is at 0 ≤ t < 1 on the arc from the i-th design to the next.
    """
    return Job((), partial(_morph, tuple(designs), frames, tuple(spots)))


def family(
    designs: Sequence[Design], names: Sequence[str], parents: Mapping[str, Sequence[str]]
) -> Job[bytes]:
    """The family tree of the first of the designs as PNG; `parents` are by name."""
    return Job(tuple(designs), partial(_family, tuple(names), dict(parents)))


def timelapse(grids: Sequence[Path]) -> Job[bytes]:
    """A run's grids, first to last, as a GIF of at most 8 MiB."""
    return Job((), partial(_timelapse, tuple(grids)))


def curves(epochs: Sequence[Epoch]) -> Job[tuple[bytes, bytes | None]]:
    """Of a run the curve of its losses and, once two were measured, of its quality, as PNG."""
    return Job((), partial(_curves, tuple(epochs)))


# What they make ------------------------------------------------------------------------------


def _picture(images: Images) -> Picture:
    (pixels,) = images
    original = Image.fromarray(pixels)
    color = name_color(pixels) or NO_BAG
    return Picture(_png(original), _png(_large(original)), color.name, color.rgb, look(pixels))


def _nearest(original: bytes, dataset: Path, _images: Images) -> NearestPhoto | None:
    return nearest_photo(np.asarray(Image.open(BytesIO(original))), dataset)


def _grid(images: Images, columns: int) -> bytes:
    # Few bags are shown larger: one looks at what tells a variation from another.
    most, side = (3, 256) if columns <= 2 else (2, 128)
    scale = magnification(images.shape[1], most, side)
    return _png(numbered(images, columns=columns, numbers=True, scale=scale))


def _large(image: Image.Image) -> Image.Image:
    return enlarge(image, magnification(image.width, 4, 256))


def _breed(
    parents: Sequence[Design], seeds: Sequence[int], count: int, mutation: float, _images: Images
) -> dict[int, bytes]:
    generator = _load(parents[0][0])
    a, b = (_latent(generator, source) for _, source in (parents[0], parents[-1]))
    known, litter = {_bytes(a), _bytes(b)}, dict[int, bytes]()
    for seed, child in zip(seeds, map(_bytes, generator.children(a, b, seeds, mutation)), strict=True):
        if child not in known and len(litter) < count:
            known.add(child)
            litter[seed] = child
    return litter


def _like(path: Path, photo: bytes, _images: Images) -> Likeness:
    from gan.inversion import invert

    generator = _load(path)
    try:
        squared = square(photo, SHOWN, PHOTO_PIXELS)
    except PictureError:
        raise
    except Exception as error:  # whatever a decoder stumbles over
        raise PictureError("broken") from error
    if not squared.bag.any():
        raise PictureError("no bag")
    shown = Image.fromarray(squared.pixels)
    # What the bag is called is for the photo to say; a dream may come nearest under another color's name.
    color = name_color(squared.pixels, squared.bag)
    said = generator.vocabulary.said(color.name).words if color and generator.vocabulary else ()
    found = invert(generator, np.asarray(shown.reduce(SHOWN // generator.image_size)), said)
    drawn = generator.draw(found[None])
    pair = Image.new("RGB", (2 * SHOWN, SHOWN))
    pair.paste(shown)
    pair.paste(enlarge(Image.fromarray(drawn[0]), SHOWN // generator.image_size), (SHOWN, 0))
    return Likeness(_bytes(found), _picture(drawn), _png(pair))


def _latent_of(design: Design, _images: Images) -> bytes:
    path, source = design
    return _bytes(_latent(_load(path), source))


def _morph(
    designs: Sequence[Design], frames: int, spots: Sequence[tuple[int, float]], _images: Images
) -> Animation:
    import torch

    from gan.interpolate import between, interpolation

    generator = _load(designs[0][0])
    stops = torch.stack([_latent(generator, source) for _, source in designs])
    steps = torch.stack(
        [between(stops[i], stops[(i + 1) % len(stops)], t, generator.z_size) for i, t in spots]
    )
    way = interpolation(generator, stops, frames=frames, loop=True)
    webp = animate.bounded(
        [_large(step) for step in way], lambda smaller: animate.encode_webp(smaller, milliseconds=60)
    )
    return Animation(webp, _grid(generator.draw(steps), columns=len(spots)), [_bytes(step) for step in steps])


def _family(names: Sequence[str], parents: Mapping[str, Sequence[str]], images: Images) -> bytes:
    pictures = {name: Image.fromarray(image) for name, image in zip(names, images, strict=True)}
    return _png(draw_tree(names[0], parents, pictures))


def _timelapse(grids: Sequence[Path], _images: Images) -> bytes:
    return animate.timelapse([grid for grid in grids if Run(grid.parents[1]).has(grid)])


def _curves(epochs: Sequence[Epoch], _images: Images) -> tuple[bytes, bytes | None]:
    from gan import curves as draw

    measured = sum(epoch.kid is not None for epoch in epochs)
    return draw.losses(epochs), draw.quality(epochs) if measured > 1 else None


def _png(image: Image.Image) -> bytes:
    data = BytesIO()
    # A third of the usual strategy's time, which was most of a drawing's, for 4 % more bytes.
    image.save(data, "PNG", compress_type=zlib.Z_RLE)
    return data.getvalue()


def _bytes(latent: Tensor) -> bytes:
    return bytes(latent.contiguous().numpy().tobytes())
