"""From bytes to a catalogued picture: checked and squared in threads, on all cores, then written down."""

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from scraper.catalog import Catalog, Kept
from scraper.colors import name_color
from scraper.settings import Settings
from scraper.square import Square, square

TOGETHER: Final = 0.02
"""Pictures that are ready within so many seconds are written down together."""


class Intake:
    """The one way in for pictures, whether they were crawled or imported."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self.catalog = catalog
        self.settings = settings
        self.forgotten = catalog.forgotten_checksums()
        self.ready: list[tuple[asyncio.Future[Kept], tuple[Any, ...]]] = []
        # Pillow lets go of the interpreter while it decodes, so threads are enough.
        self.pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="square")

    def prepare(self, data: bytes) -> tuple[str, Square, str]:
        """The picture's sha256, its square and its color; the original is on disk. Raises PictureError."""
        squared = square(data, self.settings.image_size, self.settings.pixels)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self.forgotten:
            # Before any row speaks of it, and here: a new file takes longer than a row.
            self.catalog.files.put(sha256, squared.suffix, data)
        color = name_color(squared.pixels)
        return sha256, squared, color.name if color else ""

    async def take(
        self, item: int, data: bytes, etag: str | None = None, modified: str | None = None
    ) -> Kept:
        """Keeps a picture for an item; returns when it is written down. Raises PictureError if refused."""
        loop = asyncio.get_running_loop()
        sha256, picture, color = await loop.run_in_executor(self.pool, self.prepare, data)
        kept: asyncio.Future[Kept] = loop.create_future()
        if not self.ready:
            loop.call_later(TOGETHER, self.keep)
        self.ready.append((kept, (item, sha256, len(data), picture, color, etag, modified)))
        return await kept

    def keep(self) -> None:
        """Writes down what is ready, in one transaction: all of it, or nothing."""
        ready, self.ready = self.ready, []
        try:
            with self.catalog.change():
                results = [self.catalog.keep(*picture) for _, picture in ready]
        except Exception as error:  # the disk is full, say: who waits gets to know
            for kept, _ in ready:
                if not kept.done():
                    kept.set_exception(error)
            return
        for (kept, _), result in zip(ready, results, strict=True):
            if not kept.done():
                kept.set_result(result)

    def close(self) -> None:
        """Waits for the threads, and deletes the files of pictures that others have taken the place of."""
        self.pool.shutdown()
        self.catalog.sweep()
