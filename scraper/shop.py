"""What a shop is: addresses to begin with, and a way to read a page. One file each in scraper/shops/."""

import codecs
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, UnusualUsageWarning
from bs4.dammit import UnicodeDammit
from bs4.element import Tag
from bs4.filter import SoupStrainer
from pydantic import BaseModel, ConfigDict, Field, field_validator
from yarl import URL

# A page may be anything: bs4 would tell the terminal that one looks like XML, or like the name of a file.
warnings.filterwarnings("ignore", category=UnusualUsageWarning)


class MarkupError(Exception):
    """A page is not what its shop's file knows how to read; the message names what was looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """One picture on a page, with the words that stand beside it, as the shop writes them."""

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


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page gives: pictures, and addresses of more pages."""

    items: list[Found] = field(default_factory=list)
    more: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it came: the address after redirects, the bytes, and the charset that the header claims."""

    url: str
    body: bytes
    charset: str | None = None

    def text(self) -> str:
        """The page's characters. A charset nobody knows, or that is not the page's, is ignored."""
        for charset in (known(self.charset), "utf-8"):
            try:
                return self.body.decode(charset or "utf-8")
            except UnicodeDecodeError:
                continue
        return UnicodeDammit(self.body, is_html=True).unicode_markup or self.body.decode("utf-8", "replace")

    def soup(self, only: SoupStrainer) -> BeautifulSoup:
        """What the strainer lets through, parsed without the rest of the page."""
        # Attributes stay the strings that they are: to split each tag's class takes a tenth of the time.
        return BeautifulSoup(
            self.text().replace("\0", ""),
            "lxml",
            parse_only=only,
            multi_valued_attributes=None,
            huge_tree=True,
        )

    def cards(self, css_class: str) -> list[Tag]:
        """The outermost elements that have this class."""

        def has(value: str | None) -> bool:
            # A strainer given class_="x" does not match class="x y": look at the words ourselves.
            return css_class in (value or "").split()

        cards = self.soup(SoupStrainer(class_=has)).find_all(True, recursive=False)
        return [card for card in cards if isinstance(card, Tag)]

    def absolute(self, address: str) -> str:
        """The address as seen from this page: relative and protocol-relative ones are completed."""
        try:
            return urljoin(self.url, address.strip())
        except ValueError:
            return address  # no address at all: the fetch will say so


def known(charset: str | None) -> str | None:
    """The charset if this Python can decode it, else None."""
    try:
        return codecs.lookup(charset).name if charset else None
    except LookupError:
        return None


def tags(tag: Tag) -> Iterator[Tag]:
    """The tag and all within it. `find_all` takes twice as long: it builds a matcher each time."""
    yield tag
    yield from (inner for inner in tag.descendants if isinstance(inner, Tag))


def words(tag: Tag, name: str) -> list[str]:
    """The words of an attribute; none when the tag does not have it."""
    return str(tag.get(name) or "").split()


def text(tag: Tag, css_class: str) -> str:
    """The words of the first element of a class, spaces collapsed; empty when there is none."""
    match = next((inner for inner in tags(tag) if css_class in words(inner, "class")), None)
    return " ".join(match.get_text(" ").split()) if match else ""


def link(tag: Tag) -> str:
    """The first address that the tag links to, or is itself; empty when there is none."""
    anchors = (inner for inner in tags(tag) if inner.name == "a")
    return next((str(anchor["href"]) for anchor in anchors if anchor.get("href")), "")


def source(tag: Tag) -> str:
    """The address of the tag's first picture: src, or what lazy loaders use instead of it; else empty."""
    for image in (inner for inner in tags(tag) if inner.name == "img"):
        for name in ("src", "data-src", "data-original", "data-lazy-src"):
            value = str(image.get(name) or "").strip()
            if value and not value.startswith("data:"):
                return value
        for name in ("srcset", "data-srcset"):
            if value := widest(str(image.get(name) or "")):
                return value
    return ""


def widest(srcset: str) -> str:
    """The largest candidate of a srcset; commas inside addresses are kept when no space follows them."""
    candidates = [part.split() for part in srcset.replace(",\n", ", ").split(", ") if part.strip()]
    sized = [
        (float(c[1][:-1]) if len(c) > 1 and c[1][:-1].isdigit() else 1.0, c[0].rstrip(","))
        for c in candidates
    ]
    return max(sized, key=lambda pair: pair[0])[1] if sized else ""


class Shop(BaseModel):
    """A shop as the config describes it. Subclasses add their own keys, `start` and `read`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    looks_for: ClassVar[str] = ""
    """What `read` looks for on a page, in the shop's own markup: for the error when it is not there."""

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
        """Shops are on the web."""
        for address in [url] if isinstance(url, str) else url:
            if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
                raise ValueError("must begin with http:// or https:// and name a host")
        return url

    def start(self) -> list[str]:
        """The addresses a crawl begins with. Raises OSError when the file of addresses cannot be read."""
        listed = [self.url] if isinstance(self.url, str) else list(self.url)
        if self.addresses:
            lines = (line.strip() for line in self.addresses.read_text("utf-8").splitlines())
            listed += [line for line in lines if line and not line.startswith("#")]
        return list(dict.fromkeys(listed))

    def hosts(self) -> set[str]:
        """The hosts that the config names for this shop, lower-case; none if its addresses cannot be read."""
        try:
            return {host for address in self.start() if (host := urlsplit(address).hostname)}
        except (OSError, UnicodeDecodeError):
            return set()  # the crawl of this shop says so, in its own line

    def local(self, address: str) -> Path | None:
        """The file of ours behind an address, for shops that are not all on the web."""
        return None

    def read(self, page: Page) -> Listing:
        """Reads one page. Raises MarkupError when products are there but cannot be read."""
        raise NotImplementedError

    def check(self, cards: list[Any], items: list[Found]) -> None:
        """Raises MarkupError when there are cards and not one could be read: the markup has changed."""
        if cards and not items:
            raise MarkupError(f"the markup has changed: {len(cards)} products, but none has {self.looks_for}")


def next_page(url: str) -> str:
    """The same listing, one `page=` further (a listing without the word is page 1)."""
    address = URL(url)
    page = address.query.get("page", "1")
    return str(address.update_query(page=int(page) + 1 if page.isdigit() else 2))


def kinds() -> Iterator[str]:
    """The names of the files in scraper/shops/."""
    from scraper import shops

    yield from (module.name for module in iter_modules(shops.__path__))


def shop_class(kind: str) -> type[Shop]:
    """The Shop subclass in scraper/shops/KIND.py. Raises ValueError, naming the kinds, when there is none."""
    if kind not in (known_kinds := sorted(kinds())):
        raise ValueError(f"kind {kind!r} must be one of {', '.join(known_kinds)}")
    module = import_module(f"scraper.shops.{kind}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Shop) and value.__module__ == module.__name__
    )
