"""What the drawing process does: torch and pictures, far from the event loop.

These functions run in a process of their own (see `easel`), which alone loads torch: the bot starts at once,
and neither a slow import nor a big picture can hold up a heartbeat.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bot.preference import look

if TYPE_CHECKING:
    from gan.generator import Generator


@dataclass(frozen=True)
class Picture:
    """One design: the 64² original and the enlargement as PNG, its color in a word and as 0xRRGGBB."""

    original: bytes
    large: bytes
    color: str
    rgb: int
    look: bytes
    """The picture in little, from which taste is learnt (see `preference`)."""


@dataclass(frozen=True)
class Animation:
    """A morph: an animated WebP and a PNG strip of some of its frames."""

    webp: bytes
    strip: bytes


def set_up() -> None:
    """Prepare the drawing process: one thread, deaf to Ctrl-C, gone when the bot is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        # A bot that is killed can't say goodbye.
        threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    import torch

    torch.set_num_threads(1)


def _leave_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(0)


@lru_cache(maxsize=4)
def _load(path: Path) -> Generator:
    from gan import generator

    return generator.load(path)


def _draw(path: Path, seeds: Sequence[int]) -> np.ndarray:
    generator = _load(path)
    return generator.draw(generator.latents(seeds))


def warm_up(path: Path | None) -> int:
    """Load torch, and a generator if there is one, before anybody waits for them; the process id."""
    if path is not None:
        _draw(path, [0])
    return os.getpid()


def picture(path: Path, seed: int) -> Picture:
    """Draw one design with the generator file. Raises GeneratorError."""
    from gan.colors import dominant
    from gan.grid import enlarge

    pixels = _draw(path, [seed])[0]
    original = Image.fromarray(pixels)
    color = dominant(pixels, 1)[0]
    return Picture(_png(original), _png(enlarge(original, 4)), color.name, color.rgb, look(pixels))


def grid(designs: Sequence[tuple[Path, int]], columns: int) -> bytes:
    """Draw designs, each (generator file, seed), as one numbered PNG. Raises GeneratorError."""
    from gan.grid import grid as draw_grid

    images = np.concatenate([_draw(path, [seed]) for path, seed in designs])
    return _png(draw_grid(images, columns=columns, numbers=True, scale=2))


def morph(path: Path, seeds: Sequence[int], frames: int) -> Animation:
    """Walk from the first seed's design to the last one's. Raises GeneratorError."""
    from gan.animate import encode_webp, interpolation
    from gan.grid import enlarge
    from gan.grid import grid as draw_grid

    generator = _load(path)
    steps = interpolation(generator, generator.latents(seeds), frames=frames)
    chosen = [steps[round(i * (len(steps) - 1) / 7)] for i in range(8)]
    strip = draw_grid(np.stack([np.asarray(step) for step in chosen]), columns=8, scale=2)
    there_and_back = steps + steps[-2:0:-1]
    return Animation(encode_webp([enlarge(step, 4) for step in there_and_back], milliseconds=60), _png(strip))


def _png(image: Image.Image) -> bytes:
    data = BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
