"""The command line: `python -m scraper collect | import PATH | build | stats | sheet | verify | forget`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

STOPPED = 130
"""The exit code after Ctrl-C, as shells have it."""


def leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C while nothing is open yet."""
    os.write(2, b"stopped\n")
    os._exit(STOPPED)


if __name__ == "__main__":
    # Before the imports, which take most of a second.
    signal.signal(signal.SIGINT, leave_at_once)

import asyncio
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

# The rest is loaded by the command that needs it: `--help` needs none of it.
if TYPE_CHECKING:
    from scraper.catalog import Catalog
    from scraper.intake import Intake
    from scraper.report import Report
    from scraper.settings import Settings
    from scraper.shop import Shop
    from scraper.shops.folder import Folder

EXAMPLES = """Examples:

\b
  bag-dreams-scraper collect --shop example
  bag-dreams-scraper import pictures.zip
  bag-dreams-scraper build
  bag-dreams-scraper forget --url https://shop.example.com/bag.jpg
"""

app = typer.Typer(
    pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True, epilog=EXAMPLES
)


class Crop(StrEnum):
    """The part of each picture that `import` takes: some datasets pair a drawing and a photo side by side."""

    NONE = ""
    LEFT = "left-half"
    RIGHT = "right-half"


CONFIG = Path("config.toml")
"""The default, which may be missing."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON lines, for programs.")]


def fail(line: object) -> NoReturn:
    """Exits with code 2 and one line on stderr."""
    sys.stderr.write(f"{' '.join(str(line).split())}\n")
    raise typer.Exit(2)


@app.callback()
def main(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="Configuration file.")] = CONFIG,
) -> None:
    """Collect bag pictures politely, and build the dataset."""
    from scraper.settings import SettingsError, load

    if isinstance(sys.stdout, io.TextIOWrapper):  # what the locale can't print must not end a crawl
        sys.stdout.reconfigure(errors="backslashreplace")
    if config != CONFIG and not config.exists():
        fail(f"--config {config}: there is no such file")
    try:
        context.obj = load(config)
    except SettingsError as error:
        fail(error)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Catalog, Intake]]:
    """Opens the catalog and the intake, and closes them. Expected errors become one line and exit code 2.

    Ctrl-C and SIGTERM end the work in good order: what is taken in is recorded.
    """
    import sqlite3

    from scraper import dataset, sources
    from scraper.catalog import Catalog, CatalogError
    from scraper.files import Files
    from scraper.intake import Intake

    if signal.getsignal(signal.SIGINT) is leave_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with ExitStack() as stack:
            settings.folder.mkdir(parents=True, exist_ok=True)
            files = Files(settings.folder, settings.square_size, originals=settings.originals)
            stack.callback(files.close)
            dataset.repair(settings.dataset)
            catalog = stack.enter_context(Catalog(settings.folder, files))
            intake = Intake(catalog, settings)
            stack.callback(intake.close)
            yield catalog, intake
    except KeyboardInterrupt:
        sys.stderr.write("stopped: nothing is lost, and the same command goes on from here\n")
        raise typer.Exit(STOPPED) from None
    except Exception as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if isinstance(cause, (CatalogError, dataset.DatasetError, sources.NothingToImportError)):
            fail(cause)
        if isinstance(cause, (OSError, sqlite3.Error)):
            fail(f"{settings.folder}: {cause}")
        raise


@app.command()
def collect(
    context: typer.Context,
    shop: Annotated[list[str] | None, typer.Option(help="Crawl only this shop (repeatable).")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Fetch only pictures that failed before.")] = False,
    as_json: Json = False,
) -> None:
    """Crawl the configured shops and add what is new; an interrupted crawl resumes where it stopped."""
    from scraper.report import Report

    settings: Settings = context.obj
    shops = chosen(settings, shop or [])
    with opened(settings) as (catalog, intake), Report(as_json=as_json) as report:
        asyncio.run(crawl(shops, settings, catalog, intake, report, retry))
    if report.problems:
        raise typer.Exit(2)


def chosen(settings: Settings, names: list[str]) -> list[Shop]:
    """The configured shops with these names; all of them if there are no names."""
    from scraper import ssrf_guard

    if not settings.shops:
        fail("no shop is configured: add a table [scraper.shops.NAME]")
    for name in names:
        if name not in settings.shops:
            fail(f"unknown shop {name!r}: the config has {', '.join(settings.shops)}")
    shops = [settings.shops[name] for name in names or settings.shops]
    if not settings.contact and any(not ssrf_guard.local(host) for shop in shops for host in shop.hosts()):
        fail("scraper.contact is empty: set an email address or web page where shops can reach you")
    return shops


async def crawl(
    shops: list[Shop], settings: Settings, catalog: Catalog, intake: Intake, report: Report, retry: bool
) -> None:
    """Crawls the shops concurrently: each host has its own crawl delay."""
    from scraper.crawl import Crawl
    from scraper.fetch import Fetcher
    from scraper.shops.folder import Folder

    async with Fetcher(settings, user_agent(settings)) as fetcher, asyncio.TaskGroup() as group:
        for shop in shops:
            if catalog.is_forgotten(f"shop:{shop.name}"):
                report.problem(shop.name, "not collected: this shop was taken down with `forget --shop`")
                continue
            if isinstance(shop, Folder):
                group.create_task(import_folder(shop, settings, catalog, intake, report))
                continue
            crawler = Crawl(shop, settings, catalog, fetcher, intake, report)
            group.create_task(crawler.run(retry=retry))


async def import_folder(
    shop: Folder, settings: Settings, catalog: Catalog, intake: Intake, report: Report
) -> None:
    """Imports a shop of the kind `folder`. One that can't be read costs no other shop."""
    from scraper import sources
    from scraper.importer import import_pictures

    try:
        source = replace(sources.open_source(shop.path), name=shop.name)
        await import_pictures(source, settings, catalog, intake, report, shop.crop)
    except sources.NothingToImportError as error:
        report.problem(shop.name, str(error))


def user_agent(settings: Settings) -> str:
    """The User-Agent: who we are and how to reach us."""
    from importlib.metadata import PackageNotFoundError, version

    from scraper.politeness import PRODUCT

    try:
        number = version("bag-dreams")
    except PackageNotFoundError:  # run from a checkout that is not installed
        number = "0"
    return f"{PRODUCT}/{number}" + (f" (+{settings.contact})" if settings.contact else "")


@app.command("import")
def import_(
    context: typer.Context,
    path: Path,
    crop: Annotated[Crop, typer.Option(help="Import only this half of each picture.")] = Crop.NONE,
    as_json: Json = False,
) -> None:
    """Import pictures from a folder, zip or tar (with a CSV of tags beside or in it), or those in a CSV."""
    from scraper import sources
    from scraper.importer import import_pictures
    from scraper.report import Report

    settings: Settings = context.obj
    with opened(settings) as (catalog, intake), Report(as_json=as_json) as report:
        source = sources.open_source(path)
        asyncio.run(import_pictures(source, settings, catalog, intake, report, crop.value))
    tally = report.tally(source.name)
    if tally.failed == tally.seen:
        raise typer.Exit(2)


@app.command()
def build(context: typer.Context, as_json: Json = False) -> None:
    """Build the dataset folder and replace the old one atomically."""
    from scraper import dataset
    from scraper.report import Report

    settings: Settings = context.obj
    with opened(settings) as (catalog, _):
        built = dataset.build(catalog, settings)
    report = Report(as_json=as_json)
    if built.lost:
        report.problem("dataset", f"{built.lost} pictures are missing from the disk and were left out")
    numbers = {"images": built.images, "image_size": built.image_size, "content_hash": built.content_hash}
    line = f"{settings.dataset}: {built.images} images of {built.image_size}×{built.image_size}"
    line += f", near-duplicates left out: {built.twins}" if built.twins else ""
    line += f"; {sum(built.words.values())} words ({', '.join(built.words)})" if built.words else ""
    report.say(line, event="built", **numbers, dataset=str(settings.dataset), vocabulary=built.words)


@app.command()
def stats(context: typer.Context, as_json: Json = False) -> None:
    """Show what the catalog holds by shop, brand, category and color, and failures by reason."""
    # Lazily: rich takes longer to load than a short crawl should.
    from rich.console import Console

    from scraper.report import Report
    from scraper.stats import count, tables

    with opened(context.obj) as (catalog, _):
        numbers = count(catalog)
    if as_json:
        Report(as_json=True).emit(event="stats", **numbers)
    else:
        Console().print(tables(numbers))


@app.command()
def sheet(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Path of the PNG.")] = Path("sheet.png"),
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of pictures.")] = 400,
    columns: Annotated[int, typer.Option(min=1, max=200, help="Pictures per row.")] = 25,
) -> None:
    """Write a contact sheet of the pictures."""
    from scraper.contact_sheet import write_sheet

    with opened(context.obj) as (catalog, _):
        shown = write_sheet(catalog, out, count, columns)
    if not shown:
        fail("no pictures: run `collect` or `import` first")
    sys.stdout.write(f"{out}: {shown} pictures\n")


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check every file against the catalog and repair the difference (exit code 1 if there was any)."""
    from scraper.report import Report
    from scraper.verify import verify as check

    with opened(context.obj) as (catalog, _):
        found = check(catalog, context.obj)
    report = Report(as_json=as_json)
    repairs = [f"{count} {what}" for what, count in found.items() if what != "pictures"]
    line = f"{found['pictures']} pictures verified: {', '.join(repairs) or 'all is well'}"
    report.say(line, event="verified", **dict(found))
    if repairs:
        raise typer.Exit(1)


@app.command()
def forget(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="URL of a picture, or of its page.")] = "",
    shop: Annotated[str, typer.Option(help="Take down everything from this shop.")] = "",
    sha: Annotated[str, typer.Option(help="SHA-256 of a picture.")] = "",
) -> None:
    """Take pictures down: delete them, leave them out of the next dataset, and never collect them again."""
    from scraper.takedown import forget as take_down

    if sum(map(bool, (url, shop, sha))) != 1:
        fail("give exactly one of --url, --shop, --sha")
    with opened(context.obj) as (catalog, _):
        gone = take_down(catalog, url=url, shop=shop, sha256=sha.lower())
    sys.stdout.write(f"{gone} pictures forgotten; `build` leaves them out of the dataset\n")


if __name__ == "__main__":
    app()
