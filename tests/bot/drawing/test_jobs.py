"""What a drawing process loads, and what it makes of pictures."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.drawing import jobs


def test_a_drawing_process_loads_neither_discord_nor_the_store():
    heavy = ("discord", "sqlalchemy", "aiohttp", "bs4", "matplotlib")
    code = f"import sys, bot.drawing.jobs; sys.exit(any(name in sys.modules for name in {heavy}))"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(
    ("size", "large", "few", "many"),
    [(32, 128, 96, 64), (64, 256, 192, 128), (128, 256, 256, 128), (256, 256, 256, 256)],
)
def test_bags_of_any_size_are_shown_large_enough(size: int, large: int, few: int, many: int):
    images = np.full((4, size, size, 3), 128, np.uint8)
    made = jobs.picture((Path(), 0)).make(images[:1])
    assert Image.open(BytesIO(made.original)).size == (size, size)
    assert Image.open(BytesIO(made.large)).size == (large, large)
    assert len(made.look) == 256
    for columns, side in ((2, few), (4, many)):
        shown = Image.open(BytesIO(jobs.grid([(Path(), 0)] * 4, columns).make(images)))
        assert shown.width == columns * (side + 2) + 2
