"""The command line: `python -m scraper collect | import PATH | build | stats | sheet | forget | verify`."""

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from scraper import dataset, sources, ssrf_guard
from scraper.catalog import Catalog, CatalogError
from scraper.contact_sheet import write_sheet
from scraper.crawl import Crawl
from scraper.fetch import Fetcher
from scraper.files import Files
from scraper.importer import import_pictures
from scraper.intake import Intake
from scraper.report import Report
from scraper.settings import Settings, SettingsError, load
from scraper.shop import Shop
from scraper.shops.folder import Folder
from scraper.takedown import forget as take_down
from scraper.verify import verify as check

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)


class Crop(StrEnum):
    """What `import` takes of each picture: some data sets have pairs, drawing and photo side by side."""

    NONE = ""
    LEFT = "left-half"
    RIGHT = "right-half"


Json = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, for programs.")]


def fail(line: object) -> NoReturn:
    """One line on stderr, exit code 2."""
    sys.stderr.write(f"{' '.join(str(line).split())}\n")
    raise typer.Exit(2)


@app.callback()
def main(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The config file.")] = Path("config.toml"),
) -> None:
    """Collects bag pictures, politely, and builds the dataset."""
    try:
        context.obj = load(config)
    except SettingsError as error:
        fail(error)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Catalog, Intake]]:
    """The catalog and the way into it, closed at the end. What the machine refuses is one line."""
    try:
        with ExitStack() as stack:
            settings.folder.mkdir(parents=True, exist_ok=True)
            files = Files(settings.folder, settings.image_size, originals=settings.originals)
            stack.callback(files.close)
            dataset.repair(settings.dataset)
            catalog = stack.enter_context(Catalog(settings.folder, files))
            intake = Intake(catalog, settings)
            stack.callback(intake.close)
            yield catalog, intake
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
    shop: Annotated[list[str] | None, typer.Option(help="Only this shop; may be repeated.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Only what failed before.")] = False,
    as_json: Json = False,
) -> None:
    """Crawls the shops of the config; adds what is new, goes on where it was killed."""
    settings: Settings = context.obj
    shops = chosen(settings, shop or [])
    with opened(settings) as (catalog, intake), Report(as_json=as_json) as report:
        asyncio.run(crawl(shops, settings, catalog, intake, report, retry))
    if report.problems:
        raise typer.Exit(2)


def chosen(settings: Settings, names: list[str]) -> list[Shop]:
    """The shops to crawl, of those in the config."""
    if not settings.shops:
        fail("no shop in the config: add a table [scraper.shops.NAME]")
    for name in names:
        if name not in settings.shops:
            fail(f"unknown shop {name!r}: the config has {', '.join(settings.shops)}")
    shops = [settings.shops[name] for name in names or settings.shops]
    if not settings.contact and any(not ssrf_guard.local(host) for shop in shops for host in shop.hosts()):
        fail("scraper.contact is empty: give a mail address or web page at which a shop can reach you")
    return shops


async def crawl(
    shops: list[Shop], settings: Settings, catalog: Catalog, intake: Intake, report: Report, retry: bool
) -> None:
    """Crawls several shops at once: they are different hosts with a pace each."""
    named = {host for shop in settings.shops.values() for host in shop.hosts()}
    async with Fetcher(settings, named, user_agent(settings)) as fetcher, asyncio.TaskGroup() as group:
        for shop in shops:
            if catalog.is_forgotten(f"shop:{shop.name}"):
                report.problem(shop.name, "this shop was taken down with `forget --shop`: not collected")
                continue
            if isinstance(shop, Folder):
                source = replace(sources.open_source(shop.path), name=shop.name)
                group.create_task(import_pictures(source, settings, catalog, intake, report, shop.crop))
                continue
            crawler = Crawl(shop, settings, catalog, fetcher, intake, report)
            group.create_task(crawler.run(retry=retry))


def user_agent(settings: Settings) -> str:
    """Who we are and how to reach us."""
    try:
        number = version("bag-dreams")
    except PackageNotFoundError:  # run from a checkout that is not installed
        number = "0"
    return f"BagDreams/{number}" + (f" (+{settings.contact})" if settings.contact else "")


@app.command("import")
def import_(
    context: typer.Context,
    path: Path,
    crop: Annotated[Crop, typer.Option(help="Take only this half of each picture.")] = Crop.NONE,
    as_json: Json = False,
) -> None:
    """Takes in a folder, zip or tar of pictures (and a CSV of tags beside or in it), or what a CSV names."""
    settings: Settings = context.obj
    with opened(settings) as (catalog, intake), Report(as_json=as_json) as report:
        source = sources.open_source(path)
        asyncio.run(import_pictures(source, settings, catalog, intake, report, crop.value))
    tally = report.tally(source.name)
    if tally.failed == tally.seen:
        raise typer.Exit(2)


@app.command()
def build(context: typer.Context, as_json: Json = False) -> None:
    """Writes the dataset folder anew, in one step."""
    settings: Settings = context.obj
    with opened(settings) as (catalog, _):
        built = dataset.build(catalog, settings)
    report = Report(as_json=as_json)
    if built.lost:
        report.problem("dataset", f"{built.lost} pictures are gone from the disk and were left out")
    numbers = {"images": built.images, "image_size": settings.image_size, "content_hash": built.content_hash}
    words = f"{settings.dataset}: {built.images} images of {settings.image_size}×{settings.image_size}"
    words += f", {built.twins} that look like others left out" if built.twins else ""
    report.say(words, event="built", **numbers, dataset=str(settings.dataset))


@app.command()
def stats(context: typer.Context, as_json: Json = False) -> None:
    """What the catalog holds, by shop, brand, category and color; failures by reason."""
    # Only here: loading rich takes longer than a short crawl likes.
    from rich.console import Console

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
    out: Annotated[Path, typer.Option(help="Where to write the PNG.")] = Path("sheet.png"),
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Pictures on it.")] = 400,
    columns: Annotated[int, typer.Option(min=1, max=200)] = 25,
) -> None:
    """A contact sheet of the pictures, to look at."""
    with opened(context.obj) as (catalog, _):
        shown = write_sheet(catalog, out, count, columns)
    if not shown:
        fail("no pictures: run `collect` or `import` first")
    sys.stdout.write(f"{out}: {shown} pictures\n")


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Checks every file against the catalog and repairs; exit code 1 when there was something to repair."""
    with opened(context.obj) as (catalog, _):
        found = check(catalog, context.obj)
    report = Report(as_json=as_json)
    words = [f"{count} {what}" for what, count in found.items() if what != "pictures"]
    line = f"{found['pictures']} pictures verified: {', '.join(words) or 'all is well'}"
    report.say(line, event="verified", **dict(found))
    if words:
        raise typer.Exit(1)


@app.command()
def forget(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="Address of a picture or of its page.")] = "",
    shop: Annotated[str, typer.Option(help="Everything of this shop.")] = "",
    sha: Annotated[str, typer.Option(help="A picture's sha256.")] = "",
) -> None:
    """Takes pictures down: out of catalog, files and the next dataset; they never come back."""
    if sum(map(bool, (url, shop, sha))) != 1:
        fail("give one of --url, --shop, --sha")
    with opened(context.obj) as (catalog, _):
        gone = take_down(catalog, url=url, shop=shop, sha256=sha.lower())
    sys.stdout.write(f"{gone} pictures forgotten; `build` leaves them out of the dataset\n")


if __name__ == "__main__":
    app()
