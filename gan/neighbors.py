"""Dreams beside the real pictures nearest to them, to see that they are not copies."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan.grid import grid

_SIDE = 16
"""Pixels along a side at which pictures are compared: shape and color count, texture does not."""


def nearest(dreamed: NDArray[np.uint8], real: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """For each dreamed picture uint8 [n, S, S, 3], the rows [n, count] of the nearest real ones [m, S, S, 3].

    By squared distance at 16×16 pixels, mirrored or not; nearest first.
    """
    ours, theirs = _small(dreamed), _small(real)
    mirrored = theirs.reshape(len(real), _SIDE, _SIDE, 3)[:, :, ::-1].reshape(len(real), -1)
    distances = np.minimum(_distances(ours, theirs), _distances(ours, mirrored))
    return np.argsort(distances, axis=1, kind="stable")[:, :count]


def neighbors(
    dreamed: NDArray[np.uint8], real: NDArray[np.uint8], count: int = 4, scale: int = 2
) -> Image.Image:
    """A sheet with one row per dreamed picture: itself, then the `count` real pictures nearest to it.

    Both are uint8 [n, S, S, 3], S a multiple of 16; `scale` enlarges them.
    """
    rows = nearest(dreamed, real, count)
    pictures = [np.concatenate([one[None], real[near]]) for one, near in zip(dreamed, rows, strict=True)]
    return grid(np.concatenate(pictures), columns=rows.shape[1] + 1, scale=scale)


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    count, size = images.shape[:2]
    cell = size // _SIDE
    cells = images.reshape(count, _SIDE, cell, _SIDE, cell, 3)
    means: NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32)
    return means.reshape(count, -1)


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    squares: NDArray[np.float32] = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * np.matmul(a, b.T)
    return squares
