"""Any Shopify shop, by its `products.json`: 250 products per request, no HTML."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from yarl import URL

from scraper.markup import Page
from scraper.shop import Found, Listing, MarkupError, Shop, next_page

SIZED = re.compile(r"(?=\.\w+$)")


class Shopify(Shop):
    """`collections` are handles. A product's first picture shows its front; the others show details."""

    looks_for = '"products" with "title" and "images" in products.json'

    collections: tuple[str, ...] = ()
    pictures: Literal["first", "all"] = "first"

    def start(self) -> list[str]:
        """`products.json?limit=250&page=1` below URL/collections/HANDLE, or below URL if it has a handle."""
        return [
            str(URL(f"{base.rstrip('/')}{path}/products.json") % {"limit": 250, "page": 1})
            for base in super().start()
            for path in ([f"/collections/{handle}" for handle in self.collections] or [""])
        ]

    def read(self, page: Page) -> Listing:
        """An empty list of products ends the listing. Raises MarkupError, also if there are `errors`."""
        try:
            data = json.loads(page.body)
            products = data.get("products")
        except (ValueError, RecursionError, AttributeError) as error:
            raise MarkupError(f"not a Shopify products.json: no {self.looks_for}") from error
        if errors := data.get("errors"):
            raise MarkupError(f"Shopify answered with errors: {str(errors)[:200]}")
        if not isinstance(products, list):
            raise MarkupError(f"not a Shopify products.json: no {self.looks_for}")
        listing = self.listing(products, partial(self.product, page))
        return replace(listing, more=[next_page(page.url)] if products else [])

    def product(self, page: Page, product: dict[str, Any]) -> list[Found]:
        """The pictures of one product; none if it lacks a picture or a title."""
        images = sorted(product.get("images") or [], key=lambda image: image.get("position") or 0)
        variant: dict[str, Any] = next(iter(product.get("variants") or []), {})
        title = str(product.get("title") or "")
        handle = str(product.get("handle") or "")
        return [
            Found(
                image=page.absolute(sized(str(image["src"]))),
                url=page.absolute(f"../../products/{handle}") if handle else "",
                title=title,
                brand=str(product.get("vendor") or ""),
                category=str(product.get("product_type") or ""),
                price=str(variant.get("price") or ""),
            )
            for image in (images[:1] if self.pictures == "first" else images)
            if title and image.get("src")
        ]


def sized(address: str, size: str = "512x512") -> str:
    """The URL of a picture that Shopify scales to fit: the size goes before the extension."""
    path, question, query = address.partition("?")
    return f"{SIZED.sub(f'_{size}', path, count=1)}{question}{query}"
