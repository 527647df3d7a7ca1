"""What a community likes, learnt from its votes. Like `render` it runs in the drawing process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
"""Fields along a side of a look."""


def look(image: NDArray[np.uint8]) -> bytes:
    """A picture uint8 [S, S, 3] in little, SIDE × SIDE × 4 bytes.

    Of each field the mean red, green and blue, and how much its gray varies (the standard deviation, twice).
    It is kept because latents mean something else to every generator, while a picture stays a picture.
    """
    mean = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    gray = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    side = gray.shape[0] // SIDE
    fields = gray[: side * SIDE, : side * SIDE].reshape(SIDE, side, SIDE, side)
    contrast = np.clip(2 * fields.std(axis=(1, 3)), 0, 255).astype(np.uint8)
    return np.dstack([np.asarray(mean), contrast]).tobytes()
