"""Pictures that one already has: a folder, read to its depths, with a CSV of tags beside it or in it."""

import asyncio
import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scraper.catalog import TAGS, Catalog
from scraper.intake import Intake
from scraper.report import Report
from scraper.settings import Settings
from scraper.shop import Found
from scraper.square import PictureError


class NothingToImportError(Exception):
    """There is nothing to import. One line."""


@dataclass(frozen=True, slots=True)
class Source:
    """What `import` was pointed at: its name in the catalog, and its files with their tags."""

    name: str
    folder: Path
    tags: dict[Path, dict[str, str]]
    only_tagged: bool

    def files(self) -> Iterator[Path]:
        """The files, in order; hidden ones and tables are none of ours."""
        if self.only_tagged:
            yield from self.tags
            return
        for folder, folders, names in os.walk(self.folder):
            folders.sort()
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith(".csv"):
                    yield Path(folder, name)

    def found(self, path: Path) -> Found:
        """A file as an item of the catalog."""
        tags = self.tags.get(path, {})
        return Found(image=path.as_uri(), url=tags.get("url", ""), **{tag: tags.get(tag, "") for tag in TAGS})


def source(path: Path) -> Source:
    """Looks at a folder or a CSV of files. Raises NothingToImportError."""
    path = path.resolve()
    if not path.exists():
        raise NothingToImportError(f"no such folder: {path}")
    if path.suffix.lower() == ".csv":
        return Source(path.stem, path.parent, table(path), only_tagged=True)
    if not path.is_dir():
        raise NothingToImportError(f"neither a folder nor a CSV of tags: {path}")
    tables = [path.with_name(f"{path.name}.csv"), *sorted(path.glob("*.csv"))]
    tags = {file: row for each in tables if each.is_file() for file, row in table(each).items()}
    return Source(path.name, path, tags, only_tagged=False)


def table(path: Path) -> dict[Path, dict[str, str]]:
    """A CSV with the columns file (relative to the CSV), title, brand, category, color, …: file → tags."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NothingToImportError(f"cannot read {path}: {error}") from error
    if rows and "file" not in rows[0]:
        raise NothingToImportError(f"{path} has no column `file`")
    return {
        path.parent / row["file"]: {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}
        for row in rows
        if row["file"]
    }


async def import_pictures(
    wanted: Source, settings: Settings, catalog: Catalog, intake: Intake, report: Report
) -> None:
    """Takes in every file that is new or has changed; a killed import goes on where it was."""
    tally = report.tally(wanted.name)
    files = wanted.files()

    async def work() -> None:
        for path in files:
            tally.seen += 1
            try:
                stat = path.stat()
            except OSError as error:
                tally.fail(error.strerror or "cannot be read")
                continue
            stamp = f"{stat.st_size}-{stat.st_mtime_ns}"
            item = catalog.offer(wanted.name, wanted.found(path), stamp)
            if item is None:
                tally.known += 1
                continue
            try:
                data = await asyncio.to_thread(read, path, settings.picture_bytes)
                result = await intake.take(item, data, etag=stamp)
            except PictureError as error:
                catalog.fail(item, str(error), transient=False)
                tally.fail(str(error))
                continue
            tally.new += result == "new"
            tally.duplicates += result == "duplicate"

    async with asyncio.TaskGroup() as group:
        for _ in range(2 * (os.cpu_count() or 1)):
            group.create_task(work())
    if not tally.seen:
        raise NothingToImportError(f"no pictures in {wanted.folder}")
    report.shop(wanted.name)


def read(path: Path, cap: int) -> bytes:
    """A file's bytes. Raises PictureError when there are more than `cap`, or when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(cap + 1)
    except OSError as error:
        raise PictureError(error.strerror or "cannot be read") from error
    if len(data) > cap:
        raise PictureError(f"larger than {cap} bytes")
    return data
