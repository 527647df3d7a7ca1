"""Sitemaps (https://www.sitemaps.org/protocol.html): XML, a text with one URL per line, RSS or Atom."""

import gzip
import io
import re
from dataclasses import dataclass, replace
from typing import Final

from bs4 import BeautifulSoup
from bs4.element import Tag
from bs4.filter import SoupStrainer

from scraper.markup import Page
from scraper.shop import MarkupError

UNPACKED: Final = 60_000_000
"""The most bytes of an uncompressed sitemap; the protocol allows 50 MB."""
ROOT: Final = re.compile(r"(?<!\s)\s*+<(?:([\w.-]{1,99}):)?([\w.-]{1,99})")
PROLOG: Final = re.compile(r"(?<!\s)\s*+<(!--|[!?])")
BARE_AMPERSAND: Final = re.compile(
    r"(<!\[CDATA\[(?:[^\]]|\](?!\]>))*+)|&(?!#?\w{1,31};)"  # one that stands for itself, but not in CDATA
)
ADDRESS: Final = re.compile(r"(?:https?:/)?/\S+", re.IGNORECASE)
FEEDS: Final = {"rss": "item", "rdf": "item", "feed": "entry"}
"""What the entries of feeds are called."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The absolute URLs that a sitemap lists; those of an index are sitemaps."""

    addresses: list[str]
    is_index: bool = False


def unpacked(page: Page) -> Page:
    """The page, uncompressed if it is a .gz file. Raises MarkupError if that is broken or too large."""
    if not page.body.startswith(b"\x1f\x8b"):
        return page
    try:
        data = gzip.GzipFile(fileobj=io.BytesIO(page.body)).read(UNPACKED + 1)
    except (OSError, EOFError) as error:
        raise MarkupError("a broken .gz file") from error
    if len(data) > UNPACKED:
        raise MarkupError(f"a .gz file that unpacks to more than {UNPACKED} bytes")
    return replace(page, body=data)


def read_sitemap(page: Page) -> Sitemap | None:
    """The sitemap that a page is; None if it is HTML or no XML. Raises MarkupError if it is other XML."""
    text = page.text().lstrip("\ufeff").strip()
    if not text.startswith("<"):
        return listed(page, text)
    start = root(text)
    element = ROOT.match(text, start)
    kind = element[2].casefold() if element else ""
    if element is None or kind not in ("urlset", "sitemapindex", *FEEDS):
        if text.startswith("<?xml") and kind != "html":
            raise MarkupError(f"a broken sitemap: XML of <{kind}>" if kind else "a broken sitemap")
        return None
    # Other prefixes, as in image:loc, are not pages.
    name = f"{element[1]}:loc" if element[1] else "loc"
    wanted = FEEDS.get(kind, name)
    xml = BARE_AMPERSAND.sub(lambda match: match[1] or "&amp;", text[start:])
    soup = BeautifulSoup(xml, "xml", parse_only=SoupStrainer(wanted))
    found = soup.find_all(wanted) if wanted == name else soup.find_all("link")
    addresses = [address for tag in found if (address := target(tag))]
    return Sitemap(
        list(dict.fromkeys(page.absolute(address) for address in addresses)), kind == "sitemapindex"
    )


def listed(page: Page, text: str) -> Sitemap | None:
    """A text of one URL per line; None if it has anything else. Lines that begin with # are comments."""
    lines = [line for each in text.splitlines() if (line := each.strip()) and not line.startswith("#")]
    if not lines or not all(
        line.startswith(("http://", "https://", "/")) and " " not in line for line in lines
    ):
        return None
    return Sitemap(list(dict.fromkeys(map(page.absolute, lines))))


def root(text: str) -> int:
    """Where the root element begins: after the declaration, comments and the document type."""
    at = 0
    while prolog := PROLOG.match(text, at):
        closing = "-->" if prolog[1] == "!--" else ">"
        end = text.find(closing, prolog.end())
        at = end + len(closing) if end >= 0 else len(text)
    return at


def target(tag: Tag) -> str:
    """The URL in an element: its text, or the href of a link that leads to the entry itself (Atom)."""
    if tag.get("href"):
        return str(tag["href"]).strip() if str(tag.get("rel") or "alternate") == "alternate" else ""
    return tag.get_text(strip=True)
