"""Compares the scraper with its peers: the same pictures from the same loopback shop, made into 64² squares.

    python -m benchmarks.scrape [--quick] [--json] [--peers PYTHON] [--files N]

`--peers` is a Python that has scrapy, pillow, img2dataset, requests and beautifulsoup4, apart from ours. CPU
seconds are those of the crawling process and its children, from start to end; the shop runs in a process of
its own and is not counted. "Ours" is what `collect` and `build` do by default: it also keeps the original,
finds and centers the bag, hashes its look, names its color, and keeps a catalog that survives a kill. No peer
does, so "ours, squares only" is the part that they do too, with the same fetcher and filter: pages, downloads
and squares; its ratios end in `_squares_only`. "Limit" is download and decode alone.

"Import" is `import` of a folder of files, 38,000 or as many as `--files` says, and `build`. It is set against
what img2dataset and the original do to each picture, and against reading and decoding alone.
"""

import argparse
import asyncio
import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from aiohttp import web
from PIL import Image, ImageDraw

# When this runs as a file, its own folder comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.peers import (
    IMG2DATASET,
    IMPORT_IMG2DATASET,
    IMPORT_LIMIT,
    IMPORT_ORIGINAL,
    LIMIT,
    ORIGINAL,
    SCRAPY,
    SQUARES_ONLY,
)

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("limit", "ours", "ours, squares only", "scrapy", "img2dataset", "original")
IMPORTS = {
    "import": "",
    "import: limit": IMPORT_LIMIT,
    "import: img2dataset": IMPORT_IMG2DATASET,
    "import: original": IMPORT_ORIGINAL,
}
PAGE = 48


def bag(number: int) -> bytes:
    """A textured bag on white, a 512 × 512 JPEG of about 23 kB, the usual size of real photos of bags."""
    random = np.random.default_rng(number)
    image = Image.new("RGB", (512, 512), "white")
    cloth = Image.fromarray(random.integers(40, 200, (24, 24, 3), np.uint8)).resize((512, 512), Image.BICUBIC)
    grain = np.clip(np.asarray(cloth, np.int16) + random.integers(-4, 4, (512, 512, 1)), 0, 255)
    mask = Image.new("L", (512, 512))
    ImageDraw.Draw(mask).rounded_rectangle((90, 190, 420, 460), 40, fill=255)
    image.paste(Image.fromarray(grain.astype(np.uint8)), mask=mask)
    ImageDraw.Draw(image).arc((160, 60, 350, 330), 180, 360, fill=(60, 40, 30), width=14)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


async def serve(count: int, distinct: int, latency: float) -> None:
    """Serves `count` bags in Rebag's markup; `latency` is in seconds. Prints its port.

    Pictures repeat after `distinct`, except for their last bytes.
    """
    pictures = [bag(number) for number in range(distinct)]

    async def listing(request: web.Request) -> web.Response:
        await asyncio.sleep(latency)
        first = (int(request.query.get("page", "1")) - 1) * PAGE
        cards = "".join(
            f'<div class="plp-product"><a href="/products/{n}"><img src="/img/{n}_260x260.jpg"></a>'
            '<div class="inner-focus"><div class="product-caption"><div class="product-vendor">Brand</div>'
            f'<div class="product-title">Leather Tote {n}</div></div></div></div>'
            for n in range(first, min(first + PAGE, count))
        )
        return web.Response(text=f"<html><body>{cards}</body></html>", content_type="text/html")

    async def picture(request: web.Request) -> web.Response:
        if latency:
            await asyncio.sleep(latency)
        number = int(request.match_info["number"])
        return web.Response(
            body=pictures[number % distinct] + number.to_bytes(4, "big"), content_type="image/jpeg"
        )

    application = web.Application()
    application.router.add_get("/collections/all-bags", listing)
    application.router.add_get("/img/{number:[0-9]+}_{size}.jpg", picture)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@contextmanager
def shop(count: int, latency: float) -> Iterator[str]:
    """Runs the shop in a process of its own; gives its URL."""
    command = [sys.executable, __file__, "--serve", str(count), "--latency", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command and all its children. Exits with its last output if it fails."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_ALBUMENTATIONS_UPDATE": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(
            f"{done.stdout[-2000:]}{done.stderr[-2000:]}\n{' '.join(command)}: exit code {done.returncode}"
        )
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(url: str, folder: Path) -> None:
    """Writes a program that crawls and builds, as a user does."""
    table = f'[scraper.shops.bench]\nkind = "rebag"\nurl = "{url}/collections/all-bags"\n'
    (folder / "config.toml").write_text(f"[scraper]\ndelay = 0\nconnections = 32\ntwins = true\n{table}")
    program = "import sys; from scraper.__main__ import app; from typer.testing import CliRunner as C\n"
    program += (
        "codes = [C().invoke(app, [verb]).exit_code for verb in ('collect', 'build')]; sys.exit(max(codes))"
    )
    (folder / "ours.py").write_text(program)


def program(text: str, name: str, folder: Path) -> str:
    """Writes a competitor's program; returns its path."""
    path = folder / f"run_{name}.py"
    path.write_text(text)
    return str(path)


def run(name: str, count: int, url: str, peers: str) -> dict[str, float]:
    """Runs a competitor once: images per second and per core-second. Reports missing pictures on stderr."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        if name == "ours":
            ours(url, folder)
            command = [sys.executable, "ours.py"]
        elif name == "ours, squares only":
            command = [sys.executable, program(SQUARES_ONLY, "squares", folder), url]
        elif name == "limit":
            command = [sys.executable, program(LIMIT, name, folder), url, str(count)]
        else:
            text = {"scrapy": SCRAPY, "original": ORIGINAL, "img2dataset": IMG2DATASET}[name]
            (folder / "urls.txt").write_text("".join(f"{url}/img/{n}_512x512.jpg\n" for n in range(count)))
            command = [peers, program(text, name, folder), url]
        wall, cpu = measured(command, folder)
        arrays = list(folder.rglob("images.npy"))
        if name == "limit":
            made = count
        elif arrays:
            made = len(np.load(arrays[0], mmap_mode="r"))
        else:
            made = sum(path.suffix in (".jpg", ".png") for path in folder.rglob("pictures/**/*"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if made != count:
        sys.stderr.write(f"{name}: {made} of {count} pictures\n")
    return {
        "images": made,
        "wall": wall,
        "cpu": cpu,
        "per_second": made / wall,
        "per_core_second": made / cpu,
    }


@contextmanager
def files(count: int, distinct: int = 200) -> Iterator[Path]:
    """A folder of `count` pictures of bags that differ in their last bytes."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    pictures = [bag(number) for number in range(min(count, distinct))]
    try:
        for number in range(count):
            data = pictures[number % distinct] + number.to_bytes(4, "big")
            (folder / f"{number:06}.jpg").write_bytes(data)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def import_run(name: str, pictures: Path, count: int, peers: str) -> dict[str, float]:
    """Makes squares of a folder's pictures once: images per second and per core-second."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        if name == "import":
            (folder / "config.toml").write_text("[scraper]\ntwins = true\n")
            text = "import sys; from scraper.__main__ import app; from typer.testing import CliRunner as C\n"
            text += "verbs = ['import', sys.argv[1]], ['build']\n"
            text += "sys.exit(max(C().invoke(app, verb).exit_code for verb in verbs))"
            command = [sys.executable, program(text, "import", folder), str(pictures)]
        else:
            python = sys.executable if name == "import: limit" else peers
            command = [python, program(IMPORTS[name], "peer", folder), str(pictures)]
        wall, cpu = measured(command, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "images": count,
        "wall": wall,
        "cpu": cpu,
        "per_second": count / wall,
        "per_core_second": count / cpu,
    }


def split(count: int = 200) -> dict[str, float]:
    """The CPU time that each step of an imported picture takes, in ms."""
    from threadpoolctl import threadpool_limits

    from scraper.centering import place
    from scraper.colors import name_color
    from scraper.decode import decode
    from scraper.square import square
    from scraper.twins import look

    threadpool_limits(1, "blas")
    pictures = [bag(number) for number in range(min(count, 50))]
    decoded = [decode(data, 192, 10**8).image for data in pictures]
    rough = [image.reduce(2) for image in decoded]
    squares = [square(data, 64, 10**8) for data in pictures]
    folder = Path(tempfile.mkdtemp(prefix="bench-"))

    def timed(work: Callable[[int], object]) -> float:
        started = time.process_time()
        for number in range(count):
            work(number % len(pictures))
        return round((time.process_time() - started) / count * 1000, 3)

    try:
        return {
            "squaring": timed(lambda n: square(pictures[n], 64, 10**8)),
            "of it decoding": timed(lambda n: decode(pictures[n], 192, 10**8)),
            "of it finding the bag": timed(lambda n: place(np.asarray(rough[n]), 64)),
            "of it its look": timed(lambda n: look(rough[n], *rough[n].size)),
            "of it Lanczos": timed(lambda n: decoded[n].resize((60, 60), Image.Resampling.LANCZOS)),
            "color": timed(lambda n: name_color(squares[n].pixels, squares[n].bag)),
            "checksum": timed(lambda n: hashlib.sha256(pictures[n]).hexdigest()),
            "writing a file": timed(
                lambda n: (folder / str(time.perf_counter_ns())).write_bytes(pictures[n])
            ),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def better(results: dict[str, dict[str, float]], name: str, result: dict[str, float], what: str) -> None:
    """Keeps the better of a competitor's rounds: other work on the machine can only slow it down."""
    if name not in results or result[what] > results[name][what]:
        results[name] = result


def catalog(rows: int) -> dict[str, float]:
    """Seconds that operations take on a catalog of this many synthetic pictures, and its size."""
    from scraper import stats
    from scraper.catalog import Catalog, Todo
    from scraper.dataset import choose
    from scraper.files import Files
    from scraper.shop import Found, Listing
    from scraper.twins import LOOK

    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    random = np.random.default_rng(0)

    def timed(work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    def add(first: int, number: int) -> None:
        looks = random.integers(0, 256, (number, LOOK), np.uint8)
        with store.change() as db:
            db.executemany(
                "INSERT INTO pictures VALUES (?, ?, '.jpg', 30000, 512, 512, ?, '2026-01-01T00:00:00+00:00')",
                (
                    (n + 1, random.bytes(32).hex(), looks[n - first].tobytes())
                    for n in range(first, first + number)
                ),
            )
            db.executemany(
                "INSERT INTO items (shop, image, url, title, brand, category, color, material, condition,"
                " price, currency, state, picture, first_seen, last_seen)"
                " VALUES ('s', ?, ?, 'Bag', ?, 'tote', 'red', '', '', '', '', 'kept', ?, '', '')",
                ((f"/img/{n}", f"/p/{n}", f"Brand {n % 500}", n + 1) for n in range(first, first + number)),
            )

    try:
        with Catalog(folder, Files(folder, 64)) as store:
            for first in range(0, rows, 50_000):
                add(first, min(50_000, rows - first))
            found = [Found(image=f"/new/{n}", url=f"/n/{n}", title="New", brand="New") for n in range(1000)]
            crawl = store.begin("s", ["/start"])
            page = store.next_page("s", crawl, 0)
            assert isinstance(page, Todo)
            return {
                "insert of 1,000": timed(
                    lambda: store.record_page("s", crawl, page, Listing(found), None, None)
                ),
                "next 64 wanted": timed(lambda: store.wanted("s", 0)),
                "stats": timed(lambda: stats.count(store)),
                "selection for build": timed(lambda: choose(store, keep_twins=False)),
                "MB": sum(path.stat().st_size for path in folder.glob("catalog*")) / 1e6,
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_peers(python: str, names: list[str]) -> None:
    """Exits with code 2 and one line if that Python lacks a package that one of the competitors needs."""
    needs = {
        "scrapy": ["scrapy", "PIL"],
        "img2dataset": ["img2dataset"],
        "original": ["requests", "bs4", "PIL"],
        "import: img2dataset": ["img2dataset"],
        "import: original": ["PIL"],
    }
    packages = sorted({package for name in names for package in needs.get(name, [])})
    if not packages:
        return
    program = "import sys; from importlib.util import find_spec as find\n"
    program += "print(*(package for package in sys.argv[1:] if not find(package)))"
    try:
        found = subprocess.run([python, "-c", program, *packages], capture_output=True, text=True, check=True)
        problem = f"{python} lacks {found.stdout.strip()}" if found.stdout.strip() else ""
    except (OSError, subprocess.CalledProcessError) as error:
        problem = str(error)
    if problem:
        sys.stderr.write(
            f"{problem}: set --peers to a Python that has the peers, or leave some out with --only\n"
        )
        sys.exit(2)


def main() -> None:
    """Runs all competitors and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer pictures: takes less than five minutes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--catalog", action="store_true", help="instead, time a catalog of 10,000 and of 1,000,000 rows"
    )
    parser.add_argument("--peers", default=sys.executable, help="the Python that has the peers")
    parser.add_argument(
        "--rounds", type=int, default=2, help="of all competitors in turn; the best one of each counts"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        choices=(*NAMES, *IMPORTS),
        metavar="NAME",
        help=f"any of {', '.join(map(repr, (*NAMES, *IMPORTS)))}",
    )
    parser.add_argument("--files", type=int, default=0, help="how many files to import")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--latency", type=float, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, 200, options.latency))
        return
    if options.catalog:
        for rows in (10_000, 1_000_000):
            print(rows, {what: round(value, 4) for what, value in catalog(rows).items()})
        return
    count = 2000 if options.quick else 6000
    names = [name for name in NAMES if not options.only or name in options.only]
    imports = [name for name in IMPORTS if not options.only or name in options.only]
    check_peers(options.peers, [*names, *imports])
    results: dict[str, dict[str, float]] = {}
    with shop(count, 0) as near, shop(count, 0.05) as far:
        for _ in range(options.rounds):
            for name in names:
                better(results, name, run(name, count, near, options.peers), "per_core_second")
            for name in (n for n in names if n.startswith(("ours", "scrapy"))):
                better(results, f"{name} at 50 ms", run(name, count, far, options.peers), "per_second")
    number = options.files or (2000 if options.quick else 38_000)
    with files(number if imports else 0) as folder:
        for _ in range(options.rounds):
            for name in imports:
                better(results, name, import_run(name, folder, number, options.peers), "per_core_second")
    ratios = {}
    pairs = {
        "_per_scrapy": ("", "scrapy", "per_core_second"),
        "_per_original": ("", "original", "per_core_second"),
        "_per_scrapy_50ms": (" at 50 ms", "scrapy at 50 ms", "per_second"),
    }
    keys = {
        f"ours{key}{suffix}": (f"{name}{at}", other, what)
        for name, suffix in (("ours", ""), ("ours, squares only", "_squares_only"))
        for key, (at, other, what) in pairs.items()
    }
    keys["share_of_limit"] = ("ours", "limit", "per_core_second")
    keys["import_share_of_limit"] = ("import", "import: limit", "per_core_second")
    for peer in ("img2dataset", "original"):
        keys[f"import_per_{peer}"] = ("import", f"import: {peer}", "per_core_second")
    for key, (one, other, what) in keys.items():
        if one in results and other in results:
            ratios[key] = round(results[one][what] / results[other][what], 2)
    if options.json:
        print(json.dumps(ratios | {"results": results, "split": split() if imports else {}}))
        return
    print(f"{'':30}{'images':>8}{'wall s':>9}{'CPU s':>9}{'img/s':>9}{'img/core-s':>12}")
    for name, r in results.items():
        print(f"{name:30}{r['images']:8.0f}{r['wall']:9.1f}{r['cpu']:9.1f}", end="")
        print(f"{r['per_second']:9.0f}{r['per_core_second']:12.0f}")
    for key, value in ratios.items():
        print(f"{key}: {value}")
    for step, value in (split() if imports else {}).items():
        print(f"{step}: {value} ms")


if __name__ == "__main__":
    main()
