"""From bytes to a catalogued picture: checked and squared in threads, on all cores, then written down."""

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from scraper.catalog import Catalog
from scraper.settings import Settings
from scraper.square import Square, square
from scraper.tags import color_of


class Intake:
    """The one way in for pictures, whether they were crawled or imported."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self.catalog = catalog
        self.settings = settings
        # Pillow lets go of the interpreter while it decodes, so threads are enough.
        self.pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="square")

    def prepare(self, data: bytes) -> tuple[str, Square, str]:
        """The picture's sha256, its square and its color. Raises PictureError."""
        squared = square(data, self.settings.image_size, self.settings.pixels)
        return hashlib.sha256(data).hexdigest(), squared, color_of(squared.pixels)

    async def take(
        self, item: int, data: bytes, etag: str | None = None, modified: str | None = None
    ) -> Literal["new", "duplicate", "forgotten"]:
        """Keeps a picture for an item. Raises PictureError when it is refused."""
        sha256, picture, color = await asyncio.get_running_loop().run_in_executor(
            self.pool, self.prepare, data
        )
        return self.catalog.keep(item, sha256, data, picture, color, etag, modified)

    def close(self) -> None:
        """Waits for the threads."""
        self.pool.shutdown()
