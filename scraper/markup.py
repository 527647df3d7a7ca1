"""Reading HTML: a page as it arrived, and what its tags say."""

import codecs
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from bs4 import BeautifulSoup, UnusualUsageWarning
from bs4.dammit import UnicodeDammit
from bs4.element import Tag
from bs4.filter import SoupStrainer

# A page may be anything: bs4 would warn that one looks like XML, or like a file name.
warnings.filterwarnings("ignore", category=UnusualUsageWarning)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it arrived: its URL after redirects, its bytes, and the charset in its header."""

    url: str
    body: bytes
    charset: str | None = None

    def text(self) -> str:
        """The decoded page. A charset that is unknown or wrong is ignored."""
        for charset in (known_charset(self.charset), "utf-8"):
            try:
                return self.body.decode(charset or "utf-8")
            except UnicodeDecodeError:
                continue
        return UnicodeDammit(self.body, is_html=True).unicode_markup or self.body.decode("utf-8", "replace")

    def soup(self, only: SoupStrainer) -> BeautifulSoup:
        """The elements that the strainer lets through, parsed without the rest of the page."""
        # Attributes stay strings: splitting each tag's class would take a tenth of the time.
        return BeautifulSoup(
            self.text().replace("\0", ""),
            "lxml",
            parse_only=only,
            multi_valued_attributes=None,
            huge_tree=True,
        )

    def cards(self, css_class: str) -> list[Tag]:
        """The outermost elements of this class."""

        def has(value: str | None) -> bool:
            # SoupStrainer(class_="x") doesn't match class="x y", so compare the words ourselves.
            return css_class in (value or "").split()

        cards = self.soup(SoupStrainer(class_=has)).find_all(True, recursive=False)
        return [card for card in cards if isinstance(card, Tag)]

    def absolute(self, address: str) -> str:
        """A URL on this page, made absolute; an invalid one is returned as it is."""
        try:
            return urljoin(self.url, address.strip())
        except ValueError:
            return address  # the fetch will report it


def known_charset(charset: str | None) -> str | None:
    """Python's name for the charset; None if it is unknown."""
    try:
        return codecs.lookup(charset).name if charset else None
    except LookupError:
        return None


def tags(tag: Tag) -> Iterator[Tag]:
    """The tag and all tags within it. `find_all` takes twice as long: it builds a matcher each time."""
    yield tag
    yield from (inner for inner in tag.descendants if isinstance(inner, Tag))


def words(tag: Tag, name: str) -> list[str]:
    """The words of an attribute; none if the tag lacks it."""
    return str(tag.get(name) or "").split()


def text(tag: Tag, css_class: str) -> str:
    """The text of the first element of a class, spaces collapsed; empty if there is none."""
    match = next((inner for inner in tags(tag) if css_class in words(inner, "class")), None)
    return " ".join(match.get_text(" ").split()) if match else ""


def link(tag: Tag) -> str:
    """The href of the first link in the tag, which may be a link itself; empty if there is none."""
    anchors = (inner for inner in tags(tag) if inner.name == "a")
    return next((str(anchor["href"]) for anchor in anchors if anchor.get("href")), "")


def source(tag: Tag) -> str:
    """The URL of the first image in the tag: src, or what lazy loaders use instead; empty if none."""
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
    """The URL of a srcset's largest candidate, which may contain commas without a space; empty if none."""
    candidates = [part.split() for part in srcset.replace(",\n", ", ").split(", ") if part.strip()]
    sized = [
        (float(c[1][:-1]) if len(c) > 1 and c[1][:-1].isdigit() else 1.0, c[0].rstrip(","))
        for c in candidates
    ]
    return max(sized, key=lambda pair: pair[0])[1] if sized else ""
