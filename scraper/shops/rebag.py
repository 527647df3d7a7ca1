"""Rebag's listing: 48 cards per page, pages numbered by `?page=N`."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bs4.element import Tag

from scraper.markup import Page, link, source, text
from scraper.shop import Found, Listing, Shop, next_page


class Rebag(Shop):
    """`div.plp-product` holds vendor, title and a 260×260 picture, which the shop also has at 512×512."""

    looks_for = "div.plp-product with an img and a .product-title"

    def read(self, page: Page) -> Listing:
        """Each card is a bag; an empty page ends the listing."""
        listing = self.listing(page.cards("plp-product"), partial(self.card, page))
        return replace(listing, more=[next_page(page.url)] if listing.items else [])

    def card(self, page: Page, card: Tag) -> Iterator[Found]:
        """The picture of a card that has one, and a title."""
        if (image := source(card)) and (title := text(card, "product-title")):
            yield Found(
                image=page.absolute(image.replace("260x260", "512x512")),
                url=page.absolute(link(card)),
                title=title,
                brand=text(card, "product-vendor"),
                color=color_of(title),
                price=text(card, "product-price"),
            )


def color_of(title: str) -> str:
    """What stands behind the last " / " of a title, where Rebag puts the color; empty if there is none."""
    _, slash, color = title.rpartition(" / ")
    return color if slash else ""
