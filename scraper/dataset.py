"""Builds the dataset folder: pictures, what is known of them, and their words; all of it or nothing."""

import hashlib
import json
import shutil
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scraper.atomic import sync
from scraper.catalog import Catalog
from scraper.decode import PictureError
from scraper.settings import LARGE, SMALL, Settings
from scraper.square import square
from scraper.tags import TAGS
from scraper.twins import LOOK, twins
from scraper.vocabulary import Words

VERSION = 1
THUMB = 4
"""Pixels along a side of a thumbnail."""


class DatasetError(Exception):
    """No dataset can be built. The message is one line."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the dataset folder holds now; `words` by facet.

    Left out: `lost` pictures, missing from the disk, and `twins`.
    """

    images: int
    image_size: int
    content_hash: str
    lost: int
    twins: int
    words: dict[str, int]


ROWS = f"""
SELECT pictures.id, sha256, suffix, width, height, shop, url, image, first_seen, measured, {", ".join(TAGS)}
FROM pictures JOIN items ON items.id =
    (SELECT id FROM items WHERE picture = pictures.id ORDER BY shop, image LIMIT 1)
ORDER BY sha256
"""  # noqa: S608  # our own names


def build(catalog: Catalog, settings: Settings) -> Built:
    """Builds the dataset beside the old one, then replaces it. Raises DatasetError, OSError.

    Where there is nothing to build, an old dataset that shows forgotten pictures is removed.

    Pictures are sorted by SHA-256 and each has the row of its first item, so that the same pictures make the
    same dataset in whatever order they arrived.
    """
    repair(settings.dataset)
    chosen = choose(catalog, keep_twins=settings.twins)
    if not chosen:
        gone = remove_forgotten(catalog, settings.dataset)
        raise DatasetError(f"no pictures in {settings.folder}: run `collect` or `import` first{gone}")
    new = beside(settings.dataset)
    new.mkdir(parents=True)  # not by tempfile: others may read it, as the umask says
    try:
        built = write(catalog, settings, new, chosen)
        if not built.images:
            gone = remove_forgotten(catalog, settings.dataset)
            lost = chosen.count(1)
            raise DatasetError(f"all {lost} pictures of {settings.folder} are missing from the disk{gone}")
        swap(new, settings.dataset)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return built


def remove_forgotten(catalog: Catalog, place: Path) -> str:
    """Removes a dataset that shows forgotten pictures. Returns words that say so; empty if it stays."""
    try:
        with (place / "items.jsonl").open(encoding="utf-8") as lines:
            rows = (json.loads(line) for line in lines)
            shown = any(
                catalog.is_forgotten(row["sha256"], row["image"], row["page"], f"shop:{row['shop']}")
                for row in rows
            )
    except (OSError, ValueError, LookupError, TypeError):
        return ""  # no dataset, or none of ours
    if not shown:
        return ""
    gone = beside(place)  # where `repair` finishes the removal after a crash
    place.rename(gone)
    sync(gone.parent)
    shutil.rmtree(gone)
    return f"; {place} showed pictures that were taken down, and is removed"


def beside(place: Path) -> Path:
    """A new path beside a folder; what is left there, `repair` deletes."""
    return place.absolute().with_name(f".{place.name}-{uuid4().hex}.part")


def write(catalog: Catalog, settings: Settings, folder: Path, chosen: bytearray) -> Built:
    """Streams the pictures into a folder, one at a time, and flushes it to disk."""
    size = size_of(catalog, settings)
    digest = hashlib.sha256()
    images = 0
    count = chosen.count(1)
    words = Words()
    with (
        (folder / "images.npy").open("wb") as pixels,
        (folder / "thumbnails.npy").open("wb") as thumbs,
        (folder / "items.jsonl").open("w", encoding="utf-8") as items,
    ):
        header(pixels, count, size)
        header(thumbs, count, THUMB)
        for squared, row in rows(catalog, settings, chosen):
            square_bytes = Image.fromarray(squared).reduce(len(squared) // size).tobytes()
            line = json.dumps(row, ensure_ascii=False)
            # Without the time it was first seen, so that the same pictures have the same hash.
            digest.update(square_bytes)
            digest.update(json.dumps(row | {"time": ""}, ensure_ascii=False).encode())
            pixels.write(square_bytes)
            thumbs.write(thumbnail(square_bytes, size))
            items.write(f"{line}\n")
            words.add(row | {"color": ""} if row["color_measured"] else row)
            images += 1
        if images != count:
            header(pixels, images, size)
            header(thumbs, images, THUMB)
    manifest = {"version": VERSION, "image_size": size, "count": images, "content_hash": digest.hexdigest()}
    counts = words.write(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest) + "\n", "utf-8")
    for path in (*folder.iterdir(), folder):
        sync(path)
    return Built(images, size, digest.hexdigest(), count - images, chosen.count(2), counts)


def thumbnail(square_bytes: bytes, size: int) -> bytes:
    """A square in little, uint8 [4, 4, 3]: by these the bot finds the photo that a dream resembles most."""
    image = Image.frombytes("RGB", (size, size), square_bytes)
    return image.resize((THUMB, THUMB), Image.Resampling.BOX).tobytes()


def size_of(catalog: Catalog, settings: Settings) -> int:
    """The side of the pictures, if the settings leave it open: LARGE if at least half of the originals are as
    wide or high, else SMALL, since enlarged ones would teach the GAN to blur.
    """
    if settings.image_size or settings.square_size == SMALL:
        return settings.square_size
    query = "SELECT AVG(MAX(width, height) >= ?) FROM pictures"
    (share,) = catalog.db.execute(query, (LARGE,)).fetchone()
    return LARGE if share >= 0.5 else SMALL


def header(file: Any, count: int, size: int) -> None:
    """Writes the .npy header for uint8 [count, size, size, 3]: 128 bytes, whatever the count."""
    file.seek(0)
    shape = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, shape)


def choose(catalog: Catalog, *, keep_twins: bool) -> bytearray:
    """For each slot: 1 if its picture goes into the dataset, 2 if it is a twin of a larger one, 0 if empty.

    Of twins the largest stays; of equally large ones that with the lowest SHA-256.
    """
    slots, looks = array("q"), bytearray()
    for slot, appearance in catalog.db.execute(
        "SELECT id, look FROM pictures ORDER BY width * height DESC, sha256"
    ):
        slots.append(slot)
        looks += appearance
    chosen = bytearray(max(slots, default=-1) + 1)
    every = np.frombuffer(looks, np.uint8).reshape(len(slots), LOOK)
    out = np.zeros(len(slots), bool) if keep_twins else twins(every)
    for slot, twin in zip(slots, out, strict=True):
        chosen[slot] = 2 if twin else 1
    return chosen


def rows(
    catalog: Catalog, settings: Settings, chosen: bytearray
) -> Iterator[tuple[NDArray[np.uint8], dict[str, Any]]]:
    """Each picture's square and its row of items.jsonl, without pictures missing from the disk."""
    files = catalog.files
    for slot, sha256, suffix, width, height, shop, url, image, time, measured, *tags in catalog.db.execute(
        ROWS
    ):
        if chosen[slot] != 1:
            continue
        pixels = files.squares.read(slot)
        if pixels is None:
            # Of another size or recipe than before, or half written at a power failure: square it again.
            try:
                data = files.path(sha256, suffix).read_bytes()
                pixels = square(data, settings.square_size, settings.pixels).pixels
            except (OSError, PictureError):
                continue  # the caller counts and reports it
            files.squares.write(slot, pixels)
        where = {"sha256": sha256, "shop": shop, "page": url, "image": image}
        words = dict(zip(TAGS, tags, strict=True))
        guess = {"color": words["color"] or measured, "color_measured": bool(measured and not words["color"])}
        about = {"width": width, "height": height, "time": time}
        yield pixels, where | words | guess | about


def swap(new: Path, place: Path) -> None:
    """Moves a folder into place. A reader that has the old files open keeps them until it closes them."""
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    sync(place.absolute().parent)  # the old dataset goes only when the new one's name is on disk
    shutil.rmtree(old, ignore_errors=True)


def repair(place: Path) -> None:
    """Cleans up after a crash: restores the old dataset if `swap` had only moved it aside."""
    old = place.with_name(f".{place.name}.old")
    if old.exists() and not place.exists():
        old.rename(place)
        sync(place.absolute().parent)
    for leftover in place.absolute().parent.glob(f".{place.name}-*.part"):
        shutil.rmtree(leftover, ignore_errors=True)
