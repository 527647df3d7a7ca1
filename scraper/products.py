"""The products that a page describes in structured data or Open Graph (https://ogp.me)."""

import html
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final

from bs4 import BeautifulSoup
from bs4.element import Tag

from scraper.markup import Page, words
from scraper.shop import Found
from scraper.structured_data import Graph, Node, annotated, json_ld
from scraper.tags import field_of, last_part

AMPERSAND: Final = re.compile(r"&(?:amp|#0{0,3}38|#x26);")
"""How JSON and Open Graph tags of some shops write "&" in URLs. (`&copy=` in one is no ©.)"""
SIZED: Final = re.compile(
    r"""[-_/?&.](?:
        (?:w|h|s-l|sw|sh|width|height|imwidth|wid|hei)[=_-]?([0-9]{2,4})(?![0-9])
        | ([0-9]{2,4})x([0-9]{2,4})?(?![0-9a-z])
        | (thumb(?:nail)?|small|medium|large|zoom|original)(?![a-z])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""How a picture's URL says its size."""
SIZE_WORDS: Final = {"thumb": 90, "thumbnail": 90, "small": 200, "medium": 500, "large": 1_000, "zoom": 1_500,
                     "original": 2_000}  # fmt: skip
LIST_PRICES: Final = ("list", "strikethrough", "srp", "msrp", "regular", "invoice")
FIELDS: Final = tuple(field.name for field in fields(Found))


def products(page: Page, soup: BeautifulSoup) -> list[Found]:
    """The products in a page's JSON-LD, else in its microdata and RDFa, else in its Open Graph tags.

    What is said of a single product in one of them holds for the others.
    """
    blocks = (block for block in soup.find_all("script") if is_json_ld(str(block.get("type"))))
    described = described_in(Graph(page, [value for block in blocks for value in json_ld(block.get_text())]))
    marked = described_in(Graph(page, annotated(soup)))
    graphed, is_product = open_graph(page, soup)
    found = described or marked
    if len(found) == 1:
        others = [*(marked if len(marked) == 1 else []), graphed]
        for other in others:
            found = [filled(found[0], other)]
    complete = [each for each in found if each.image and each.title]
    if not complete and is_product and graphed.image:
        complete = [graphed]
    return [replace(each, url=each.url or page.url) for each in complete]


def is_json_ld(kind: str) -> bool:
    """Whether a script of this type is JSON-LD."""
    return kind.strip().casefold().startswith("application/ld+json")


def described_in(graph: Graph) -> list[Found]:
    """The products of a graph. Variants have what their group says; those with the same picture are one."""
    groups = {graph.first(each.get("productGroupID")): each for each in graph.products}
    families: dict[int, tuple[Node, list[Node]]] = {}
    for product in graph.products:
        group = next(graph.nodes(product.get("isVariantOf")), None)
        group = group or groups.get(graph.first(product.get("inProductGroupWithID")) or "-") or product
        members = families.setdefault(id(group), (group, []))[1]
        variants = [*graph.nodes(product.get("hasVariant")), *([] if group is product else [product])]
        members += (each for each in variants if each.keys() & {"name", "image", "offers"})
    inner = {id(member) for _, members in families.values() for member in members}
    found = [
        each
        for group, members in families.values()
        if id(group) not in inner
        for each in family(graph, group, members)
    ]
    unique: dict[str, Found] = {}
    for each in [each for each in found if each.image] or found:
        key = each.image or each.title
        unique[key] = filled(unique[key], each) if key in unique else each
    return list(unique.values())


def family(graph: Graph, group: Node, members: list[Node]) -> Iterator[Found]:
    """The variants of a group, each with what the group says of all; those with the same picture are one."""
    whole = described(graph, group)
    if not members:
        yield whole
    alike: dict[str, list[Found]] = {}
    for member in members:
        variant = filled(described(graph, member), whole)
        alike.setdefault(variant.image, []).append(variant)
    for variants in alike.values():
        if len({variant.color for variant in variants}) > 1:  # nobody knows which one the picture shows
            variants = [replace(variant, color=whole.color) for variant in variants]
        yield replace(variants[0], title=(whole.title if len(variants) > 1 else "") or variants[0].title)


def filled(found: Found, other: Found) -> Found:
    """The item with what the other one says besides. A price comes with its own currency."""
    said = found if found.price else replace(found, currency="")
    return replace(said, **{name: getattr(said, name) or getattr(other, name) for name in FIELDS})


def described(graph: Graph, product: Node) -> Found:
    """One product as an item; empty where it says nothing."""

    def text(name: str, *keys: str) -> str:
        return html.unescape(graph.first(product.get(name), *keys))

    def address(value: str) -> str:
        return graph.page.absolute(AMPERSAND.sub("&", value)) if value else ""

    own = {
        field_of(graph.first(each.get("name"))): html.unescape(graph.first(each.get("value"), "name"))
        for each in graph.nodes(product.get("additionalProperty"))
    }
    price, currency = price_of(graph, product)
    paths = graph.strings(product.get("category"), "name")
    return Found(
        image=address(picture_of(graph, product)),
        url=address(graph.first(product.get("url"), "@id")),
        title=text("name"),
        brand=text("brand", "name") or text("manufacturer", "name"),
        category=next((part for path in paths if (part := last_part(html.unescape(path)))), ""),
        color=text("color", "name") or own.get("color", ""),
        material=text("material", "name") or own.get("material", ""),
        condition=condition_of(graph, product),
        price=price,
        currency=currency,
    )


def picture_of(graph: Graph, product: Node) -> str:
    """The URL of a product's first picture, in its largest size; empty if it has none."""
    pictures = []
    for each in graph.parts(product.get("image")):
        stated = ""
        if isinstance(each, dict):
            name = graph.first(each.get("@id"))
            address = graph.first([each.get("contentUrl"), each.get("url")], "@id")
            address = address or (name if "#" not in name else "")
            stated = graph.first(each.get("width"), "value")
        else:
            address = each.strip() if isinstance(each, str) else ""
        if address and not address.startswith("data:"):
            digits = re.match("[0-9]{1,5}", stated)
            pictures.append((address, int(digits[0]) if digits else size_of(address)))
    # A list may hold views of a product or sizes of a picture, whose URLs differ in nothing but the size.
    largest = max((size for _, size in pictures if size), default=0)
    first = next((address for address, size in pictures if not size or 2 * size >= largest), "")
    sizes = [(size or 10_000, address) for address, size in pictures if bare(address) == bare(first)]
    return max(sizes, key=lambda pair: pair[0])[1] if sizes else ""


def size_of(address: str) -> int:
    """The larger side of a picture in pixels, as its URL says it; 0 if it doesn't."""
    found = [each for match in SIZED.findall(address) for each in match if each]
    return max((SIZE_WORDS.get(each.lower()) or int(each) for each in found), default=0)


def bare(address: str) -> str:
    """A picture's URL without what says its size."""
    return SIZED.sub("", address)


def price_of(graph: Graph, product: Node) -> tuple[str, str]:
    """A product's first price that isn't 0, and its currency, from its offers and those within them.

    A sold-out product may cost 0: that is no price. A list price comes last.
    """
    lowest = "", ""
    seen: set[int] = set()
    todo = [(product, "")]
    while todo:
        offer, currency = todo.pop()
        if id(offer) in seen:
            continue
        seen.add(id(offer))
        specifications = sorted(
            graph.nodes(offer.get("priceSpecification")), key=lambda each: listed(graph, each)
        )
        currency = (
            graph.first([each.get("priceCurrency") for each in (offer, *specifications)], "name") or currency
        )
        for said in graph.strings([each.get("price") for each in (offer, *specifications)], "price", "value"):
            if is_price(said):
                return said, currency
        low = graph.first([offer.get("lowPrice"), offer.get("highPrice")], "value")
        lowest = lowest if lowest[0] or not is_price(low) else (low, currency)
        todo += ((each, currency) for each in reversed(list(graph.nodes(offer.get("offers")))))
    return lowest


def listed(graph: Graph, specification: Node) -> bool:
    """Whether a price is the one before a sale."""
    kind = graph.first(specification.get("priceType"), "@id").rpartition("/")[2].casefold()
    return kind.startswith(LIST_PRICES)


def is_price(said: str) -> bool:
    """Whether a price has a digit other than 0."""
    return any(letter.isdigit() and letter != "0" for letter in said)


def condition_of(graph: Graph, product: Node) -> str:
    """`https://schema.org/UsedCondition` → `used`."""
    nodes = [*graph.nodes(product.get("offers")), product]
    word = graph.first([each.get("itemCondition") for each in nodes], "@id", "name")
    return re.split("[/:#]", word)[-1].removesuffix("Condition").lower()


def open_graph(page: Page, soup: BeautifulSoup) -> tuple[Found, bool]:
    """What a page's Open Graph tags say, the first of each name, and whether they are about a product."""
    said: dict[str, str] = {}
    for tag in soup.find_all("meta"):
        if content := str(tag.get("content") or "").strip():
            said |= {name: content for name in meta_names(tag) if name not in said}

    def text(*names: str) -> str:
        return html.unescape(next((said[name] for name in names if name in said), ""))

    def address(*names: str) -> str:
        written = next((said[name] for name in names if name in said), "")
        return page.absolute(AMPERSAND.sub("&", written)) if written else ""

    sale, currency = price_tags(said, "product:sale_price")
    price, its = price_tags(said, "product:price")
    other, others = price_tags(said, "og:price")
    kind = said.get("og:type", "").casefold()
    found = Found(
        image=address(
            "og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"
        ),
        url=address("og:url"),
        title=text("og:title", "twitter:title"),
        brand=text("product:brand", "og:brand"),
        category=last_part(text("product:category")),
        color=text("product:color", "og:color"),
        material=text("product:material"),
        condition=text("product:condition"),
        price=sale or price or other,
        currency=currency or its or others,
    )
    return found, kind.endswith(("product", "product.item")) or any(
        name.startswith("product:") for name in said
    )


def meta_names(tag: Tag) -> list[str]:
    """The names of a meta tag, in lower case."""
    return [name.casefold() for name in [*words(tag, "property"), *words(tag, "name")]]


def price_tags(said: dict[str, str], name: str) -> tuple[str, str]:
    """The amount and the currency of a price in Open Graph tags; empty if it is 0 or missing."""
    amount = said.get(f"{name}:amount") or said.get(name, "")
    return (amount, said.get(f"{name}:currency", "")) if is_price(amount) else ("", "")
