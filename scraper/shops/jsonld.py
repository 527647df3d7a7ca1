"""Any shop that describes its products in schema.org JSON-LD, or at least in Open Graph."""

import gzip
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.filter import SoupStrainer
from pydantic import Field

from scraper.markup import Page, words
from scraper.shop import Found, Listing, MarkupError, Shop

UNPACKED = 60_000_000
"""The most bytes of an uncompressed sitemap; the protocol allows 50 MB."""
ROOT = re.compile(rb"<(\w+:)?(urlset|sitemapindex)\b")


class JsonLd(Shop):
    """Starts at sitemaps or listings, follows links to products, and reads the `Product` on each page."""

    looks_for = "a JSON-LD Product, an Open Graph product, or a link that matches `products`"

    products: str = Field(r"/products?/", description="regular expression of product addresses")
    sitemaps: str = Field(r"product", description="regular expression of sitemaps within a sitemap index")

    def read(self, page: Page) -> Listing:
        """A sitemap lists URLs; a page lists products, links to products, and its next page."""
        body = unpacked(page.body)
        if (
            body.lstrip()[:500].startswith(b"<?xml")
            or b"<urlset" in body[:500]
            or b"<sitemapindex" in body[:500]
        ):
            return Listing(more=self.sitemap(body))
        soup = page.soup(SoupStrainer(["script", "meta", "a", "link"]))
        items = list(products(page, soup)) or list(open_graph(page, soup))
        anchors = soup.find_all("a")
        links = [page.absolute(str(tag["href"])) for tag in anchors if tag.get("href")]
        more = [address for address in links if re.search(self.products, address) and address != page.url]
        after = (tag for tag in [*soup.find_all("link"), *anchors] if "next" in words(tag, "rel"))
        more += [page.absolute(str(tag["href"])) for tag in after if tag.get("href")]
        # "Share this bag" has the product's URL in it too, but leads to another site.
        hosts = self.hosts() | {host_of(page.url)}
        own = (address.partition("#")[0] for address in more if host_of(address) in hosts)
        return Listing(items, list(dict.fromkeys(own)))

    def sitemap(self, body: bytes) -> list[str]:
        """The matching URLs of a sitemap (sitemaps.org), or all those of an index. Raises MarkupError."""
        root = ROOT.search(body)
        if root is None:
            raise MarkupError("a broken sitemap")
        index = root[2] == b"sitemapindex"
        name = f"{(root[1] or b'').decode()}loc"  # other prefixes, as in image:loc, are not pages
        places = BeautifulSoup(body, "xml", parse_only=SoupStrainer(name)).find_all(name)
        wanted = re.compile(self.sitemaps if index else self.products)
        addresses = [address for place in places if (address := place.get_text(strip=True))]
        matching = [address for address in addresses if wanted.search(address)]
        if addresses and not matching and not index:
            raise MarkupError(
                f"the sitemap has {len(addresses)} addresses, but none matches {self.products!r}"
            )
        return matching or addresses


def host_of(address: str) -> str | None:
    """The host of a URL, in lower case; None if it has none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def unpacked(body: bytes) -> bytes:
    """The body, uncompressed if it is a .gz file. Raises MarkupError if that is broken or too large."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        data = gzip.GzipFile(fileobj=io.BytesIO(body)).read(UNPACKED + 1)
    except (OSError, EOFError) as error:
        raise MarkupError("a broken .gz file") from error
    if len(data) > UNPACKED:
        raise MarkupError(f"a .gz file that unpacks to more than {UNPACKED} bytes")
    return data


def products(page: Page, soup: BeautifulSoup) -> Iterator[Found]:
    """The products of all JSON-LD blocks; malformed blocks are skipped."""
    for block in soup.find_all("script"):
        if not str(block.get("type")).startswith("application/ld+json"):
            continue
        try:
            data = json.loads(block.get_text(), strict=False)
        except ValueError:
            continue
        for product in walk(data):
            image = first(product.get("image"), "contentUrl", "url")
            title = first(product.get("name"))
            if not image or not title:
                continue
            offer = offer_of(product)
            yield Found(
                image=page.absolute(image),
                url=page.absolute(first(product.get("url")) or page.url),
                title=title,
                brand=first(product.get("brand"), "name"),
                category=first(product.get("category"), "name").rpartition(">")[2].strip(),
                color=first(product.get("color")),
                material=first(product.get("material"), "name"),
                condition=condition(product, offer),
                price=first(offer.get("price")) or first(offer.get("lowPrice")),
                currency=first(offer.get("priceCurrency")),
            )


def walk(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every Product in a JSON-LD value, up to 20 levels deep: in @graph, lists, ItemList."""
    if depth > 20:
        return
    if isinstance(data, list):
        for value in data:
            yield from walk(value, depth + 1)
    elif isinstance(data, dict):
        kinds = data.get("@type")
        if "Product" in (kinds if isinstance(kinds, list) else [kinds]):
            yield data
            return
        for value in data.values():
            if isinstance(value, (dict, list)):
                yield from walk(value, depth + 1)


def first(value: Any, *keys: str) -> str:
    """The first string or number in a value, a list, or an object with one of the keys; else empty."""
    if isinstance(value, list):
        return next((found for each in value if (found := first(each, *keys))), "")
    if isinstance(value, dict):
        return next((found for key in keys if (found := first(value.get(key)))), "")
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def offer_of(product: dict[str, Any]) -> dict[str, Any]:
    """The first offer of a product, completed by its price specification."""
    offers = product.get("offers")
    offer = next((o for o in (offers if isinstance(offers, list) else [offers]) if isinstance(o, dict)), {})
    specification = offer.get("priceSpecification")
    if isinstance(specification, list):
        specification = next(iter(specification), None)
    return {**specification, **offer} if isinstance(specification, dict) else offer


def condition(product: dict[str, Any], offer: dict[str, Any]) -> str:
    """`https://schema.org/UsedCondition` → `used`."""
    word = first(offer.get("itemCondition")) or first(product.get("itemCondition"))
    return word.rpartition("/")[2].removesuffix("Condition").lower()


def open_graph(page: Page, soup: BeautifulSoup) -> Iterator[Found]:
    """The product in a page's Open Graph tags, if there is one."""
    tags = {
        str(tag.get("property") or tag.get("name")): str(tag.get("content") or "")
        for tag in soup.find_all("meta")
    }
    if not tags.get("og:image") or not (
        tags.get("og:type", "").endswith("product") or any(name.startswith("product:") for name in tags)
    ):
        return
    yield Found(
        image=page.absolute(tags["og:image"]),
        url=page.absolute(tags.get("og:url") or page.url),
        title=tags.get("og:title", ""),
        brand=tags.get("product:brand") or tags.get("og:brand", ""),
        category=tags.get("product:category", "").rpartition(">")[2].strip(),
        color=tags.get("product:color", ""),
        material=tags.get("product:material", ""),
        condition=tags.get("product:condition", ""),
        price=tags.get("product:price:amount") or tags.get("og:price:amount", ""),
        currency=tags.get("product:price:currency") or tags.get("og:price:currency", ""),
    )
