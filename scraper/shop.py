"""What a shop is: URLs to start from, and a way to read a page. Each kind is a file in scraper/shops/."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator
from yarl import URL

from scraper.markup import Page
from scraper.ssrf_guard import Origin, origin

CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
LONGEST_WORDS: Final = 1_000
LONGEST_URL: Final = 8_000
"""In characters; servers take no longer ones (RFC 9110 §4.1)."""
T = TypeVar("T")


class MarkupError(Exception):
    """A page that its shop's file can't read; the message names what it looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """One picture on a page: the URLs of the picture and its product, and the shop's words for it.

    Whatever a shop wrote, they are `clean`.
    """

    image: str
    url: str = ""
    title: str = ""
    brand: str = ""
    category: str = ""
    color: str = ""
    material: str = ""
    condition: str = ""
    price: str = ""
    currency: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            limit = LONGEST_URL if each.name in ("image", "url") else LONGEST_WORDS
            object.__setattr__(self, each.name, clean(getattr(self, each.name), limit))


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page lists: pictures, and URLs of more pages; `skipped`: why each unreadable product was."""

    items: list[Found] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "more", [clean(address, LONGEST_URL) for address in self.more])


def clean(words: str, limit: int) -> str:
    """The words as they can be stored and printed, at most `limit` characters of them.

    Without control characters other than white space, and without halves of characters: JSON can cut an
    emoji in two, which no file or database takes.
    """
    words = words[:limit]
    if words.isascii() and words.isprintable():
        return words
    whole = words.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return CONTROL.sub("", whole)


class Shop(BaseModel):
    """A configured shop. Subclasses add their own keys and `read`; `delay` is in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    looks_for: ClassVar[str] = ""
    """What `read` looks for in the shop's markup, for the error when it is missing."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w.-]+$")
    kind: str
    url: str | list[str] = []
    addresses: Path | None = None
    delay: float | None = Field(None, ge=0, le=3600)
    connections: int | None = Field(None, ge=1, le=256)
    currency: str = ""
    render: bool = False

    @field_validator("url")
    @classmethod
    def web(cls, url: str | list[str]) -> str | list[str]:
        """Raises ValueError unless each URL is on the web."""
        for address in [url] if isinstance(url, str) else url:
            if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
                raise ValueError("must begin with http:// or https:// and name a host")
        return url

    def start(self) -> list[str]:
        """The URLs to start from. Raises OSError or UnicodeDecodeError if `addresses` is unreadable."""
        listed = [self.url] if isinstance(self.url, str) else list(self.url)
        if self.addresses:
            lines = (line.strip() for line in self.addresses.read_text("utf-8").splitlines())
            listed += [line for line in lines if line and not line.startswith("#")]
        return list(dict.fromkeys(listed))

    def web_addresses(self) -> list[str]:
        """The configured URLs of this shop; none if `addresses` is unreadable."""
        try:
            return self.start()
        except (OSError, UnicodeDecodeError):
            return []  # the crawl of this shop will report it

    def hosts(self) -> set[str]:
        """The configured hosts of this shop, in lower case."""
        found = set()
        for address in self.web_addresses():
            with suppress(ValueError):  # the crawl of this shop will report it
                found.add(urlsplit(address).hostname or "")
        return found - {""}

    def origins(self) -> frozenset[Origin]:
        """The configured hosts of this shop with their ports: only these may be in a private network."""
        found = set()
        for address in self.web_addresses():
            with suppress(ValueError):
                found.add(origin(URL(address)))
        return frozenset(found)

    def local(self, address: str) -> Path | None:
        """The local file behind a URL, for shops that are not on the web entirely."""
        return None

    def read(self, page: Page) -> Listing:
        """What a page lists. Raises MarkupError if it has products that can't be read."""
        raise NotImplementedError

    def listing(self, products: Sequence[T], read: Callable[[T], Iterable[Found]]) -> Listing:
        """What `read` makes of each product; one on which it fails is skipped.

        Raises MarkupError if there are products but none could be read: the markup has changed.
        """
        items: list[Found] = []
        skipped: list[str] = []
        for product in products:
            try:
                items += read(product)
            except Exception as error:  # whatever a product holds, it costs no other one
                skipped.append(f"{type(error).__name__}: {error}")
        if products and not items:
            raise MarkupError(
                f"the markup has changed: {len(products)} products, but none has {self.looks_for}"
                + (f" ({skipped[0]})" if skipped else "")
            )
        return Listing(items, skipped=skipped)


def next_page(url: str) -> str:
    """The URL of a listing's next page: `page=` plus one (without `page=` it is page 1)."""
    address = URL(url)
    page = address.query.get("page", "1")
    return str(address.update_query(page=int(page) + 1 if page.isdigit() else 2))
