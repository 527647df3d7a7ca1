"""The picture of a card, behind whatever loads it later, and in its largest size."""

import json

import pytest

from scraper.markup import Page, source, widest
from scraper.shops.rebag import Rebag
from scraper.shops.shopify import Shopify
from scraper.tags import normalize


@pytest.mark.parametrize(
    ("inside", "taken"),
    [
        ('<img src="/placeholder.gif" data-src="/a.jpg">', "/a.jpg"),
        ('<img src="/t.jpg" data-lazy-src="/a.jpg">', "/a.jpg"),
        ('<img src="/t.jpg" data-original="/a.jpg">', "/a.jpg"),
        ('<img src="/t.jpg" data-srcset="/s.jpg 300w,/a.jpg 1200w">', "/a.jpg"),
        ('<img src="/t.jpg" data-src="/a.jpg" data-hover-src="/b.jpg">', "/a.jpg"),
        ('<img src="/t.jpg" data-image="17">', "/t.jpg"),
        ('<img src="/t.jpg" data-src="//cdn.example/a_{width}x.jpg">', "//cdn.example/a_512x.jpg"),
        ('<img src="data:image/gif;base64,R0"><noscript><img src="/a.jpg"></noscript>', "/a.jpg"),
        ('<img src="/grey.jpg"><noscript><img src="/a.jpg"></noscript>', "/a.jpg"),
        ('<img src="/blank.gif"><img src="/a.jpg">', "/a.jpg"),
        ('<img src="/blank.gif">', "/blank.gif"),
        ('<img src="/a.jpg"><img src="/b.jpg">', "/a.jpg"),
        ('<img src="/t.jpg" srcset="/s.jpg 300w, /a.jpg 1200w">', "/a.jpg"),
        ('<picture><source srcset="/a.webp 1200w" type="image/webp"></picture>', "/a.webp"),
        ('<picture><source srcset="/s.webp 600w"><source srcset="/a.webp 9000w"></picture>', "/a.webp"),
        ('<picture><source srcset="/a.jxl" type="image/jxl"><img src="/a.jpg"></picture>', "/a.jpg"),
        ('<img alt="nothing">', ""),
    ],
)  # fmt: skip
def test_the_picture_of_a_card(inside, taken):
    (card,) = Page("https://shop.example/", f'<div class="card x">{inside}</div>'.encode()).cards("card")

    assert source(card) == taken


@pytest.mark.parametrize(
    ("srcset", "taken"),
    [
        ("/s.jpg 300w,/a.jpg 1200w", "/a.jpg"),
        ("/a.jpg 1200w, /s.jpg 300w", "/a.jpg"),
        ("/s.jpg 300h, /a.jpg 1200h", "/a.jpg"),
        ("/s.jpg 300w 400h,\n/a.jpg 600w 800h", "/a.jpg"),
        ("/s.jpg, /a.jpg 1.5x", "/a.jpg"),
        ("/s.jpg 1x,/a.jpg 2x", "/a.jpg"),
        ("/w_300,h_200/s.jpg 300w, /w_900,h_600/a.jpg 900w", "/w_900,h_600/a.jpg"),
        ("data:image/gif;base64,R0 9x, /a.jpg 1x", "/a.jpg"),
        ("/a.jpg", "/a.jpg"),
        (" , ", ""),
        ("", ""),
    ],
)
def test_the_largest_candidate_of_a_srcset(srcset, taken):
    assert widest(srcset) == taken


def test_a_srcset_of_a_megabyte():
    assert widest("a 1w," * 200_000) == "a"


def test_deep_cards_end():
    (card,) = Page("https://shop.example/", ('<div class="card">' + "<picture>" * 20_000).encode()).cards(
        "card"
    )

    assert source(card) == ""


@pytest.mark.parametrize(
    ("body", "charset", "read"),
    [
        ("Hermès".encode("utf-16"), "utf-8", "Hermès"),
        ("<p>Hermès".encode("utf-16-le"), None, "<p>Hermès"),
        ("Hermès".encode("utf-8-sig"), "latin-1", "Hermès"),
        ("Hermès".encode("latin-1"), "latin-1", "Hermès"),
    ],
)
def test_byte_order_marks_before_headers(body, charset, read):
    assert Page("https://shop.example/", body, charset).text() == read


def test_rebag_puts_the_color_behind_the_last_slash():
    card = (
        '<div class="plp-product"><img src="/i/1_260x260.jpg"><p class="product-title">'
        "Judy / Handbag Multicolor MM / black</p></div>"
    )

    (found,) = (
        Rebag(name="r", kind="rebag", url="https://r.example")
        .read(Page("https://r.example/", card.encode()))
        .items
    )

    assert normalize(found).color == "black"


@pytest.mark.parametrize(
    ("options", "variants", "color"),
    [
        ([{"name": "Color", "position": 1, "values": ["Navy", "Red"]}], [{"option1": "Navy"}], "blue"),
        ([{"name": "Size", "position": 1}, {"name": "Farbe", "position": 2}], [{"option2": "Rot"}], "red"),
        (["Taille", "Couleur"], [{"option1": "M", "option2": "Bleu"}], "blue"),
        ([{"name": "Colour", "values": ["Olive"]}], [], "green"),
        ([{"name": "Bag colour", "position": 1}], [{"option1": "Olive"}], "green"),
        ([{"name": "Hardware Color", "position": 1}], [{"option1": "Gold"}], "red"),
        ([{"name": "Color", "position": 1}], [{"id": 1, "option1": "Navy"}, {"id": 2, "option1": "Tan"}],
         "beige"),
        (None, None, "red"),
    ],
)  # fmt: skip
def test_shopifys_option_color_before_words(options, variants, color):
    product = {
        "title": "The Wine Lover", "handle": "a", "options": options, "variants": variants,
        "images": [{"src": "/i/1.jpg", "variant_ids": [2]}],
    }  # fmt: skip
    page = Page("https://s.example/products.json", json.dumps({"products": [product]}).encode())

    (found,) = Shopify(name="s", kind="shopify", url="https://s.example").read(page).items

    assert normalize(found).color == color
