"""Turns bytes into a cataloged picture: checked and squared in threads on all cores, then recorded."""

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from threadpoolctl import threadpool_limits

from scraper.atomic import sync
from scraper.catalog import Catalog, Kept
from scraper.colors import name_color
from scraper.decode import PictureError
from scraper.settings import Settings
from scraper.square import Square, square

FLUSHES: Final = 16
"""Files that are flushed to disk at a time."""
Ready = tuple[asyncio.Future[Kept], tuple[Any, ...]]
"""A picture that is to be recorded: who waits for it, and the arguments of `Catalog.keep`."""


class Intake:
    """The one way in for pictures, crawled or imported."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self.catalog = catalog
        self.settings = settings
        self.forgotten = catalog.forgotten_checksums()
        self.ready: list[Ready] = []
        self.recording: asyncio.Task[None] | None = None
        self.syncs = ThreadPoolExecutor(FLUSHES, thread_name_prefix="sync")
        # Pillow and numpy release the GIL, so threads are enough: numpy's own would only be in their way.
        threadpool_limits(1, "blas")
        self.pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="square")

    def prepare(self, data: bytes) -> tuple[str, Square, str]:
        """Writes the original; returns its SHA-256, square and color or "". Raises PictureError, OSError."""
        try:
            squared = square(data, self.settings.square_size, self.settings.pixels)
        except PictureError:
            raise
        except Exception as error:  # whatever a decoder stumbles over, it costs no other picture
            raise PictureError(f"broken ({type(error).__name__})") from error
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
        self.ready.append((kept, (item, sha256, len(data), picture, color, etag, modified)))
        if self.recording is None or self.recording.done():
            self.recording = loop.create_task(self.record())
        return await kept

    async def record(self) -> None:
        """Records what is ready, batch by batch: while one is flushed to disk, the next one gathers."""
        while batch := list(self.ready):
            try:
                await asyncio.to_thread(self.flush, batch)
                results = self.keep(batch)
            except Exception as error:  # say, the disk is full: each waiting `take` raises it
                for kept, _ in batch:
                    if not kept.done():
                        kept.set_exception(error)
            else:
                for (kept, _), result in zip(batch, results, strict=True):
                    if not kept.done():
                        kept.set_result(result)
            del self.ready[: len(batch)]

    def flush(self, batch: list[Ready]) -> None:
        """Flushes originals to disk, many at a time: a file system then writes its journal once for all.

        Raises OSError.
        """
        originals = [(sha256, picture.suffix) for _, (_, sha256, _, picture, *_) in batch]
        files = self.catalog.files.on_disk(originals)
        for paths in (files, {path.parent for path in files}):
            for _ in self.syncs.map(sync, paths):
                pass  # raises what went wrong

    def keep(self, batch: list[Ready]) -> list[Kept]:
        """Records pictures in one transaction."""
        with self.catalog.change():
            return [self.catalog.keep(*picture) for _, picture in batch]

    def close(self) -> None:
        """Waits for the threads, records what is ready, then deletes the files of replaced pictures."""
        self.pool.shutdown()
        if self.ready:  # the loop was stopped before
            self.flush(self.ready)
            self.keep(self.ready)
        self.syncs.shutdown()
        self.catalog.sweep()
