"""What a picture looks like in 224 bytes, and which of many pictures look the same."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

HASH: Final = 32
"""Bytes of the difference hash: 16 × 16 comparisons (N. Krawetz, "Kind of Like That", 2013, at 256 bits).
At 64 bits bags on white have hundreds of false twins."""

GRID: Final = 8
TONE: Final = GRID * GRID * 3
"""Bytes of the mean colors on a grid: bags that differ in a color, a strap or a print may have one hash."""

LOOK: Final = HASH + TONE

BITS: Final = 6
"""Twins differ in at most so many bits of the hash (less than PARTS: see `pairs`)."""

LEVELS: Final = 2
"""Twins differ by at most so many levels in each part's mean color: what another size, quality or format
costs. Of a thousand drawn bags, a quilted and a plain one or two with other locks differ by 3 and more."""

PARTS: Final = 8
NEIGHBORS: Final = 16


def look(image: Image.Image, width: float, height: float) -> bytes:
    """The look of a whole picture in RGB, whatever its size: 32 bytes of hash, 192 of colors.

    Of its last column and row only a part may be picture: width and height are no whole numbers then.
    """
    # A triangle and not a box: Pillow's box takes whole pixels only, so that sizes of one photo would differ.
    box = (0, 0, width, height)
    fine, coarse = (image.resize(size, Resampling.BILINEAR, box) for size in ((17, 16), (GRID, GRID)))
    gray = np.asarray(fine.convert("L"), np.int16)
    # Flat white on both sides is no difference: without a threshold the noise of JPEG would decide.
    bits = gray[:, 1:] - gray[:, :-1] > 4
    return np.packbits(bits).tobytes() + coarse.tobytes()


def twins(looks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of many looks, uint8 [n, 224], best picture first, look like a better that stays: bool [n]."""
    twin = np.zeros(len(looks), bool)
    for better, worse in sorted(set(pairs(looks)), key=lambda pair: pair[1]):
        if not twin[better]:
            twin[worse] = True
    return twin


def pairs(looks: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """Pairs (i < j) that look the same, in O(n log n).

    Two hashes that differ in fewer bits than there are parts agree in one part; its bits are spread over
    the picture, so that few unrelated pictures share one. Sorted by a part, twins stand side by side.
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
