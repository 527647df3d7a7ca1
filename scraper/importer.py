"""Imports the pictures that `import PATH` or a shop of kind `folder` names."""

import asyncio
import io

from scraper.catalog import Catalog
from scraper.decode import PictureError, opened
from scraper.intake import Intake
from scraper.report import Report
from scraper.settings import Settings
from scraper.sources import Entry, NothingToImportError, Source
from scraper.tags import normalize

WORKERS = 16
"""The number of pictures in memory at a time."""


async def import_pictures(
    wanted: Source, settings: Settings, catalog: Catalog, intake: Intake, report: Report, crop: str = ""
) -> None:
    """Imports every file that is new or has changed; an interrupted import resumes where it stopped.

    `crop`: "left-half" or "right-half" of each picture. Raises NothingToImportError if there are no files.
    """
    tally = report.tally(wanted.name)
    entries = wanted.entries()

    async def work() -> None:
        # Workers share the iterator and read before they await: one at a time reads an archive, in order.
        for entry in entries:
            tally.seen += 1
            item = catalog.offer(wanted.name, normalize(wanted.found(entry)), entry.stamp)
            if item == "same":
                tally.known += 1
                continue
            if item == "forgotten":
                tally.forgotten.append(entry.path)
                continue
            try:
                result = await intake.take(item, data_of(entry, settings, crop), etag=entry.stamp)
            except PictureError as error:
                catalog.fail(item, str(error), transient=False)
                tally.fail(str(error))
                continue
            if result == "forgotten":
                tally.forgotten.append(entry.path)
            tally.take(result)

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work())
    if not tally.seen:
        raise NothingToImportError(f"no pictures in {wanted.path}")
    report.shop(wanted.name)


def data_of(entry: Entry, settings: Settings, crop: str) -> bytes:
    """The picture's bytes, cropped losslessly if `crop` says so. Raises PictureError."""
    data = entry.read(settings.picture_bytes)
    if not crop:
        return data
    with opened(data, settings.pixels) as image:
        half = image.width // 2
        box = (
            (image.width - half, 0, image.width, image.height)
            if crop == "right-half"
            else (0, 0, half, image.height)
        )
        file = io.BytesIO()
        image.convert("RGB").crop(box).save(file, "PNG", compress_level=1)
    return file.getvalue()
