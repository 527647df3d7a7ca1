"""Dreams beside the real pictures nearest to them, to see that they are not copies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan.grid import grid

_SIDE = 16
"""Pixels along a side at which pictures are compared: shape and color count, texture does not."""
_THUMB = 4
"""Pixels along a side of the dataset's thumbnails."""
_MOST = 512
"""Photos that are compared in full."""
_ROWS = 2**16
"""Thumbnails that are compared at a time."""
_WITHOUT_THUMBNAILS = 10_000
"""The most photos that are read through for want of thumbnails: a second or so."""
COPY = 0.1
"""A picture less distant from a photo is a near copy of it: see `NearestPhoto.distance`."""


@dataclass(frozen=True)
class NearestPhoto:
    """The photo of a dataset that a picture resembles most."""

    photo: str
    """Its SHA-256."""
    distance: float
    """How much they differ, as a share of how much the photo differs from an empty white square.

    0: the same picture. A photo saved as a poor JPEG, blurred or enlarged by a fifteenth is at 0.01 to 0.09
    from itself, moved by a pixel of 64 at 0.13. Half of 2,149 real photos are within 0.30 of another one, 5 %
    within 0.17 and 0.3 % within 0.1, most of these the same bag in another dark color.
    """
    photos: int
    """How many there are."""

    @property
    def is_copy(self) -> bool:
        """Whether the picture is a near copy of the photo."""
        return self.distance < COPY


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


def nearest_photo(picture: NDArray[np.uint8], dataset: Path) -> NearestPhoto | None:
    """The photo of a dataset folder that is nearest to a picture uint8 [S, S, 3], mirrored or not.

    None if the folder is gone, or has many photos and, built by an older version, no thumbnails. A million
    thumbnails take a fraction of a second, as no distance at 4×4 pixels exceeds that at 16×16: only if that
    leaves more than `_MOST` photos, the answer is that among those. Raises OSError if the files are broken.
    """
    if not (dataset / "images.npy").exists():
        return None
    try:
        return _nearest_photo(picture, dataset)
    except (EOFError, ValueError, LookupError, TypeError) as error:
        raise OSError(f"the dataset {dataset} is broken ({error}): rebuild it") from error


def _nearest_photo(picture: NDArray[np.uint8], dataset: Path) -> NearestPhoto | None:
    photos = np.load(dataset / "images.npy", mmap_mode="r")
    thumbs = _thumbnails(dataset, photos)
    if thumbs is None:
        return None
    both = _small(np.stack([picture, picture[:, ::-1]]))
    least = _least_distances(_reduced(both.reshape(2, _SIDE, _SIDE, 3), _THUMB), thumbs)
    candidates = np.argpartition(least, min(_MOST, len(least)) - 1)[:_MOST]
    candidates = candidates[np.argsort(least[candidates], kind="stable")]
    best, row = np.inf, 0
    for some in np.array_split(candidates, -(-len(candidates) // 64)):
        if least[some[0]] > best:
            break
        small = _small(photos[some])
        distances = np.sqrt(_distances(both, small).min(axis=0).clip(0) / small.shape[1])
        if distances.min() < best:
            at = int(distances.argmin())
            best, row = float(distances[at]), int(some[at])
    with (dataset / "items.jsonl").open("rb") as items:
        about = json.loads(next(islice(items, row, None), b""))
    ink = float(np.sqrt(np.mean((255 - _small(photos[row][None])) ** 2)))
    return NearestPhoto(str(about["sha256"]), best / max(ink, 1), len(photos))


def _thumbnails(dataset: Path, photos: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The photos [n, S, S, 3] in little, uint8 [n, 4, 4, 3]; None if that would take too long."""
    path = dataset / "thumbnails.npy"
    if path.exists():
        thumbs: NDArray[np.uint8] = np.load(path, mmap_mode="r")
        if thumbs.dtype != np.uint8 or thumbs.shape != (len(photos), _THUMB, _THUMB, 3):
            raise ValueError("its thumbnails do not fit its pictures")
        return thumbs
    if len(photos) > _WITHOUT_THUMBNAILS:
        return None
    file = dataset / "images.npy"
    return _made_thumbnails(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _made_thumbnails(path: Path, _changed: int) -> NDArray[np.uint8]:
    photos = np.load(path, mmap_mode="r")
    parts = [_reduced(photos[at : at + 1024], _THUMB) for at in range(0, len(photos), 1024)]
    return np.concatenate(parts).round().astype(np.uint8)


def _least_distances(ours: NDArray[np.float32], thumbs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The least that photos [n] can differ from either of two pictures [2, 4, 4, 3], in levels."""

    def parts() -> Iterator[NDArray[np.float32]]:
        for at in range(0, len(thumbs), _ROWS):
            theirs = thumbs[at : at + _ROWS].reshape(-1, _THUMB * _THUMB * 3).astype(np.float32)
            squares = _distances(ours.reshape(2, -1), theirs).min(axis=0).clip(0) / theirs.shape[1]
            yield np.sqrt(squares) - 1  # thumbnails are rounded, twice

    return np.concatenate(list(parts()))


def _reduced(images: NDArray[np.uint8] | NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Pictures [n, S, S, 3] at side × side pixels, each the mean of a square; S is a multiple of side."""
    count, size = images.shape[:2]
    cell = size // side
    means: NDArray[np.float32] = images.reshape(count, side, cell, side, cell, 3).mean((2, 4), np.float32)
    return means


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return _reduced(images, _SIDE).reshape(len(images), -1)


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    squares: NDArray[np.float32] = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * np.matmul(a, b.T)
    return squares
