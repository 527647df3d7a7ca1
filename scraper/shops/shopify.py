"""Any Shopify shop, by its `products.json`: 250 products per request, no HTML."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from yarl import URL

from scraper.markup import Page
from scraper.shop import Found, Listing, MarkupError, Shop, next_page
from scraper.tags import field_of

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
        variants = product.get("variants") or []
        title = str(product.get("title") or "")
        handle = str(product.get("handle") or "")
        return [
            Found(
                image=page.absolute(sized(str(image["src"]))),
                url=page.absolute(f"../../products/{handle}") if handle else "",
                title=title,
                brand=str(product.get("vendor") or ""),
                category=str(product.get("product_type") or ""),
                color=option(product, variant, "color"),
                material=option(product, variant, "material"),
                price=str(variant.get("price") or ""),
            )
            for image in (images[:1] if self.pictures == "first" else images)
            if title and image.get("src")
            for variant in [shown(image, variants)]
        ]


def shown(image: dict[str, Any], variants: list[dict[str, Any]]) -> dict[str, Any]:
    """The first variant that a picture is assigned to, else the first of all; empty if there is none."""
    assigned = image.get("variant_ids") or []
    return next((each for each in variants if each.get("id") in assigned), next(iter(variants), {}))


def option(product: dict[str, Any], variant: dict[str, Any], field: str) -> str:
    """What the shop's option for a field ("color", "material") says of a variant; empty if there is none.

    Options are objects with names and values, or names alone.
    """
    for number, each in enumerate(product.get("options") or []):
        described = each if isinstance(each, dict) else {"name": each}
        if field_of(str(described.get("name"))) == field:
            values = described.get("values") or [""]
            return str(variant.get(f"option{described.get('position') or number + 1}") or values[0] or "")
    return ""


def sized(address: str, size: str = "512x512") -> str:
    """The URL of a picture that Shopify scales to fit: the size goes before the extension."""
    path, question, query = address.partition("?")
    return f"{SIZED.sub(f'_{size}', path, count=1)}{question}{query}"
