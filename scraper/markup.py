"""Reading HTML: a page as it arrived, and what its tags say."""

import codecs
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final
from urllib.parse import urljoin

from bs4 import BeautifulSoup, UnusualUsageWarning
from bs4.dammit import UnicodeDammit
from bs4.element import PageElement, Tag
from bs4.filter import SoupStrainer

READABLE: Final = frozenset(f"image/{kind}" for kind in ("jpeg", "jpg", "png", "webp", "avif", "gif"))
"""Types of pictures that `square` reads."""
LAZY: Final = frozenset(f"data-{name}" for name in ("original", "lazy", "image", "img", "echo"))
"""Attributes for a picture that is loaded later, besides those that end in -src and -srcset."""
PLACEHOLDER: Final = re.compile(
    r"placeholder|spacer|blank|loading|loader|lazy|transparent|pixel|1x1|\.svg$", re.IGNORECASE
)
ELEMENTS: Final = 500
"""Elements of a card among which its picture is looked for."""
CANDIDATE: Final = re.compile(r"[\s,]*+(\S++)")
SIZE: Final = re.compile(r"\b(\d{1,6}(?:\.\d{1,3})?)[wxh]\b")
BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0": "utf-16-le",  # without a mark, XML may be recognized by its "<" (XML 1.0, appendix F)
    b"\0<": "utf-16-be",
}

# A page may be anything: bs4 would warn that one looks like XML, or like a file name.
warnings.filterwarnings("ignore", category=UnusualUsageWarning)


@dataclass(frozen=True)
class Page:
    """A page as it arrived: its URL after redirects, its bytes, and the charset in its header."""

    url: str
    body: bytes
    charset: str | None = None

    def text(self) -> str:
        """The decoded page. A byte order mark goes first; a charset that is unknown or wrong is ignored."""
        marked = (charset for mark, charset in BYTE_ORDER_MARKS.items() if self.body.startswith(mark))
        for charset in (*marked, known_charset(self.charset), "utf-8"):
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
        return joined(self.base, address.strip())

    @cached_property
    def base(self) -> str:
        """What relative URLs are relative to: the page's URL, or what its first `<base href>` says."""
        if "<base" not in self.text().lower():
            return self.url
        base = self.soup(SoupStrainer("base", href=True)).find("base")
        return joined(self.url, str(base["href"]).strip()) if isinstance(base, Tag) else self.url


def joined(base: str, address: str) -> str:
    """A URL relative to another, made absolute; an invalid one is returned as it is."""
    try:
        return urljoin(base, address)
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
    yield from (inner for inner in within(tag) if isinstance(inner, Tag))


def within(tag: Tag) -> Iterator[PageElement]:
    """What is in the tag, as `descendants`, which first goes down to the last one, however deep it is."""
    levels = [iter(tag.contents)]
    while levels:
        for inner in levels[-1]:
            yield inner
            if isinstance(inner, Tag):
                levels.append(iter(inner.contents))
                break
        else:
            levels.pop()


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
    """The URL of the tag's first picture, the largest one that a srcset offers; empty if there is none.

    What lazy loaders read comes before `src`, which is then a placeholder, and what browsers without scripts
    show (noscript) before both. What is called a placeholder comes last.
    """
    without_scripts: dict[int, bool] = {}
    frames: dict[int, int] = {}
    pictures: dict[int, list[Tag]] = {}
    for inner in islice(tags(tag), ELEMENTS):
        outer = id(inner.parent)
        without_scripts[id(inner)] = inner.name == "noscript" or without_scripts.get(outer, False)
        if frame := id(inner) if inner.name == "picture" else frames.get(outer):
            frames[id(inner)] = frame
        if inner.name in ("img", "source"):
            pictures.setdefault(frame or id(inner), []).append(inner)
    placeholder = ""
    for elements in sorted(pictures.values(), key=lambda elements: not without_scripts[id(elements[0])]):
        for address in addresses(elements):
            if not address or address.startswith("data:"):
                continue
            if not PLACEHOLDER.search(address.partition("?")[0].rpartition("/")[2]):
                return address
            placeholder = placeholder or address
    return placeholder


def addresses(elements: list[Tag]) -> Iterator[str]:
    """The URLs of one picture, an img or the contents of a picture element, best first; some are empty."""
    readable = [element for element in elements if str(element.get("type") or "image/jpeg") in READABLE]
    attributes = [(name, str(value).strip()) for element in readable for name, value in element.attrs.items()]
    yield widest(", ".join(value for name, value in attributes if is_lazy(name, "srcset")))
    for name, value in attributes:
        if (is_lazy(name, "src") or name in LAZY) and ("." in value or "/" in value):
            yield value.replace("{width}", "512")
    yield widest(", ".join(value for name, value in attributes if name == "srcset"))
    yield from (str(element.get("src") or "").strip() for element in readable if element.name == "img")


def is_lazy(name: str, ending: str) -> bool:
    """Whether an attribute holds a picture for later, as data-src does; not that for a mouse over it."""
    return name.endswith(f"-{ending}") and not any(
        word in name for word in ("hover", "second", "alt", "swap")
    )


def widest(srcset: str) -> str:
    """The URL of a srcset's largest candidate, in pixels or pixel density; empty if there is none.

    URLs may contain commas (WHATWG HTML, "Parsing a srcset attribute").
    """
    largest, found, end = -1.0, "", 0
    while candidate := CANDIDATE.match(srcset, end):
        address, end = candidate[1], candidate.end()
        descriptors = ""
        if not address.endswith(","):
            start, comma = end, srcset.find(",", end)
            end = comma if comma >= 0 else len(srcset)
            descriptors = srcset[start:end]
        number = SIZE.search(descriptors)
        size = float(number[1]) if number else 1.0
        if size > largest and not address.startswith("data:"):
            largest, found = size, address.rstrip(",")
    return found
