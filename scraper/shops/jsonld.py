"""Any shop that describes its products in JSON-LD, microdata or RDFa (schema.org), or in Open Graph."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bs4.filter import SoupStrainer
from pydantic import Field

from scraper.markup import Page, words
from scraper.products import products
from scraper.shop import Listing, MarkupError, Shop
from scraper.sitemap import Sitemap, read_sitemap, unpacked


class JsonLd(Shop):
    """Starts at sitemaps or listings, follows links to products, and reads the `Product` on each page."""

    looks_for = "a schema.org Product, an Open Graph product, or a link that matches `products`"

    products: str = Field(r"/products?/", description="regular expression of product addresses")
    sitemaps: str = Field(r"product", description="regular expression of sitemaps within a sitemap index")

    def read(self, page: Page) -> Listing:
        """A sitemap lists URLs; a page lists products, links to products, and its next page."""
        page = unpacked(page)
        if sitemap := read_sitemap(page):
            return Listing(more=self.matching(sitemap))
        soup = page.soup(Described(whole="itemref" in page.text()))
        anchors = soup.find_all("a")
        links = [page.absolute(str(tag["href"])) for tag in anchors if tag.get("href")]
        more = [address for address in links if re.search(self.products, address) and address != page.url]
        after = (tag for tag in [*soup.find_all("link"), *anchors] if "next" in words(tag, "rel"))
        more += [page.absolute(str(tag["href"])) for tag in after if tag.get("href")]
        # "Share this bag" has the product's URL in it too, but leads to another site.
        hosts = self.hosts() | {host_of(page.url)}
        own = (address.partition("#")[0] for address in more if host_of(address) in hosts)
        return Listing(products(page, soup), list(dict.fromkeys(own)))

    def matching(self, sitemap: Sitemap) -> list[str]:
        """The URLs of a sitemap that match, or all those of an index if none does. Raises MarkupError."""
        wanted = re.compile(self.sitemaps if sitemap.is_index else self.products)
        matching = [address for address in sitemap.addresses if wanted.search(address)]
        if sitemap.addresses and not matching and not sitemap.is_index:
            raise MarkupError(
                f"the sitemap has {len(sitemap.addresses)} addresses, but none matches {self.products!r}"
            )
        return matching or sitemap.addresses


class Described(SoupStrainer):
    """Lets through what describes products or leads to them: a tenth of most pages."""

    def __init__(self, *, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def allow_tag_creation(self, nsprefix: str | None, name: str, attrs: Mapping[str, object] | None) -> bool:
        """Whether to read an element and all it contains; `whole` reads all, where items refer to others."""
        kinds = f"{(attrs or {}).get('itemtype', '')} {(attrs or {}).get('typeof', '')}"
        return self.whole or name in ("script", "meta", "a", "link") or "product" in kinds.casefold()

    def allow_string_creation(self, string: str) -> bool:
        """No text outside these elements is needed."""
        return self.whole


def host_of(address: str) -> str | None:
    """The host of a URL, in lower case; None if it has none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
