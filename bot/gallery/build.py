"""Builds the gallery: reads the store, draws what is missing, writes what has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from PIL import UnidentifiedImageError

from bot import words
from bot.drawing.generators import Generators
from bot.drawing.studio import Studio
from bot.drawing.workers import DrawingPool
from bot.gallery import pictures
from bot.gallery.folder import Folder
from bot.gallery.pages import Pages
from bot.settings import Config
from bot.store.gallery import Exhibit
from bot.store.store import Store
from gan import events
from gan.run import every
from gan.run_state import Progress, follow

GENERATIONS = 3
"""Generations of ancestors in a family tree."""
PER_PAGE = 48
RUNS_PER_PAGE = 12
NEWEST = 10
"""Favorites on the first page."""
FILMS = 3
"""Timelapses on the first page."""
FEED = 40
"""Entries in the feed."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bag:
    """A design as the pages show it; `hex` is its color as #rrggbb, `bag` what its words make it, or ""."""

    code: str
    epoch: int
    created_at: datetime
    up: int
    down: int
    saved_at: datetime | None
    days: tuple[date, ...]
    color: str
    hex: str
    bag: str
    parents: tuple[Bag, ...]
    children: list[Bag]

    @property
    def alt(self) -> str:
        """Alt text."""
        return words.design_alt(self.code, self.color, self.epoch, self.bag)

    @property
    def page(self) -> str:
        return f"bags/{self.code}.html"

    @property
    def large(self) -> str:
        return pictures.large(self.code)

    @property
    def small(self) -> str:
        return pictures.small(self.code)


@dataclass(frozen=True)
class Film:
    """A run as the pages show it."""

    progress: Progress
    moving: pictures.Moving

    @property
    def name(self) -> str:
        return self.progress.run.name

    @property
    def page(self) -> str:
        return f"runs/{self.name}.html"

    @property
    def epochs(self) -> int:
        return self.progress.epoch.epoch if self.progress.epoch else 0

    @property
    def alt(self) -> str:
        """Alt text."""
        return words.timelapse_alt(self.epochs)


@dataclass(frozen=True)
class News:
    """An entry of the feed."""

    bag: Bag
    at: datetime
    day: date | None
    """The local date of a daily bag; None for a favorite."""


@dataclass(frozen=True)
class Report:
    """What a build did."""

    bags: int
    runs: int
    written: int
    removed: int


async def build(config: Config, pool: DrawingPool, out: Path, url: str) -> Report:
    """Write the gallery of everything in the store to `out`; `url` is where it will be published, or "".

    Raises GalleryError if `out` can't be a gallery, Refusal if nothing can be drawn, or OSError.
    """
    folder = Folder(out)
    store = Store(config.bot.store)
    try:
        await store.open()
        exhibits = await store.exhibits(GENERATIONS)
        generators = Generators(config.gan.runs, config.bot.generators, config.bot.generators_kept)
        studio = Studio(pool, store, generators)
        hues = await pictures.draw(folder, studio, sorted(exhibits))
    finally:
        await store.close()
    folder.remember()
    bags = _bags(exhibits, hues)
    films = await asyncio.to_thread(lambda: list(_films(folder, config.gan.runs)))
    await asyncio.to_thread(_write, folder, Pages(url, config.bot.prefix), bags, films)
    folder.close()
    return Report(len(bags), len(films), folder.written, folder.removed)


def _bags(exhibits: dict[str, Exhibit], hues: dict[str, pictures.Hue]) -> dict[str, Bag]:
    made: dict[str, Bag] = {}

    def make(code: str) -> Bag:
        if code not in made:
            shown, hue = exhibits[code], hues[code]
            parents = tuple(make(parent) for parent in shown.parents if parent in hues)
            made[code] = Bag(
                code,
                shown.epoch,
                shown.created_at,
                shown.up,
                shown.down,
                shown.saved_at,
                shown.days,
                hue.name,
                hue.hex,
                hue.bag,
                parents,
                [],
            )
            for parent in dict.fromkeys(each.code for each in parents):
                made[parent].children.append(made[code])
        return made[code]

    for code in sorted(exhibits.keys() & hues.keys()):
        make(code)
    return made


def _films(folder: Folder, runs: Path) -> Iterator[Film]:
    for run in reversed(every(runs)):
        progress = follow(run, events.read(run.path)[0], None)
        if progress is None or not run.has(run.timelapse):
            continue
        try:
            yield Film(progress, pictures.timelapse(folder, run.name, run.timelapse))
        except UnidentifiedImageError:
            log.warning("leaving out the timelapse of run %s, which can't be read", run.name)


def _write(folder: Folder, pages: Pages, bags: dict[str, Bag], films: Sequence[Film]) -> None:
    """Write the pages in an order in which no link leads to a missing page."""
    favorites = sorted(
        (bag for bag in bags.values() if bag.saved_at), key=lambda bag: (bag.saved_at, bag.code), reverse=True
    )
    days = sorted(
        ((day, bag) for bag in bags.values() for day in bag.days),
        key=lambda each: (each[0], each[1].code),
        reverse=True,
    )
    put = folder.put
    put("style.css", pages.style)
    newer = dict(zip([bag.code for bag in favorites[1:]], favorites, strict=False))
    older = dict(zip([bag.code for bag in favorites], favorites[1:], strict=False))
    for bag in bags.values():
        near: dict[str, Any] = {"newer": newer.get(bag.code), "older": older.get(bag.code)}
        put(bag.page, pages.render("bag.html", bag.page, bag=bag, **near))
    for film in films:
        put(film.page, pages.render("run.html", film.page, film=film))
    for name, template, things, size in (
        ("favorites", "favorites.html", favorites, PER_PAGE),
        ("daily", "daily.html", days, PER_PAGE),
        ("runs", "runs.html", films, RUNS_PER_PAGE),
    ):
        sheets = _sheets(things, size)
        # The last page first: the one that "older" links to is there before the link.
        for number in reversed(range(len(sheets))):
            where = _sheet(name, number)
            around = {
                "things": sheets[number],
                "total": len(things),
                "number": number + 1,
                "sheets": [_sheet(name, each) for each in range(len(sheets))],
            }
            put(where, pages.render(template, where, **around))
    put("feed.xml", pages.render("feed.xml", "feed.xml", news=_news(favorites, days)))
    put(
        "index.html",
        pages.render(
            "index.html",
            "index.html",
            daily=days[0] if days else None,
            days=len(days),
            newest=favorites[:NEWEST],
            favorites=len(favorites),
            films=films[:FILMS],
        ),
    )


def _sheet(name: str, number: int) -> str:
    return f"{name}-{number + 1}.html" if number else f"{name}.html"


def _sheets(things: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [things[at : at + size] for at in range(0, len(things), size)] or [[]]


def _news(favorites: Iterable[Bag], days: Iterable[tuple[date, Bag]]) -> list[News]:
    news = [News(bag, bag.saved_at, None) for bag in favorites if bag.saved_at]
    # A local day is no single moment; the bag was posted at some time in it.
    news += [News(bag, datetime.combine(day, time(12), UTC), day) for day, bag in days]
    return sorted(news, key=lambda each: (each.at, each.bag.code), reverse=True)[:FEED]
