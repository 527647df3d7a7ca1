"""Listing pages that a person saved from a browser, for shops that don't allow bots."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import Field, field_validator

from scraper.markup import Page
from scraper.shop import Found, Listing, Shop
from scraper.shops import shop_class

SAVED_FROM = re.compile(rb"<!-- saved from url=\(\d+\)(\S+) -->")


class Html(Shop):
    """`path`: a saved page or a folder of them; `reads`: the kind of shop that wrote their markup."""

    looks_for = "the markup that `reads` names"

    path: Path
    reads: str = Field("jsonld", description="rebag, therealreal or jsonld")

    @field_validator("reads")
    @classmethod
    def readable(cls, reads: str) -> str:
        """Raises ValueError unless it is a kind that needs no settings but a URL."""
        if reads not in ("rebag", "therealreal", "jsonld"):
            raise ValueError("reads must be rebag, therealreal or jsonld")
        return reads

    def start(self) -> list[str]:
        """The file URLs of the saved pages, by name. Raises OSError if there is no such file or folder."""
        path = self.path.resolve(strict=True)
        pages = [path] if path.is_file() else sorted([*path.rglob("*.html"), *path.rglob("*.htm")])
        return [page.as_uri() for page in pages]

    def web_addresses(self) -> list[str]:
        """`url`, which may say where the pages were saved from."""
        return [self.url] if isinstance(self.url, str) else list(self.url)

    def local(self, address: str) -> Path | None:
        """The file behind a file: URL if it is in the saved folder; no page can reach other files."""
        parts = urlsplit(address)
        if parts.scheme != "file":
            return None
        path = Path(unquote(parts.path)).resolve()
        folder = self.path.resolve()
        folder = folder if folder.is_dir() else folder.parent
        return path if path.is_relative_to(folder) and path.is_file() else None

    def read(self, page: Page) -> Listing:
        """What the other kind reads. Pictures saved along with the page are read; others are fetched."""
        options: dict[str, Any] = {"name": self.name, "kind": self.reads, "currency": self.currency}
        listing = shop_class(self.reads).model_validate(options).read(page)
        saved = SAVED_FROM.search(page.body[:2_000])
        base = saved[1].decode("latin-1") if saved else next(iter(self.web_addresses()), "")
        items = [self.placed(found, page, base) for found in listing.items]
        return Listing(items, skipped=listing.skipped)

    def placed(self, found: Found, page: Page, base: str) -> Found:
        """The item with web URLs in place of file: URLs, where no file was saved."""
        image = found.image
        if image.startswith("file:") and not self.local(image.partition("?")[0]) and base:
            image = self.web_address(image, page, base)
        url = self.web_address(found.url, page, base) if found.url.startswith("file:") and base else found.url
        return replace(found, image=image, url=url)

    @staticmethod
    def web_address(address: str, page: Page, base: str) -> str:
        """Undoes `Page.absolute`: resolves the URL as written against the URL it was saved from."""
        beside = page.url.rpartition("/")[0] + "/"
        written = (
            address.removeprefix(beside) if address.startswith(beside) else address.removeprefix("file://")
        )
        return urljoin(base, written)
