"""Looks: pictures in little, from which a community's taste is learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
"""Fields along a side of a look."""


Traits = tuple[bytes, str]
"""What taste learns from: a design's look, and the slugs of its words with spaces between them."""


def look(image: NDArray[np.uint8]) -> bytes:
    """A picture uint8 [S, S, 3] in little, SIDE × SIDE × 4 bytes; S is a multiple of SIDE.

    Of each field the mean red, green and blue, and how much its gray varies (the standard deviation, twice).
    It is kept because latents mean something else to every generator, while a picture stays a picture.
    """
    colors = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    gray = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    fields = gray.reshape(SIDE, len(gray) // SIDE, SIDE, -1)
    contrast = np.clip(2 * fields.std(axis=(1, 3)), 0, 255).astype(np.uint8)
    return np.dstack([np.asarray(colors), contrast]).tobytes()
