"""What a drawing process loads."""

import subprocess
import sys
from pathlib import Path


def test_a_drawing_process_loads_neither_discord_nor_the_store():
    heavy = ("discord", "sqlalchemy", "aiohttp", "bs4", "matplotlib")
    code = f"import sys, bot.drawing.jobs; sys.exit(any(name in sys.modules for name in {heavy}))"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
