"""The crawl of one shop: its pages in order, their pictures meanwhile, each step recorded in the catalog."""

import asyncio
import re
from collections import deque
from datetime import timedelta
from functools import partial

from scraper import refresh
from scraper.catalog import Catalog, Kept, Todo, Wanted
from scraper.fetch import Answer, Fetcher, FetchError, RefusedError
from scraper.intake import Intake
from scraper.markup import Page
from scraper.politeness import opted_out
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
PAGE_FAILURES = 5
PICTURE_FAILURES = 10
"""After this many failures in a row the shop is left alone for today."""


class OptedOutError(PictureError):
    """The picture's host has opted it out of use for AI."""


class ShopError(Exception):
    """The shop can't be crawled further today. The message is one line."""


class Crawl:
    """One shop's crawl. `run` resumes an interrupted one, and returns when pages and pictures are done."""

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
        self.last_refreshed: Wanted | None = None
        self.pages_done = False
        self.more_work = asyncio.Event()
        self.failures_in_a_row = 0
        self.browser: Browser | None = None

    async def run(self, *, retry: bool = False) -> None:
        """Crawls, or with `retry` only fetches pictures that failed before. Problems go to the report."""
        try:
            await self.collect(retry)
        except* ShopError as stop:
            self.report.problem(self.shop.name, str(stop.exceptions[0]))
        finally:
            if self.browser:
                await asyncio.to_thread(self.browser.close)
        self.report.shop(self.shop.name)

    async def collect(self, retry: bool) -> None:
        """Reads pages one by one while workers fetch pictures, two per connection: one squares meanwhile."""
        if retry:
            self.catalog.retry(self.shop.name)
            self.pages_done = True
        else:
            self.crawl = self.catalog.begin(self.shop.name, self.start())
        workers = 2 * (self.shop.connections or self.settings.connections)
        async with asyncio.TaskGroup() as group:
            pages = None if retry else group.create_task(self.read_pages())
            for _ in range(workers):
                group.create_task(self.work())
        if pages and pages.result():
            self.catalog.finish(self.crawl)

    def start(self) -> list[str]:
        """The URLs of the shop's first pages."""
        try:
            start = self.shop.start()
        except (OSError, UnicodeDecodeError) as error:
            raise ExceptionGroup(
                "start", [ShopError(f"cannot read {self.shop.addresses}: {error}")]
            ) from error
        if not start:
            raise ExceptionGroup("start", [ShopError("no URL is configured: set url or addresses")])
        return start

    # Pages.

    async def read_pages(self) -> bool:
        """Reads all pages of this crawl. Returns whether all of them could be read."""
        last = failures = in_row = 0
        while page := self.catalog.next_page(self.shop.name, self.crawl, last):
            last = page.id
            if self.tally.pages >= self.settings.pages:
                raise ShopError(f"more than {self.settings.pages} pages: stopped (the setting `pages`)")
            try:
                await self.visit(page)
                in_row = 0
            except RefusedError as error:
                raise ShopError(f"{error} at {page.url}") from error
            except FetchError as error:
                if not error.transient and not page.first:
                    # There is no such page: the listing ends here.
                    self.catalog.record_page(self.shop.name, self.crawl, page, Listing(), None, None)
                    continue
                failures += 1
                in_row += 1
                if in_row >= PAGE_FAILURES:
                    raise ShopError(f"{error} at {page.url}, the {in_row}th page in a row") from error
                self.report.problem(self.shop.name, f"{error} at {page.url}")
            self.tally.pages += 1
            self.wake_workers()
        self.pages_done = True
        self.wake_workers()
        return not failures

    def wake_workers(self) -> None:
        """Wakes the workers that wait for pictures."""
        self.more_work.set()
        self.more_work = asyncio.Event()

    async def visit(self, page: Todo) -> None:
        """Fetches a page and records what it lists. Raises FetchError, ShopError."""
        if self.shop.render:
            answer = await self.rendered(page.url)
        else:
            answer = await self.fetch(page.url, self.settings.page_bytes, page.etag, page.modified)
        self.tally.bytes += len(answer.body)
        if answer.status == 304:
            self.tally.known += self.catalog.record_unchanged_page(self.shop.name, self.crawl, page)
            return
        listing = await asyncio.to_thread(self.read, page, answer)
        if page.first and not listing.items and not listing.more:
            raise ShopError(f"0 products at {page.url}: nothing there has {self.shop.looks_for}")
        items = [normalize(found, self.shop.currency) for found in listing.items]
        listing = Listing(items, listing.more)
        new, known = self.catalog.record_page(
            self.shop.name, self.crawl, page, listing, answer.etag, answer.modified
        )
        self.tally.known += known
        self.tally.seen += new

    def read(self, page: Todo, answer: Answer) -> Listing:
        """What a page lists. Raises ShopError if it opts out, is a bot challenge, or can't be read."""
        directives = [tag.decode("latin-1") for tag in META_ROBOTS.findall(answer.body)]
        if word := answer.opted_out or opted_out(directives):
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
        """Raises ShopError if the page asks whether we are human: we are not, and leave."""
        lower = answer.body[:200_000].lower()
        if any(words in lower for words in CHALLENGES):
            raise ShopError(f"bot challenge at {page.url}: the shop serves people only, so we stop here")

    async def rendered(self, address: str) -> Answer:
        """A page of this shop as a browser renders it. Raises FetchError, ShopError."""
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
        """Fetches a URL of this shop, or a local file that the shop owns. Raises FetchError, PictureError."""
        if path := self.shop.local(address):
            return Answer(address, 200, await asyncio.to_thread(read_file, path, cap))
        return await self.fetcher.get(address, self.shop, cap, etag, modified)

    # Pictures.

    async def work(self) -> None:
        """Fetches pictures until none is left."""
        while item := await self.next_item():
            await (self.refresh(item) if item.asked else self.add(item))

    async def next_item(self) -> Wanted | None:
        """The next picture to fetch; None when all pages are read and none is left."""
        while True:
            if not self.batch:
                self.batch.extend(self.catalog.wanted(self.shop.name, self.last))
                self.last = max((item.id for item in self.batch), default=self.last)
            if not self.batch and self.pages_done and self.crawl:
                age = timedelta(days=self.settings.refresh_days)
                self.batch.extend(
                    refresh.due(self.catalog, self.shop.name, self.crawl, age, self.last_refreshed)
                )
                self.last_refreshed = self.batch[-1] if self.batch else self.last_refreshed
                self.tally.seen += len(self.batch)
            if self.batch:
                return self.batch.popleft()
            if self.pages_done:
                return None
            await self.more_work.wait()

    async def add(self, item: Wanted) -> None:
        """Fetches and keeps a new picture, or records why it failed. Raises ShopError, as `failed` does."""
        try:
            result = await self.fetched(item)
        except (FetchError, PictureError) as error:
            transient = isinstance(error, FetchError) and error.transient
            self.catalog.fail(item.id, str(error), transient=transient)
            self.failed(error)
            return
        self.failures_in_a_row = 0
        self.tally.take(result)

    async def refresh(self, item: Wanted) -> None:
        """Checks whether a known picture has changed. One that its shop has removed is kept."""
        try:
            result = await self.fetched(item)
        except OptedOutError as error:
            refresh.drop(self.catalog, item.id, str(error))
            self.failed(error)
            return
        except (FetchError, PictureError) as error:
            if not isinstance(error, FetchError) or not (error.transient or isinstance(error, RefusedError)):
                refresh.keep(self.catalog, item.id)
            self.failed(error)
            return
        self.failures_in_a_row = 0
        self.tally.refreshed += 1
        if result in ("new", "duplicate"):
            self.tally.changed += 1

    async def fetched(self, item: Wanted) -> Kept:
        """Fetches a picture and keeps it if it has changed. Raises FetchError, PictureError."""
        answer = await self.fetch(item.image, self.settings.picture_bytes, item.etag, item.modified)
        self.tally.bytes += len(answer.body)
        if answer.opted_out:
            raise OptedOutError(f"opted out ({answer.opted_out})")
        if answer.status == 304:
            refresh.keep(self.catalog, item.id)
            return "same"
        return await self.intake.take(item.id, answer.body, answer.etag, answer.modified)

    def failed(self, error: FetchError | PictureError) -> None:
        """Counts a failure. Raises ShopError after PICTURE_FAILURES refused or transient ones in a row."""
        self.tally.fail(str(error))
        counts = isinstance(error, RefusedError) or (isinstance(error, FetchError) and error.transient)
        self.failures_in_a_row = self.failures_in_a_row + 1 if counts else 0
        if self.failures_in_a_row >= PICTURE_FAILURES:
            raise ShopError(f"{error}: {self.failures_in_a_row} pictures in a row") from error
