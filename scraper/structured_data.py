"""What a page says as structured data: JSON-LD, microdata and RDFa, all as the nodes of JSON-LD.

Pages may be broken or hostile, so nothing here recurses, and each step is linear in the size of the page.
(extruct, the library for this, brings rdflib, html5lib and requests along, and its readers have no bounds.)
"""

import html
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from scraper.markup import Page, source, within, words

Node = dict[str, Any]

NOISE: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*+"?)  # a string, which stays
    | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+(?:\*/)? | <!-- | --> | <!\[CDATA\[ | \]\]>""",
    re.VERBOSE | re.DOTALL,
)
STRAY_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)
ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
BRACKET: Final = re.compile(r"[{\[]")
LONGEST: Final = 4_000
"""Characters of a value that are read: more than any address or title has."""
PIECES: Final = 200
"""Elements and texts within an element that are read as its text."""
PRODUCTS: Final = frozenset({"product", "productgroup", "productmodel", "individualproduct", "someproducts"})
LINKS: Final = frozenset({"url", "image", "contentUrl", "itemCondition", "availability", "sameAs"})
"""Properties of which a link's URL is the value, not its text."""


def term(name: str) -> str:
    """The schema.org term behind a name, a prefixed name or an IRI; other names as they are."""
    prefix, _, local = name.rpartition(":" if "//" not in name else "/")
    schema = prefix.casefold() in ("schema", "s", "sdo") or "schema.org" in prefix.casefold()
    return local.rpartition("#")[2] if schema else name


def node(members: Node) -> Node:
    """An object of JSON-LD with the keywords and terms that schema.org's context gives its names."""
    keywords = {"type": "@type", "id": "@id"}
    return {keywords.get(name, term(name)): value for name, value in members.items()}


DECODER: Final = json.JSONDecoder(
    strict=False,  # shops put line breaks in strings
    object_hook=node,
    parse_int=str,  # Python refuses integers of more than 4,300 digits
    parse_float=lambda number: str(round(float(number), 2)),
    parse_constant=lambda _: None,
)


def json_ld(text: str) -> Iterator[Any]:
    """The values of a JSON-LD block, without comments, CDATA marks, stray commas and what stands after them.

    A broken block yields what can be read of it.
    """
    try:
        yield DECODER.decode(text)
        return
    except (ValueError, RecursionError):
        pass  # read it again, more leniently
    if '"' not in text:
        text = html.unescape(text)
    text = STRAY_COMMA.sub(r"\1", NOISE.sub(kept, text))
    end = 0
    while start := BRACKET.search(text, end):
        try:
            value, end = DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            return
        yield value


def kept(match: re.Match[str]) -> str:
    r"""Nothing of noise; of a string all but the backslashes that JSON doesn't know, as in `Levi\'s`."""
    return ESCAPE.sub(lambda escape: escape[0] if escape[1] in '"\\/bfnrtu' else escape[1], match[1] or "")


def kinds(value: Node) -> set[str]:
    """The types of a node in lower case, as `product`, however they are written."""
    types = value.get("@type")
    listed = types if isinstance(types, list) else [types]
    return {
        re.split("[/#:]", each[:LONGEST].strip())[-1].casefold() for each in listed if isinstance(each, str)
    }


class Graph:
    """The nodes of a page: its outermost products, and each node by its `@id`."""

    def __init__(self, page: Page, roots: list[Any]) -> None:
        self.page = page
        self.products: list[Node] = []
        self.described: dict[str, Node] = {}
        seen: set[int] = set()
        todo = [(root, True) for root in reversed(roots)]
        while todo:
            value, outermost = todo.pop()
            if not isinstance(value, (list, dict)) or id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, dict):
                self.note(value)
                if outermost and kinds(value) & PRODUCTS:
                    self.products.append(value)
                    outermost = False
            inner = value.values() if isinstance(value, dict) else value
            todo += ((each, outermost) for each in reversed(inner))

    def note(self, value: Node) -> None:
        """Remembers a node that is described here, and an offer as that of the product it offers."""
        name = value.get("@id")
        if isinstance(name, str) and value.keys() - {"@id", "@type"}:
            self.described.setdefault(self.page.absolute(name[:LONGEST]), value)
        offered = value.get("itemOffered")
        if isinstance(offered, dict) and "name" in offered:
            offered.setdefault("offers", value)

    def resolve(self, value: Node) -> Node:
        """The node that a mere reference means; any other node itself."""
        name = value.get("@id")
        if isinstance(name, str) and not value.keys() - {"@id", "@type"}:
            return self.described.get(self.page.absolute(name[:LONGEST]), value)
        return value

    def nodes(self, value: Any) -> Iterator[Node]:
        """The nodes that a value consists of, in order, however it is nested in lists."""
        for each in self.parts(value):
            if isinstance(each, dict):
                yield each

    def strings(self, value: Any, *keys: str) -> Iterator[str]:
        """The texts and numbers that a value consists of, in order; those of a node are under the keys."""
        for each in self.parts(value, *keys, "@value"):
            if isinstance(each, str) and (text := each[:LONGEST].strip()):
                yield text

    def first(self, value: Any, *keys: str) -> str:
        """The first of `strings`, or an empty string."""
        return next(self.strings(value, *keys), "")

    def parts(self, value: Any, *keys: str) -> Iterator[Any]:
        """The texts and nodes that a value consists of, each node once, followed by those under its keys."""
        seen: set[int] = set()
        todo = [value]
        while todo:
            value = todo.pop()
            if isinstance(value, dict):
                value = self.resolve(value)
            if isinstance(value, (list, dict)):
                if id(value) in seen:
                    continue
                seen.add(id(value))
            if isinstance(value, list):
                todo += reversed(value)
                continue
            yield value
            if isinstance(value, dict):
                todo += (value[key] for key in (*reversed(keys), "@set", "@list") if key in value)


def annotated(soup: BeautifulSoup) -> list[Node]:
    """The items of microdata (WHATWG HTML, 5.2) and RDFa Lite 1.1 in the soup that are in no other item."""
    elements = [element for element in soup.descendants if isinstance(element, Tag)]
    adopted: dict[str, Node] = {}
    items: dict[int, Node] = {}
    for element in elements:
        if element.has_attr("itemscope") or element.has_attr("typeof"):
            item: Node = {"@type": [*words(element, "itemtype"), *words(element, "typeof")]}
            items[id(element)] = item
            if name := element.get("itemid") or element.get("resource") or element.get("about"):
                item["@id"] = str(name)
            adopted |= dict.fromkeys(words(element, "itemref"), item)
    outermost = []
    owners: dict[int, Node | None] = {}
    for element in elements:
        owner = adopted.get(str(element.get("id"))) or owners.get(id(element.parent))
        own = items.get(id(element))
        owners[id(element)] = own or owner
        names = {term(name) for name in (*words(element, "itemprop"), *words(element, "property"))}
        if owner is None or not names:
            outermost += [own] if own else []
            continue
        for name in names - {"@id", "@type"}:
            owner.setdefault(name, []).append(own or literal(element, name))
    return outermost


def literal(element: Tag, name: str) -> str:
    """The value of a property that is not an item: an attribute, or the text of its element."""
    if content := element.get("content"):
        return str(content)
    if element.name in ("img", "picture"):
        return source(element)
    if element.name == "link" or name in LINKS:
        for attribute in ("href", "src", "data", "resource"):
            if address := element.get(attribute):
                return str(address)
        if name == "image":
            return source(element)
    if element.name in ("data", "meter") and (value := element.get("value")):
        return str(value)
    pieces = islice(within(element), PIECES)
    return " ".join("".join(piece for piece in pieces if isinstance(piece, NavigableString)).split())
