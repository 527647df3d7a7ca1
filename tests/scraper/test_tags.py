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
        ("ARC'TERYX", "Arc'teryx"),
        ("LEVI'S", "Levi's"),
        ("Levi'S", "Levi's"),
        ("MOD'ACC", "Mod'acc"),
        ("tod's", "Tod's"),
        ("KIEHL’S BAGS", "Kiehl’s Bags"),
        ("JW PEI", "JW PEI"),
        ("JW ANDERSON", "JW Anderson"),
        ("MZ WALLACE", "MZ Wallace"),
        ("U.S. MAPLE", "U.S. Maple"),
        ("JEAN-PAUL", "Jean-Paul"),
        ("rag &amp; bone", "Rag & Bone"),
        ("ADIDAS Celtics", "ADIDAS Celtics"),
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
        ("Handbags", "Lino Perros Brown", "bag"),
        ("Bags", "", "bag"),
        ("Handbag", "", "bag"),
        ("", "Red Hand Bag", "bag"),
        ("Handtaschen", "", "bag"),
        ("Women > Bags > Totes", "", "tote"),
        ("Women/Bags/5166", "", "bag"),
        ("5166", "", ""),
        ("Umbrellas", "", "umbrella"),
        ("Accessories", "", "accessory"),
        ("Abendtaschen", "", "abendtaschen"),
        ("", "Coin Purse", "wallet"),
        ("", "Blue Back Pack", "backpack"),
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
        ("Fjord", "Red Satchel", "fjord"),
        ("Default Title", "Red Satchel", "red"),
        ("Schwarz", "", "black"),
        ("Weiß", "", "white"),
        ("Doré", "", "gold"),
        ("", "Golden Chain Black Bag", "black"),
        ("", "Black Bag with Gold-tone Hardware", "black"),
        ("", "Rose Red Pouch", "red"),
        ("", "Rose Pouch", "pink"),
        ("", "Stone Grey Bag", "gray"),
        ("", "Rose Gold Clutch", "gold"),
        ("", "Navy Blue and White Bag", "blue"),
    ],
)
def test_colors(color, title, meant):
    assert normalize(Found("", color=color, title=title)).color == meant


def test_a_brand_is_no_color():
    assert normalize(Found("", brand="RED WING", title="Red Wing Satchel")).color == ""
    assert normalize(Found("", brand="Ivory Tag", title="Ivory Tag Brown Bag")).color == "brown"


@pytest.mark.parametrize(
    ("title", "brand"),
    [
        ("Louis Vuitton Neverfull MM", "Louis Vuitton"),
        ("ADIDAS Unisex Backpack", "Adidas"),
        ("Blue Coach", ""),
    ],
)
def test_a_known_brand_at_the_beginning_of_a_title(title, brand):
    assert normalize(Found("", title=title)).brand == brand


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("Quilted Lambskin Flap", "leather"),
        ("Non Leather Bag", "vinyl"),
        ("Brown Leatherette Bag", "vinyl"),
        ("Vegan-leather tote", "vinyl"),
    ],
)
def test_materials(title, meant):
    assert normalize(Found("", title=title)).material == meant


@pytest.mark.parametrize("field", ["title", "brand", "category", "color", "material", "condition", "price"])
@pytest.mark.parametrize("text", ["9", "a ", "&", "' ", "red ", "kr."])
def test_long_fields_are_cut_before_they_are_read(field, text):
    found = normalize(Found("", **{field: text * 300_000}))

    assert all(len(getattr(found, name)) <= 400 for name in ("title", "brand", "category", "color", "price"))


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
        ("1 234,50", "1234.50", "EUR"),
        ("1\u202f234,50\xa0€", "1234.50", "EUR"),
        ("1'234.50", "1234.50", "EUR"),
        ("1'234.– CHF", "1234", "CHF"),
        ("1250.000", "1250.000", "EUR"),
        ("₫1.234.000", "1234000", "VND"),
        ("1.234.000đ", "1234000", "VND"),
        ("₺1.234,50", "1234.50", "TRY"),
        ("1.234,50 TL", "1234.50", "TRY"),
        ("MX$1,234.00", "1234.00", "MXN"),
        ("NT$1,280", "1280", "TWD"),
        ("A$ 1,250.00", "1250.00", "AUD"),
        ("AU $5", "5", "AUD"),
        ("C$1,250", "1250", "CAD"),
        ("$5 MXN", "5", "MXN"),
        ("S$1,234", "1234", "SGD"),
        ("1 234 kr", "1234", "SEK"),
        ("kr. 50,-", "50", "SEK"),
        ("Rs.50", "50", "INR"),
        ("Rs. 1,23,456.50", "123456.50", "INR"),
        ("₹1,23,456", "123456", "INR"),
        ("₩123,000", "123000", "KRW"),
        ("12,800円", "12800", "JPY"),
        ("￥12,800", "12800", "JPY"),
        ("RMB 1,280", "1280", "CNY"),
        ("1 234,50 Kč", "1234.50", "CZK"),
        ("1.234 Ft", "1234", "HUF"),
        ("R$ 1.234,50", "1234.50", "BRL"),
        ("S/.5.50", "5.50", "PEN"),
        ("S/ 1,234.50", "1234.50", "PEN"),
        ("R 1 234.50", "1234.50", "ZAR"),
        ("RM1,234", "1234", "MYR"),
        ("Rp1.234.000", "1234000", "IDR"),
        ("1234 руб.", "1234", "RUB"),
        ("AED 1,234", "1234", "AED"),
        ("١٢٣٤ ر.س", "1234", "SAR"),
        ("Fr. 50.-", "50", "CHF"),
        ("35€99", "35.99", "EUR"),
        ("from $80", "80", "USD"),
        ("$0.00", "", ""),
        ("on request", "", ""),
        ("", "", ""),
    ],
)
def test_prices(said, amount, currency):
    found = normalize(Found("", price=said), currency="EUR")

    assert (found.price, found.currency) == (amount, currency)


@pytest.mark.parametrize(
    ("said", "named", "default", "currency"),
    [
        ("$5", "", "AUD", "AUD"),
        ("5 kr", "", "NOK", "NOK"),
        ("$5", "", "EUR", "USD"),
        ("5", "€", "", "EUR"),
        ("5", "eur", "", "EUR"),
        ("5", "US$", "CAD", "USD"),
        ("5", "XYZ", "EUR", "EUR"),
        ("5", "TL", "", "TRY"),
    ],
)
def test_currencies_as_the_field_or_the_shop_has_them(said, named, default, currency):
    assert normalize(Found("", price=said, currency=named), default).currency == currency
