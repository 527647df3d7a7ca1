"""Rebag's listing: cards of 48 a page, pages numbered by `?page=N`."""

from scraper.markup import Page, link, source, text
from scraper.shop import Found, Listing, Shop, next_page


class Rebag(Shop):
    """`div.plp-product` holds a picture at 260×260, of which the shop has 512×512 too, vendor and title."""

    looks_for = "div.plp-product with an img and a .product-title"

    def read(self, page: Page) -> Listing:
        """One card is one bag; the next page is asked for until one is empty."""
        cards = page.cards("plp-product")
        items = [
            Found(
                image=page.absolute(image.replace("260x260", "512x512")),
                url=page.absolute(link(card)),
                title=title,
                brand=text(card, "product-vendor"),
                price=text(card, "product-price"),
            )
            for card in cards
            if (image := source(card)) and (title := text(card, "product-title"))
        ]
        self.check(cards, items)
        return Listing(items, [next_page(page.url)] if items else [])
