"""Normalizes the words and prices of shops to tags that mean the same everywhere."""

import re
import unicodedata
from dataclasses import fields, replace
from typing import Final

from scraper.shop import Found

TAGS: Final = tuple(field.name for field in fields(Found))[2:]
"""The tags of a picture, in the order of `Found`."""

BRANDS: Final = (
    "Alexander McQueen",
    "Balenciaga",
    "Balmain",
    "Bottega Veneta",
    "Burberry",
    "Bvlgari",
    "Cartier",
    "Céline",
    "Chanel",
    "Chloé",
    "Christian Dior",
    "Christian Louboutin",
    "Coach",
    "Dolce & Gabbana",
    "Fendi",
    "Ferragamo",
    "Furla",
    "Givenchy",
    "Goyard",
    "Gucci",
    "Hermès",
    "Jacquemus",
    "Jil Sander",
    "Jimmy Choo",
    "Kate Spade",
    "Loewe",
    "Longchamp",
    "Louis Vuitton",
    "Maison Margiela",
    "Mansur Gavriel",
    "Marc Jacobs",
    "Marni",
    "MCM",
    "Michael Kors",
    "Miu Miu",
    "Moschino",
    "Mulberry",
    "Off-White",
    "Prada",
    "Proenza Schouler",
    "Saint Laurent",
    "Stella McCartney",
    "Telfar",
    "The Row",
    "Tod's",
    "Tom Ford",
    "Tory Burch",
    "Valentino",
    "Versace",
)
ALIASES: Final = {"dior": "Christian Dior", "yvessaintlaurent": "Saint Laurent", "ysl": "Saint Laurent",
                  "salvatoreferragamo": "Ferragamo", "lv": "Louis Vuitton", "bulgari": "Bvlgari",
                  "valentinogaravani": "Valentino", "bottega": "Bottega Veneta"}  # fmt: skip

CATEGORIES: Final = {
    "backpack": "backpack|rucksack|knapsack",
    "belt bag": "belt bag|waist bag|waist pouch|fanny pack|bum bag|bumbag",
    "briefcase": "briefcase|document holder|portfolio",
    "bucket": "bucket",
    "clutch": "clutch|pochette|evening bag|minaudiere|wristlet",
    "crossbody": "crossbody|cross body|camera bag|sling",
    "duffel": "duffel|duffle|keepall|weekender|gym bag|travel bag|boston",
    "hobo": "hobo",
    "laptop bag": "laptop",
    "messenger": "messenger",
    "pouch": "pouch|case",
    "saddle": "saddle",
    "satchel": "satchel|doctor bag|bowler|bowling",
    "shoulder bag": "shoulder|baguette|flap bag",
    "top handle": "top handle|handle bag|frame bag|kelly|birkin",
    "tote": "tote|shopper|shopping bag|neverfull",
    "trolley": "trolley|luggage|suitcase",
    "wallet": "wallet|purse|card holder|cardholder|coin",
}
COLORS: Final = {
    "beige": "beige|sand|ecru|nude|taupe|camel|khaki|stone|tan|biscuit",
    "black": "black|noir|nero|charcoal|jet",
    "blue": "blue|navy|denim|azure|cobalt|indigo|teal|turquoise|sky|bleu|aqua",
    "brown": "brown|chocolate|cognac|tobacco|chestnut|espresso|mocha|coffee|caramel|bronze|copper",
    "gold": "gold|golden",
    "green": "green|olive|emerald|mint|forest|sage|lime",
    "gray": "gray|grey|gris|slate|graphite|steel",
    "multicolor": "multicolor|multicolour|multi|rainbow|multicolored",
    "orange": "orange|coral|apricot|rust|tangerine",
    "pink": "pink|rose|fuchsia|blush|magenta|peach|salmon",
    "purple": "purple|violet|lilac|lavender|plum|mauve|aubergine",
    "red": "red|burgundy|bordeaux|maroon|crimson|cherry|wine|rouge|scarlet",
    "silver": "silver|metallic|pewter|gunmetal",
    "white": "white|ivory|cream|off white|blanc|pearl",
    "yellow": "yellow|mustard|lemon|saffron",
}
MATERIALS: Final = {
    "canvas": "canvas|toile|monogram|coated",
    "cotton": "cotton|denim|linen",
    "exotic": "crocodile|alligator|python|ostrich|lizard|snakeskin",
    "leather": "leather|lambskin|calfskin|goatskin|calf|caviar|togo|epsom|clemence|patent|nappa|saffiano",
    "nylon": "nylon|polyester|neoprene",
    "raffia": "raffia|straw|wicker|rattan",
    "suede": "suede|nubuck|shearling",
    "velvet": "velvet|satin|silk|tweed|wool",
    "vinyl": "vinyl|pvc|faux leather|synthetic leather|pu",
}
CURRENCIES: Final = {"$": "USD", "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD",
                     "€": "EUR", "£": "GBP",
                     "¥": "JPY", "₹": "INR", "₩": "KRW", "HK$": "HKD", "S$": "SGD", "R$": "BRL", "₽": "RUB",
                     "zł": "PLN"}  # fmt: skip
ISO_4217: Final = re.compile("[A-Z]{3}")


def pattern(table: dict[str, str]) -> re.Pattern[str]:
    """An expression that finds any of a table's words, singular or plural, longest first."""
    words = sorted((word for words in table.values() for word in words.split("|")), key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, words))})(?:e?s)?\b")


def names(table: dict[str, str]) -> dict[str, str]:
    """Maps each word of a table to the name it stands for."""
    return {word: name for name, words in table.items() for word in words.split("|")}


FIND: Final = {table: (pattern(words), names(words)) for table, words in
               (("category", CATEGORIES), ("color", COLORS), ("material", MATERIALS))}  # fmt: skip


def normalize(found: Found, currency: str = "") -> Found:
    """The same picture with tags that mean the same in every shop.

    A shop's own field wins over the title; unknown words stay, in lower case. `currency` is that of prices
    that don't name one.
    """
    amount, its = price(found.price)
    return replace(
        found,
        title=spaced(found.title),
        brand=brand(found.brand),
        category=word("category", found.category, found.title),
        color=word("color", found.color, found.title),
        material=word("material", found.material, found.title),
        condition=spaced(found.condition).lower(),
        price=amount,
        currency=(found.currency or its or currency).upper() if amount else "",
    )


def spaced(words: str) -> str:
    """The words separated by single spaces, at most 300 characters."""
    return " ".join(words.split())[:300]


def key(words: str) -> str:
    """The letters and digits of some words, without accents and case."""
    plain = unicodedata.normalize("NFKD", words.replace("&", "and"))
    return "".join(letter for letter in plain.casefold() if letter.isalnum() and letter.isascii())


KNOWN_BRANDS: Final = {key(name): name for name in BRANDS} | ALIASES


def brand(words: str) -> str:
    """A known brand in its own spelling, others in the shop's, but not all in one case."""
    name = spaced(words)
    if known := KNOWN_BRANDS.get(key(name)):
        return known
    return name.title() if len(name) > 4 and (name.isupper() or name.islower()) else name


def word(table: str, said: str, title: str) -> str:
    """The table's name for the shop's word, else for a word of the title, else the shop's word itself."""
    find, meaning = FIND[table]
    for words in (said, title):
        # In "Black Leather Gold Chain Bucket Bag" the last word counts, "bucket"; of colors the first.
        matches = find.findall(words.lower().replace("-", " "))
        if matches:
            return meaning[matches[0 if table == "color" else -1]]
    return spaced(said).lower()


def price(words: str) -> tuple[str, str]:
    """A shop's price as (decimal number, ISO 4217 code); empty strings for what it doesn't say."""
    if not words:
        return "", ""
    from price_parser import Price  # lazily: loading it takes longer than reading a page

    said = Price.fromstring(words.replace("’", "'"))
    if said.amount is None:
        return "", ""
    sign = said.currency or ""
    return f"{said.amount:f}", CURRENCIES.get(sign, sign if ISO_4217.fullmatch(sign) else "")
