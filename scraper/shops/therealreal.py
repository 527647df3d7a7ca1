"""TheRealReal's listings: URLs from the config or a file, pictures loaded lazily."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bs4.element import Tag
from yarl import URL

from scraper.markup import Page, link, source, text
from scraper.shop import Found, Listing, Shop, next_page


class TheRealReal(Shop):
    """`div.product-card-aligner` holds brand, description and a picture that honors `?width=512`."""

    looks_for = "div.product-card-aligner with an img and a .product-card__description"

    def read(self, page: Page) -> Listing:
        """Each card is a bag; an empty page ends the listing."""
        listing = self.listing(page.cards("product-card-aligner"), partial(self.card, page))
        return replace(listing, more=[next_page(page.url)] if listing.items else [])

    def card(self, page: Page, card: Tag) -> Iterator[Found]:
        """The picture of a card that has one, and a description."""
        if (image := source(card)) and (title := text(card, "product-card__description")):
            yield Found(
                image=str(URL(page.absolute(image)).with_query(width=512)),
                url=page.absolute(link(card)),
                title=title,
                brand=text(card, "product-card__brand"),
                price=text(card, "product-card__price"),
            )
