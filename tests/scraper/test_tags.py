"""The words and prices of shops become tags that mean the same everywhere."""

import pytest

from scraper.shop import Found
from scraper.tags import normalize


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("HERMES", "Hermès"),
        ("Hermès", "Hermès"),
        ("hermès paris", "Hermès Paris"),
        ("DIOR", "Christian Dior"),
        ("Dolce and Gabbana", "Dolce & Gabbana"),
        ("MCM", "MCM"),
        ("  Rue   Cendrée ", "Rue Cendrée"),
        ("LINO PERROS", "Lino Perros"),
        ("", ""),
    ],
)
def test_brands(said, meant):
    assert normalize(Found("", brand=said)).brand == meant


@pytest.mark.parametrize(
    ("category", "title", "meant"),
    [
        ("Totes", "", "tote"),
        ("", "Neverfull MM Shopper", "tote"),
        ("Handbags", "Black Leather Chain Bucket Bag", "bucket"),
        ("Clutches", "Red Satchel", "clutch"),
        ("", "Cross-body camera bag", "crossbody"),
        ("Mobile Pouch", "", "pouch"),
        ("Handbags", "Lino Perros Brown", "handbags"),
        ("", "Lino Perros Brown", ""),
    ],
)
def test_categories_by_the_shop_then_by_the_title(category, title, meant):
    assert normalize(Found("", category=category, title=title)).category == meant


@pytest.mark.parametrize(
    ("color", "title", "meant"),
    [
        ("Navy Blue", "", "blue"),
        ("", "Burgundy Togo Birkin", "red"),
        ("Off-White", "", "white"),
        ("Slate Grey", "", "gray"),
        ("", "Bag", ""),
    ],
)
def test_colors(color, title, meant):
    assert normalize(Found("", color=color, title=title)).color == meant


def test_materials():
    assert normalize(Found("", title="Quilted Lambskin Flap")).material == "leather"


@pytest.mark.parametrize(
    ("said", "amount", "currency"),
    [
        ("$1,250", "1250", "USD"),
        ("$1,250.00", "1250.00", "USD"),
        ("1.250,00 €", "1250.00", "EUR"),
        ("£99.5", "99.5", "GBP"),
        ("1 250 zł", "1250", "PLN"),
        ("CHF 1’250.50", "1250.50", "CHF"),
        ("HK$ 12,000", "12000", "HKD"),
        ("Price: US$ 80", "80", "USD"),
        ("1250.00", "1250.00", "EUR"),
        ("on request", "", ""),
        ("", "", ""),
    ],
)
def test_prices(said, amount, currency):
    found = normalize(Found("", price=said), currency="EUR")

    assert (found.price, found.currency) == (amount, currency)
