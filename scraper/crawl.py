"""The crawl of one shop: pages in order, their pictures meanwhile, every step in the catalog."""

import asyncio
import re
from collections import deque
from datetime import timedelta
from functools import partial

from scraper.catalog import Catalog, Kept, Todo, Wanted
from scraper.fetch import Answer, Fetcher, FetchError, RefusedError
from scraper.intake import Intake
from scraper.markup import Page
from scraper.politeness import opted_out
from scraper.refresh import drop, due, same
from scraper.render import Browser, RenderError
from scraper.report import Report
from scraper.settings import Settings
from scraper.shop import Listing, MarkupError, Shop
from scraper.sources import read_file
from scraper.square import PictureError
from scraper.tags import normalize

CHALLENGES = (
    b"please click and hold the button",
    b"press and hold",
    b"press &amp; hold",
    b"px-captcha",
    b"captcha-delivery.com",
    b"cf-challenge",
    b"challenge-platform",
    b"verify you are a human",
    b"are you a robot",
)
META_ROBOTS = re.compile(rb"<meta[^>]+robots[^>]*>", re.IGNORECASE)
PATIENCE = 5
"""So many failures in a row, of pages or of pictures, and the shop is left alone for today."""


class OptedOutError(PictureError):
    """The picture's host does not want it to be used for AI."""


class ShopError(Exception):
    """The shop cannot be crawled further today. One line."""


class Crawl:
    """One shop's crawl. `run` goes on where a killed one was, and ends when all is read and tried."""

    def __init__(
        self,
        shop: Shop,
        settings: Settings,
        catalog: Catalog,
        fetcher: Fetcher,
        intake: Intake,
        report: Report,
    ) -> None:
        self.shop = shop
        self.settings = settings
        self.catalog = catalog
        self.fetcher = fetcher
        self.intake = intake
        self.report = report
        self.tally = report.tally(shop.name)
        self.batch: deque[Wanted] = deque()
        self.last = 0
        self.crawl = 0
        self.asked: Wanted | None = None
        self.walked = False
        self.news = asyncio.Event()
        self.unlucky = 0
        self.browser: Browser | None = None

    async def run(self, *, retry: bool = False) -> None:
        """Crawls; with `retry` only pictures that failed before. Problems are reported."""
        try:
            await self.collect(retry)
        except* ShopError as stop:
            self.report.problem(self.shop.name, str(stop.exceptions[0]))
        finally:
            if self.browser:
                await asyncio.to_thread(self.browser.close)
        self.report.shop(self.shop.name)

    async def collect(self, retry: bool) -> None:
        """Pages one by one, pictures by several workers: a connection idles while its picture is squared."""
        if retry:
            self.catalog.retry(self.shop.name)
            self.walked = True
        else:
            self.crawl = self.catalog.begin(self.shop.name, self.start())
        workers = 2 * (self.shop.connections or self.settings.connections)
        async with asyncio.TaskGroup() as group:
            walk = None if retry else group.create_task(self.walk())
            for _ in range(workers):
                group.create_task(self.work())
        if walk and walk.result():
            self.catalog.finish(self.crawl)

    def start(self) -> list[str]:
        """The shop's first pages."""
        try:
            start = self.shop.start()
        except (OSError, UnicodeDecodeError) as error:
            raise ExceptionGroup(
                "start", [ShopError(f"cannot read {self.shop.addresses}: {error}")]
            ) from error
        if not start:
            raise ExceptionGroup("start", [ShopError("no address in the config: give url or addresses")])
        return start

    # Pages.

    async def walk(self) -> bool:
        """Reads all pages of this crawl. Returns whether every one could be read."""
        last = failures = in_row = 0
        while page := self.catalog.next_page(self.shop.name, self.crawl, last):
            last = page.id
            if self.tally.pages >= self.settings.pages:
                raise ShopError(f"more than {self.settings.pages} pages: stopped (see `pages` in the config)")
            try:
                await self.visit(page)
                in_row = 0
            except RefusedError as error:
                raise ShopError(f"{error} at {page.url}") from error
            except FetchError as error:
                if not error.transient and not page.first:
                    # No such page: the end.
                    self.catalog.read(self.shop.name, self.crawl, page, Listing(), None, None)
                    continue
                failures += 1
                in_row += 1
                if in_row >= PATIENCE:
                    raise ShopError(f"{error} at {page.url}, the {in_row}th page in a row") from error
                self.report.problem(self.shop.name, f"{error} at {page.url}")
            self.tally.pages += 1
            self.tell()
        self.walked = True
        self.tell()
        return not failures

    def tell(self) -> None:
        """Wakes the workers that wait for pictures."""
        self.news.set()
        self.news = asyncio.Event()

    async def visit(self, page: Todo) -> None:
        """Fetches a page and writes down what is on it. Raises FetchError or ShopError."""
        if self.shop.render:
            answer = await self.rendered(page.url)
        else:
            answer = await self.fetch(page.url, self.settings.page_bytes, page.etag, page.modified)
        self.tally.bytes += len(answer.body)
        if answer.status == 304:
            self.tally.known += self.catalog.unchanged(self.shop.name, self.crawl, page)
            return
        listing = await asyncio.to_thread(self.read, page, answer)
        if page.first and not listing.items and not listing.more:
            raise ShopError(f"0 products at {page.url}: nothing there has {self.shop.looks_for}")
        items = [normalize(found, self.shop.currency) for found in listing.items]
        listing = Listing(items, listing.more)
        new, known = self.catalog.read(
            self.shop.name, self.crawl, page, listing, answer.etag, answer.modified
        )
        self.tally.known += known
        self.tally.seen += new

    def read(self, page: Todo, answer: Answer) -> Listing:
        """What is on a page, if it is a page for us."""
        wishes = [tag.decode("latin-1") for tag in META_ROBOTS.findall(answer.body)]
        if word := answer.opted_out or opted_out(wishes):
            raise ShopError(f"{page.url} asks not to be used for AI ({word})")
        try:
            listing = self.shop.read(Page(answer.url, answer.body, answer.charset))
        except MarkupError as error:
            self.refuse_challenge(page, answer)
            raise ShopError(f"{error} at {page.url}") from error
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            self.refuse_challenge(page, answer)
            raise ShopError(
                f"the markup has changed: {type(error).__name__}: {error} at {page.url}"
            ) from error
        if not listing.items:
            self.refuse_challenge(page, answer)
        return listing

    def refuse_challenge(self, page: Todo, answer: Answer) -> None:
        """A page that wants to know whether we are human: we are not, and leave."""
        lower = answer.body[:200_000].lower()
        if any(words in lower for words in CHALLENGES):
            raise ShopError(f"bot challenge at {page.url}: the shop wants people only, so we stop here")

    async def rendered(self, address: str) -> Answer:
        """A page of this shop as a browser shows it. Raises FetchError, ShopError."""
        try:
            if self.browser is None:
                agent, timeout = self.fetcher.agent, self.settings.timeout
                self.browser = await asyncio.to_thread(Browser, agent, timeout)
            show = partial(self.browser.page, cap=self.settings.page_bytes)
            return await self.fetcher.rendered(address, self.shop, show)
        except RenderError as error:
            raise ShopError(f"{error} at {address}") from error

    async def fetch(
        self, address: str, cap: int, etag: str | None = None, modified: str | None = None
    ) -> Answer:
        """An address of this shop: on the web, or a file that the shop says is its own. Raises FetchError."""
        if path := self.shop.local(address):
            return Answer(address, 200, await asyncio.to_thread(read_file, path, cap))
        return await self.fetcher.get(address, self.shop, cap, etag, modified)

    # Pictures.

    async def work(self) -> None:
        """Fetches pictures until there are no more."""
        while item := await self.next_item():
            await (self.again(item) if item.asked else self.picture(item))

    async def next_item(self) -> Wanted | None:
        """The next picture to ask for; None when all pages are read and nothing is left."""
        while True:
            if not self.batch:
                self.batch.extend(self.catalog.wanted(self.shop.name, self.last))
                self.last = max((item.id for item in self.batch), default=self.last)
            if not self.batch and self.walked and self.crawl:
                age = timedelta(days=self.settings.refresh_days)
                self.batch.extend(due(self.catalog, self.shop.name, self.crawl, age, self.asked))
                self.asked = self.batch[-1] if self.batch else self.asked
                self.tally.seen += len(self.batch)
            if self.batch:
                return self.batch.popleft()
            if self.walked:
                return None
            await self.news.wait()

    async def picture(self, item: Wanted) -> None:
        """Fetches, squares and keeps one picture, or writes down why not."""
        try:
            result = await self.fetched(item)
        except (FetchError, PictureError) as error:
            transient = isinstance(error, FetchError) and error.transient
            self.catalog.fail(item.id, str(error), transient=transient)
            self.failed(error)
            return
        self.unlucky = 0
        self.tally.take(result)

    async def again(self, item: Wanted) -> None:
        """Asks whether a picture that we have is still the same. What its shop has no more, we keep."""
        try:
            result = await self.fetched(item)
        except OptedOutError as error:
            drop(self.catalog, item.id, str(error))
            self.failed(error)
            return
        except (FetchError, PictureError) as error:
            if not isinstance(error, FetchError) or not (error.transient or isinstance(error, RefusedError)):
                same(self.catalog, item.id)
            self.failed(error)
            return
        self.unlucky = 0
        self.tally.again += 1
        if result in ("new", "duplicate"):
            self.tally.changed += 1

    async def fetched(self, item: Wanted) -> Kept:
        """Fetches and keeps a picture, if it is not the one we have. Raises FetchError, PictureError."""
        answer = await self.fetch(item.image, self.settings.picture_bytes, item.etag, item.modified)
        self.tally.bytes += len(answer.body)
        if answer.opted_out:
            raise OptedOutError(f"opted out ({answer.opted_out})")
        if answer.status == 304:
            same(self.catalog, item.id)
            return "same"
        return await self.intake.take(item.id, answer.body, answer.etag, answer.modified)

    def failed(self, error: FetchError | PictureError) -> None:
        """Counts a failure. Raises ShopError when there are so many in a row that the shop is better left."""
        self.tally.fail(str(error))
        passing = isinstance(error, RefusedError) or (isinstance(error, FetchError) and error.transient)
        self.unlucky = self.unlucky + 1 if passing else 0
        if self.unlucky >= 2 * PATIENCE:
            raise ShopError(f"{error}: {self.unlucky} pictures in a row") from error
