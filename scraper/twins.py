"""Finds near-duplicates: what a picture looks like in 224 bytes, and which pictures look the same."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

HASH: Final = 32
"""Bytes of the difference hash of 16 × 16 comparisons (N. Krawetz, "Kind of Like That", 2013).
With its usual 64 bits, bags on white have hundreds of false twins."""

GRID: Final = 8
TONE: Final = GRID * GRID * 3
"""Bytes of the mean colors on a grid: bags that differ in color, strap or print may share a hash."""

LOOK: Final = HASH + TONE

BITS: Final = 6
"""Twins differ in at most this many bits of the hash (less than PARTS: see `pairs`)."""

LEVELS: Final = 2
"""Twins differ by at most this many levels of 255 in each mean color, as another size, quality or format
makes them. Among a thousand drawn bags, other quilting or another lock makes 3 levels or more."""

PARTS: Final = 8
NEIGHBORS: Final = 16


def look(image: Image.Image, width: float, height: float) -> bytes:
    """The look of an RGB picture of any size: 32 bytes of hash, then 192 of colors.

    `width` and `height`, in pixels, are fractional if the last column and row are only partly covered.
    """
    # A triangle filter: Pillow's box filter takes whole pixels, so two sizes of one photo would differ.
    box = (0, 0, width, height)
    fine, coarse = (image.resize(size, Resampling.BILINEAR, box) for size in ((17, 16), (GRID, GRID)))
    gray = np.asarray(fine.convert("L"), np.int16)
    # With a threshold, or JPEG noise would decide between two equal whites.
    bits = gray[:, 1:] - gray[:, :-1] > 4
    return np.packbits(bits).tobytes() + coarse.tobytes()


def twins(looks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which looks, uint8 [N, 224] with the best picture first, repeat an earlier one that stays: bool [N]."""
    twin = np.zeros(len(looks), bool)
    for better, worse in sorted(set(pairs(looks)), key=lambda pair: pair[1]):
        if not twin[better]:
            twin[worse] = True
    return twin


def pairs(looks: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """Pairs (i < j) of looks, uint8 [N, 224], that are the same, in O(N log N).

    Two hashes that differ in fewer bits than there are parts agree in at least one part. Its bits are spread
    over the picture, so few unrelated pictures share one. Sorted by a part, twins are neighbors.
    """
    if len(looks) < 2:
        return
    bits = np.unpackbits(looks[:, :HASH], axis=1)
    for part in range(PARTS):
        values = np.packbits(bits[:, part::PARTS], axis=1).copy().view(">u4").ravel()
        order = np.argsort(values, kind="stable")
        for step in range(1, NEIGHBORS + 1):
            one, other = order[:-step], order[step:]
            same = values[one] == values[other]
            if not same.any():
                break
            one, other = one[same], other[same]
            alike = (bits[one] != bits[other]).sum(axis=1) <= BITS
            one, other = one[alike], other[alike]
            tones = np.abs(looks[one, HASH:].astype(np.int16) - looks[other, HASH:]).max(axis=1)
            for i, j in zip(one[tones <= LEVELS].tolist(), other[tones <= LEVELS].tolist(), strict=True):
                yield min(i, j), max(i, j)
