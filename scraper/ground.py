"""Tells a bag from the plain, light ground behind it. A gradient, a vignette and a tint are plain too."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LIGHT: Final = 150
"""The least value of the darkest channel of the rim's median; a bag on a darker ground is not cut out."""

NEAREST: Final = 4
NEAR: Final = 14
"""How far a channel may differ from the ground for a pixel to belong to it (levels of 255): NEAREST if the
ground is clean, so that pale handles are seen, and up to NEAR if it is noisy."""

UNIFORM: Final = 0.9
"""The least fraction of the picture's rim that must be ground."""

DEGREE: Final = 4
"""The degree in x and y of the polynomial that the ground's levels are: enough for the light of a spot."""

WHITE: Final = 253
"""A ground whose median on the rim is this light is white already."""

SAME: Final = 3
"""A region that the bag encloses, as a handle does, is ground if their means differ by no more levels."""

SAMPLE: Final = 3
"""The ground is fitted to every third pixel of every third row."""

THIN: Final = 0.25
"""The least share of bag in a pixel at its edge that counts as bag."""

HOLE: Final = 0.001
"""The least fraction of the picture that such a region fills."""


class Ground(NamedTuple):
    """Where the bag is, bool [H, W], and the levels to add so that the ground is white, an RGB picture.

    `lift` is None if the ground is white already.
    """

    bag: NDArray[np.bool_]
    lift: Image.Image | None


def find_ground(pixels: NDArray[np.uint8]) -> Ground | None:
    """The ground of a picture, RGB uint8 [H, W, 3]; None if its rim is not plain and light.

    Its levels are a polynomial in x and y per channel, fitted to the rim, and then to all ground that
    straight lines from the rim reach. Ground is what has these levels, or nearly so without an edge, and is
    connected to the rim, or shows through the bag. A pixel at the bag's edge is a · bag + (1 − a) · ground
    (T. Porter and T. Duff, "Compositing Digital Images", 1984): adding (1 − a) · (white − ground) puts the
    bag on white, and leaves its own levels as they are.
    """
    border = rim(pixels).astype(np.float32)
    middle = np.partition(border, len(border) // 2, axis=0)[len(border) // 2]
    if middle.min() < LIGHT:
        return None
    off = np.maximum.reduce(np.abs(border - middle), axis=1)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    if white := middle.min() >= WHITE:
        levels = middle.astype(np.uint8)[:, None, None]
    else:
        terms, some, border_terms = terms_of(*pixels.shape[:2])
        for most in (4 * NEAR, NEAR):
            plain = off <= most
            if np.count_nonzero(plain) < UNIFORM * len(plain):
                return None
            shape = fitted(border_terms, border, plain)
            off = np.maximum.reduce(np.abs(border - border_terms.T @ shape), axis=1)
    if np.count_nonzero(plain := off <= NEAR) < UNIFORM * len(off):
        return None
    near = np.uint8(np.clip(3 * np.sqrt(np.mean(off[plain] ** 2)) + 1, NEAREST, NEAR))
    if white:
        apart = difference(planes, levels)
        return Ground(without_dust(apart > np.maximum(near, widened(apart) // 4)), None)
    sample = np.ascontiguousarray(planes[:, ::SAMPLE, ::SAMPLE])
    values = sample.reshape(3, -1).T.astype(np.float32)
    for most in (NEAR, int(near)):
        seen = lines_from_rim(difference(sample, levels_of(some, shape)) <= most)
        shape = fitted(some.reshape(len(some), -1), values, seen.ravel())
    levels = levels_of(terms, shape)
    apart = difference(planes, levels)
    widest = widened(apart)
    smooth = widest - ~widened(~apart) <= near  # the range of levels within two pixels
    ground = connected((apart <= near) | (smooth & (apart <= 2 * NEAR)), planes, levels)
    # A pixel beside the ground is as much bag as it differs from the ground, against the bag next to it.
    edge = np.flatnonzero((widened(ground.view(np.uint8)) > 0) & ~ground)
    cover = apart.ravel()[edge] / np.maximum(widest.ravel()[edge], 1).astype(np.float32)
    missing = 255 - levels
    lift = missing * ground
    lift.reshape(3, -1)[:, edge] = missing.reshape(3, -1).take(edge, axis=1) * (1 - cover) + np.float32(0.5)
    bag = ~ground
    bag.ravel()[edge] = cover > THIN
    clean = without_dust(bag)
    lift = np.where(bag & ~clean, missing, lift)  # the noise of a JPEG around the bag
    return Ground(clean, Image.merge("RGB", [Image.fromarray(plane) for plane in lift]))


@lru_cache(64)
def terms_of(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The terms of the polynomial at each pixel, [T, height, width]; at a sample; and at the rim, [T, N].

    float32; x and y run from -1 to 1.
    """
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([x**m * y ** (n - m) for n in range(DEGREE + 1) for m in range(n + 1)])
    return terms, np.ascontiguousarray(terms[:, ::SAMPLE, ::SAMPLE]), rim(terms.transpose(1, 2, 0)).T.copy()


def fitted(
    terms: NDArray[np.float32], values: NDArray[np.float32], where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The least squares at the points in bool [N]: terms [T, N] and values [N, 3] give [T, 3]."""
    chosen = terms * where
    # A little is added to the diagonal, since a few points in a row don't tell all terms.
    some: NDArray[np.float32] = np.float32(1e-3) * np.eye(len(terms), dtype=np.float32)
    return np.linalg.solve(chosen @ terms.T + some, chosen @ values)


def levels_of(terms: NDArray[np.float32], shape: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The ground's levels, uint8 [3, H, W]."""
    levels = shape.T @ terms.reshape(len(terms), -1) + np.float32(0.5)
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8).reshape(3, *terms.shape[1:])


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far the most different channel of [3, H, W] is apart: uint8 [H, W]."""
    apart = np.maximum(one, other) - np.minimum(one, other)
    most: NDArray[np.uint8] = np.maximum(np.maximum(apart[0], apart[1]), apart[2])
    return most


def widened(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The greatest level within two pixels, uint8 [H, W]."""
    padded = framed(levels)
    rows = np.maximum(padded[:-1], padded[1:])
    rows = np.maximum(np.maximum(rows[:-3], rows[2:-1]), padded[4:])
    columns = np.maximum(rows[:, :-1], rows[:, 1:])
    greatest: NDArray[np.uint8] = np.maximum(np.maximum(columns[:, :-3], columns[:, 2:-1]), rows[:, 4:])
    return greatest


def without_dust(bag: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bool [H, W] without the pixels that have fewer than four others within two pixels: a strap has more."""
    padded = framed(bag.view(np.uint8))
    rows = padded[:-1] + padded[1:]
    rows = rows[:-3] + rows[2:-1] + padded[4:]
    columns = rows[:, :-1] + rows[:, 1:]
    clean: NDArray[np.bool_] = bag & (columns[:, :-3] + columns[:, 2:-1] + rows[:, 4:] > 4)
    return clean


def framed(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With two zeros on each side, uint8 [H + 4, W + 4]; np.pad takes ten times as long."""
    frame = np.zeros((levels.shape[0] + 4, levels.shape[1] + 4), np.uint8)
    frame[2:-2, 2:-2] = levels
    return frame


def lines_from_rim(near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What horizontal and vertical lines from the rim reach without a gap: bool [H, W]."""
    open_, along = near.view(np.uint8), np.minimum.accumulate
    one_way = along(open_, axis=0) | along(open_, axis=1)
    other_way = along(open_[::-1], axis=0)[::-1] | along(open_[:, ::-1], axis=1)[:, ::-1]
    reached: NDArray[np.bool_] = (one_way | other_way) > 0
    return reached


def connected(
    near: NDArray[np.bool_], pixels: NDArray[np.uint8], levels: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """The regions of bool [H, W] that touch the rim, and those of the same color within the bag."""
    from scipy.ndimage import label  # takes 0.3 s to load, and most shops photograph on white

    labels, count = label(near)
    ground = np.zeros(count + 1, bool)
    ground[rim(labels)] = True
    sizes = np.bincount(labels.ravel())
    ground[0] = True  # until the holes are found: it is the bag
    for region in np.flatnonzero(~ground & (sizes > HOLE * near.size)):
        inside = labels == region
        if np.abs(pixels[:, inside].mean(axis=1) - levels[:, inside].mean(axis=1)).max() <= SAME:
            ground[region] = True
    ground[0] = False
    reached: NDArray[np.bool_] = ground[labels]
    return reached


def rim(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost rows and columns of an array [H, W, …], as [2 W + 2 H, …]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
