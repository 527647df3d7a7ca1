"""Puts bags on seven light grounds and measures what squaring leaves of them.

    python -m benchmarks.grounds FOLDER [--count 60] [--sheet PNG] [--json]

FOLDER holds photos of bags on pure white. Each bag is cut from its white (what a flood from the rim reaches),
put on a ground, saved as a JPEG and squared; put on white it is the reference. "Error" is the mean difference
on the bag, in levels of 255; "bleached" is the share of its pixels that became white and weren't; "ground" is
the share of the ground's pixels that stayed darker than 250; "color" is the share of bags whose color got
another name.
"""

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

# When this runs as a file, its own folder comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scraper.colors import name_color
from scraper.square import square

SIZE = 64
PLAIN = {"#F2F2F2": (242, 242, 242), "#E6E6E6": (230, 230, 230), "#C8C8C8": (200, 200, 200)}
TINTED = {"#E8DCCB": (232, 220, 203), "pale blue": (208, 222, 238)}
NAMES = (*PLAIN, "#E8DCCB", "gradient", "vignette", "pale blue")


def ground(name: str, height: int, width: int) -> NDArray[np.float64]:
    """The ground of this name, as levels [height, width, 3]."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j][..., None]
    if name == "gradient":
        level = 228 - 17 * y
    elif name == "vignette":
        level = 246 - 22 * (x * x + y * y)
    else:
        return np.broadcast_to(np.array((PLAIN | TINTED)[name], float), (height, width, 3))
    return np.broadcast_to(level, (height, width, 3))


def cut(photo: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """How much of each pixel is bag, 0 to 1 as [H, W, 1]; None unless the whole rim is white."""
    labels, count = ndimage.label(photo.min(axis=2) >= 240)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    if not rim.all():
        return None
    # White within the bag is ground seen through a handle if it is blank, and large.
    numbers = np.arange(1, count + 1)
    blank = ndimage.mean(photo.min(axis=2), labels, numbers) >= 253
    large = ndimage.sum_labels(np.ones_like(labels), labels, numbers) > labels.size / 500
    bag = ~np.isin(labels, np.union1d(np.unique(rim), numbers[blank & large]))
    # Without the fringe that is half white already, and with a soft edge instead.
    return ndimage.uniform_filter(ndimage.binary_erosion(bag).astype(float), 3)[..., None]


def jpeg(levels: NDArray[np.float64] | NDArray[np.uint8]) -> bytes:
    """The bytes of a JPEG."""
    file = io.BytesIO()
    Image.fromarray(np.uint8(levels + 0.5)).save(file, "JPEG", quality=92)
    return file.getvalue()


def squared(data: bytes) -> tuple[NDArray[np.uint8], str]:
    """The square of a picture and the name of its color."""
    made = square(data, SIZE, 10**8)
    named = name_color(made.pixels, made.bag)
    return made.pixels, named.name if named else ""


def main() -> None:
    """Prints the table, and writes the contact sheet: the photo, then a column per ground."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=60, help="how many bags, spread over the folder")
    parser.add_argument("--sheet", type=Path, help="write a PNG of all squares")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    paths = [path for path in paths if min(Image.open(path).size) >= 2 * SIZE] or paths
    sums = {name: np.zeros(4) for name in NAMES}
    rows = []
    for path in paths[:: max(1, len(paths) // (2 * options.count))]:
        photo = np.asarray(Image.open(path).convert("RGB"))
        if (cover := cut(photo)) is None or len(rows) == options.count:
            continue
        white, color = squared(jpeg(cover * photo + (1 - cover) * 255))
        bag = white.min(axis=2) < 245
        row = [white]
        for name in NAMES:
            pixels, named = squared(jpeg(cover * photo + (1 - cover) * ground(name, *photo.shape[:2])))
            error = np.abs(pixels.astype(int) - white)[bag].mean()
            bleached = (pixels.min(axis=2) >= 250)[bag].mean()
            ashen = (pixels.min(axis=2) < 250)[white.min(axis=2) >= 254].mean()
            sums[name] += error, bleached, ashen, named != color
            row.append(pixels)
        rows.append(np.concatenate(row, axis=1))
    if not rows:
        sys.exit(f"{options.folder}: no photos of bags on white")
    if options.sheet:
        half = -(-len(rows) // 2)
        rows += [np.full_like(rows[0], 128)] * (2 * half - len(rows))
        Image.fromarray(np.concatenate([np.concatenate(rows[:half]), np.concatenate(rows[half:])], 1)).save(
            options.sheet
        )
    means = {
        name: dict(zip(("error", "bleached", "ground", "color"), sums[name] / len(rows), strict=True))
        for name in NAMES
    }
    if options.json:
        print(json.dumps({"bags": len(rows), **means}))
        return
    print(f"{len(rows)} bags  {'error':>8}{'bleached':>10}{'ground':>10}{'color':>8}")
    for name, mean in means.items():
        print(
            f"{name:10}{mean['error']:8.1f}{mean['bleached']:10.1%}{mean['ground']:10.1%}{mean['color']:8.0%}"
        )


if __name__ == "__main__":
    main()
