"""What a shop is: URLs to start from, and a way to read a page. Each kind is a file in scraper/shops/."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator
from yarl import URL

from scraper.markup import Page


class MarkupError(Exception):
    """A page that its shop's file can't read; the message names what it looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """One picture on a page: the URLs of the picture and its product, and the shop's words for it."""

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
    """What a page lists: pictures, and URLs of more pages."""

    items: list[Found] = field(default_factory=list)
    more: list[str] = field(default_factory=list)


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

    def hosts(self) -> set[str]:
        """The configured hosts of this shop, in lower case; none if `addresses` is unreadable."""
        try:
            return {host for address in self.start() if (host := urlsplit(address).hostname)}
        except (OSError, UnicodeDecodeError):
            return set()  # the crawl of this shop will report it

    def local(self, address: str) -> Path | None:
        """The local file behind a URL, for shops that are not on the web entirely."""
        return None

    def read(self, page: Page) -> Listing:
        """What a page lists. Raises MarkupError if it has products that can't be read."""
        raise NotImplementedError

    def check(self, cards: list[Any], items: list[Found]) -> None:
        """Raises MarkupError if there are cards but none could be read: the markup has changed."""
        if cards and not items:
            raise MarkupError(f"the markup has changed: {len(cards)} products, but none has {self.looks_for}")


def next_page(url: str) -> str:
    """The URL of a listing's next page: `page=` plus one (without `page=` it is page 1)."""
    address = URL(url)
    page = address.query.get("page", "1")
    return str(address.update_query(page=int(page) + 1 if page.isdigit() else 2))
