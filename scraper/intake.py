"""Turns bytes into a cataloged picture: checked and squared in threads on all cores, then recorded."""

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from threadpoolctl import threadpool_limits

from scraper.catalog import Catalog, Kept
from scraper.colors import name_color
from scraper.settings import Settings
from scraper.square import Square, square

BATCH_SECONDS: Final = 0.02
"""Pictures that are ready within this time are recorded in one transaction."""


class Intake:
    """The one way in for pictures, crawled or imported."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self.catalog = catalog
        self.settings = settings
        self.forgotten = catalog.forgotten_checksums()
        self.ready: list[tuple[asyncio.Future[Kept], tuple[Any, ...]]] = []
        # Pillow and numpy release the GIL, so threads are enough: numpy's own would only be in their way.
        threadpool_limits(1, "blas")
        self.pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="square")

    def prepare(self, data: bytes) -> tuple[str, Square, str]:
        """Writes the original; returns its SHA-256, square and color or "". Raises PictureError, OSError."""
        squared = square(data, self.settings.image_size, self.settings.pixels)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self.forgotten:
            # Before its row, and in this thread: creating a file takes longer than adding a row.
            self.catalog.files.put(sha256, squared.suffix, data)
        color = name_color(squared.pixels, squared.bag)
        return sha256, squared, color.name if color else ""

    async def take(
        self, item: int, data: bytes, etag: str | None = None, modified: str | None = None
    ) -> Kept:
        """Keeps a picture for an item; returns once it is recorded. Raises PictureError if it is refused."""
        loop = asyncio.get_running_loop()
        sha256, picture, color = await loop.run_in_executor(self.pool, self.prepare, data)
        kept: asyncio.Future[Kept] = loop.create_future()
        if not self.ready:
            loop.call_later(BATCH_SECONDS, self.keep)
        self.ready.append((kept, (item, sha256, len(data), picture, color, etag, modified)))
        return await kept

    def keep(self) -> None:
        """Records the pictures that are ready, in one transaction."""
        ready, self.ready = self.ready, []
        try:
            with self.catalog.change():
                results = [self.catalog.keep(*picture) for _, picture in ready]
        except Exception as error:  # say, the disk is full: each waiting `take` raises it
            for kept, _ in ready:
                if not kept.done():
                    kept.set_exception(error)
            return
        for (kept, _), result in zip(ready, results, strict=True):
            if not kept.done():
                kept.set_result(result)

    def close(self) -> None:
        """Waits for the threads, then deletes the files of replaced pictures."""
        self.pool.shutdown()
        self.catalog.sweep()
