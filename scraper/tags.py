"""Normalizes the words of shops to tags that mean the same everywhere."""

import html
import re
import unicodedata
from dataclasses import fields, replace
from itertools import pairwise
from typing import Final

from scraper.prices import price
from scraper.shop import Found

TAGS: Final = tuple(field.name for field in fields(Found))[2:]
"""The tags of a picture, in the order of `Found`."""

BRANDS: Final = (
    "Acne Studios",
    "Adidas",
    "Aldo",
    "Alexander McQueen",
    "American Tourister",
    "Arc'teryx",
    "Balenciaga",
    "Balmain",
    "Bottega Veneta",
    "Burberry",
    "Bvlgari",
    "Calvin Klein",
    "Cartier",
    "Céline",
    "Chanel",
    "Chloé",
    "Christian Dior",
    "Christian Louboutin",
    "Coach",
    "Delvaux",
    "DKNY",
    "Dolce & Gabbana",
    "Eastpak",
    "Fendi",
    "Ferragamo",
    "Fila",
    "Fossil",
    "French Connection",
    "Furla",
    "Givenchy",
    "Goyard",
    "Gucci",
    "Guess",
    "Hermès",
    "Herschel",
    "Hugo Boss",
    "Jacquemus",
    "JanSport",
    "Jil Sander",
    "Jimmy Choo",
    "JW Anderson",
    "JW PEI",
    "Kate Spade",
    "Kipling",
    "Lacoste",
    "Lancel",
    "Levi's",
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
    "Moynat",
    "Mulberry",
    "Nike",
    "Off-White",
    "Patagonia",
    "Polène",
    "Prada",
    "Proenza Schouler",
    "Puma",
    "Quiksilver",
    "Ralph Lauren",
    "Reebok",
    "Roxy",
    "Saint Laurent",
    "Samsonite",
    "Stella McCartney",
    "Ted Baker",
    "Telfar",
    "The North Face",
    "The Row",
    "Timberland",
    "Tod's",
    "Tom Ford",
    "Tommy Hilfiger",
    "Tory Burch",
    "Tumi",
    "U.S. Polo Assn.",
    "United Colors of Benetton",
    "Valentino",
    "Versace",
    "Wrangler",
)
ALIASES: Final = {"Dior": "Christian Dior", "Yves Saint Laurent": "Saint Laurent", "YSL": "Saint Laurent",
                  "Salvatore Ferragamo": "Ferragamo", "LV": "Louis Vuitton", "Bulgari": "Bvlgari",
                  "Valentino Garavani": "Valentino", "Bottega": "Bottega Veneta",
                  "Benetton": "United Colors of Benetton"}  # fmt: skip
"""Other names of known brands."""

CATEGORIES: Final = {
    "backpack": "backpack|back pack|rucksack|knapsack",
    "belt bag": "belt bag|waist bag|waist pouch|fanny pack|bum bag|bumbag",
    "briefcase": "briefcase|document holder|portfolio",
    "bucket": "bucket",
    "clutch": "clutch|pochette|evening bag|minaudiere|wristlet",
    "crossbody": "crossbody|cross body|camera bag|sling",
    "duffel": "duffel|duffle|keepall|weekender|gym bag|travel bag|boston",
    "hobo": "hobo",
    "laptop bag": "laptop|netbook|notebook bag",
    "messenger": "messenger",
    "pouch": "pouch|case",
    "saddle": "saddle",
    "satchel": "satchel|doctor bag|bowler|bowling",
    "shoulder bag": "shoulder|baguette|flap bag",
    "top handle": "top handle|handle bag|frame bag|kelly|birkin",
    "tote": "tote|shopper|shopping bag|neverfull",
    "trolley": "trolley|luggage|suitcase",
    "wallet": "wallet|card holder|cardholder|coin|change purse",
}
BAGS: Final = {"bag": "bag|handbag|hand bag|purse|tasche|taschen|handtasche|handtaschen|sac|borsa|bolso"}
"""What any bag is called. The name of its kind says more."""
COLORS: Final = {
    "beige": "beige|sand|ecru|nude|taupe|camel|khaki|stone|tan|biscuit|creme|crema",
    "black": "black|noir|noire|nero|nera|negro|negra|schwarz|charcoal|jet|preto",
    "blue": "blue|navy|denim|azure|cobalt|indigo|teal|turquoise|sky|bleu|bleue|aqua|blau|azul|marine|"
    "dunkelblau|hellblau|blu",
    "brown": "brown|chocolate|cognac|tobacco|chestnut|espresso|mocha|coffee|caramel|bronze|copper|braun|"
    "marron|marrone|brun|brune",
    "gold": "gold|golden|rose gold|rosegold|dore|doree|oro|dorado",
    "green": "green|olive|emerald|mint|forest|sage|lime|grun|vert|verte|verde|dunkelgrun|hellgrun",
    "gray": "gray|grey|gris|grise|grigio|grau|slate|graphite|steel|anthracite|anthrazit",
    "multicolor": "multicolor|multicolour|multi|rainbow|multicolored|multicoloured|multicolore|bunt|"
    "mehrfarbig",
    "orange": "orange|coral|apricot|rust|tangerine|naranja|arancione",
    "pink": "pink|rose|fuchsia|blush|magenta|peach|salmon|rosa",
    "purple": "purple|violet|lilac|lavender|plum|mauve|aubergine|lila|violett|violetta|morado",
    "red": "red|burgundy|bordeaux|maroon|crimson|cherry|wine|rouge|scarlet|rot|rosso|rossa|rojo|roja",
    "silver": "silver|metallic|pewter|gunmetal|gun metal|silber|argent|argente|argento|plateado",
    "white": "white|ivory|cream|off white|blanc|blanche|pearl|weiss|bianco|bianca|blanco|blanca",
    "yellow": "yellow|mustard|lemon|saffron|gelb|jaune|giallo|amarillo",
}
MATERIALS: Final = {
    "canvas": "canvas|toile|monogram|coated",
    "cotton": "cotton|denim|linen",
    "exotic": "crocodile|alligator|python|ostrich|lizard|snakeskin",
    "leather": "leather|lambskin|calfskin|goatskin|calf|caviar|togo|epsom|clemence|patent|nappa|saffiano|"
    "leder|cuir",
    "nylon": "nylon|polyester|neoprene",
    "raffia": "raffia|straw|wicker|rattan",
    "suede": "suede|nubuck|shearling",
    "velvet": "velvet|satin|silk|tweed|wool",
    "vinyl": "vinyl|pvc|faux leather|synthetic leather|vegan leather|non leather|leatherette|pu",
}
SHADES: Final = frozenset((
    "rose", "stone", "steel", "slate", "pearl", "golden", "camel", "sand", "copper", "peach", "lime",
    "mint",
))  # fmt: skip
"""Things that have a color: before the name of one they only shade it, as in "rose red"."""
PART: Final = re.compile(
    r" (?:tone|toned|hardware|chain|strap|buckle|lock|zip|zipper|trim|handle|stud|studded|lining|logo|tag"
    r"|embroidery)\b"
)
"""What makes the color before it that of a part of the bag."""
SEPARATOR: Final = re.compile(r"[>/|»›→\\]")
NUMBER: Final = re.compile(r"[\W\d_]*")
CAPITALS: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
POSSESSIVE: Final = re.compile(r"(?<=[a-z]['’])S\b")
UNSAID: Final = frozenset((
    "", "n/a", "na", "none", "null", "default", "default title", "assorted", "other", "one color",
    "one colour", "see picture", "see photo", "unknown", "various",
))  # fmt: skip
"""What shops write in the field of a color instead of one."""
LONGEST: Final = 2_000
"""Characters of a field that are read."""


def plain(words: str) -> str:
    """The words without case, accents and hyphens."""
    letters = unicodedata.normalize("NFKD", words[:LONGEST].casefold())
    base = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return base.replace("-", " ").strip()


FIELDS: Final = {
    plain(word): field
    for field, words in (
        ("color", "color colour colors colours farbe couleur colore cor kleur färg farve farge väri kolor"
                  " barva renk szín culoare цвет колір χρώμα 色 カラー 颜色 顏色 색상"),
        ("material", "material materials matière materiale materiaal материал 素材"),
    )
    for word in words.split()
}  # fmt: skip
"""What shops call the fields of a product, in many languages."""
OF_A_PART: Final = frozenset((
    "hardware", "strap", "lining", "handle", "interior", "inside", "thread", "trim", "metal", "logo",
    "secondary",
))  # fmt: skip


def pattern(table: dict[str, str]) -> re.Pattern[str]:
    """An expression that finds any of a table's words, singular or plural, longest first."""
    words = sorted((word for words in table.values() for word in words.split("|")), key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, words))})(?:e?s)?\b")


def names(table: dict[str, str]) -> dict[str, str]:
    """Maps each word of a table to the name it stands for."""
    return {word: name for name, words in table.items() for word in words.split("|")}


Table = tuple[re.Pattern[str], dict[str, str]]
KINDS: Final[Table] = pattern(CATEGORIES), names(CATEGORIES)
ANY_BAG: Final[Table] = pattern(BAGS), names(BAGS)
COLORED: Final[Table] = pattern(COLORS), names(COLORS)
MADE_OF: Final[Table] = pattern(MATERIALS), names(MATERIALS)


def normalize(found: Found, currency: str = "") -> Found:
    """The same picture with tags that mean the same in every shop.

    A shop's own field wins over the title; unknown words stay, in lower case. `currency` is that of prices
    that don't name one.
    """
    amount, code = price(found.price, found.currency, currency)
    title = spaced(found.title)
    return replace(
        found,
        title=title,
        brand=brand(found.brand) or brand_in(title),
        category=category(found.category, title),
        color=color(found.color) or color_in_title(title, spaced(found.brand)),
        material=last(MADE_OF, found.material) or last(MADE_OF, title) or spaced(found.material).lower(),
        condition=spaced(found.condition).lower(),
        price=amount,
        currency=code,
    )


def spaced(words: str) -> str:
    """The words without HTML's entities, separated by single spaces, at most 300 characters."""
    return " ".join(html.unescape(words[:LONGEST]).split())[:300]


def key(words: str) -> str:
    """The letters and digits of some words, without accents and case."""
    plain = unicodedata.normalize("NFKD", words.replace("&", "and"))
    return "".join(letter for letter in plain.casefold() if letter.isalnum() and letter.isascii())


KNOWN_BRANDS: Final = {key(name): ALIASES.get(name, name) for name in (*BRANDS, *ALIASES)}


def brand(words: str) -> str:
    """A known brand in its own spelling, others in the shop's, but not all in one case."""
    name = spaced(words)
    if known := KNOWN_BRANDS.get(key(name)):
        return known
    if len(name) <= 4 or not (name.isupper() or name.islower()):
        return POSSESSIVE.sub("s", name)
    short = all(len(word) <= 3 for word in name.split())  # JW PEI
    return name if name.isupper() and short else CAPITALS.sub(capitalized, name)


def capitalized(match: re.Match[str]) -> str:
    """A word of a brand with its first letter alone in upper case, but initials as they are (DKNY Jeans)."""
    initials = len(match[0]) == 1 or not set(match[0].casefold()) & set("aeiouäöüéèà")
    return match[0] if initials and match[0].isupper() else match[0].capitalize()


def brand_in(title: str) -> str:
    """The known brand that a title begins with; else empty."""
    words = title.split()[:4]
    beginnings = (key(" ".join(words[:count])) for count in range(len(words), 0, -1))
    return next((KNOWN_BRANDS[each] for each in beginnings if each in KNOWN_BRANDS), "")


def color_in_title(title: str, brand: str) -> str:
    """The color in a title after the brand that it begins with: Red Wing and Ivory Tag are no colors."""
    return color_in(title[len(brand) :] if title.casefold().startswith(brand.casefold()) else title)


def last_part(category: str) -> str:
    """The last part of a category's path that isn't a number; empty for a URL."""
    parts = [part.strip() for part in SEPARATOR.split(category[:LONGEST])]
    return (
        next((part for part in reversed(parts) if not NUMBER.fullmatch(part)), "")
        if "://" not in category
        else ""
    )


def field_of(name: str) -> str:
    """The tag that a shop's field says: "color", "material", or "" for others, as the color of the lining."""
    words = plain(name[:100]).replace("_", " ").split()
    found = next((FIELDS[word] for word in words if word in FIELDS), "")
    return "" if OF_A_PART.intersection(words) else found


def category(said: str, title: str) -> str:
    """The kind of bag, by the shop's word or one in the title; else the shop's word, in the singular."""
    own = spaced(last_part(said)).lower()
    kind = last(KINDS, own) or last(KINDS, title) or last(ANY_BAG, own)
    return kind or singular(own) or last(ANY_BAG, title)


def singular(word: str) -> str:
    """An English plural in the singular; other words as they are."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "ches", "shes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word.removesuffix("s")


def last(table: Table, words: str) -> str:
    """The table's name for its last word in a text ("Leather Chain Bucket Bag" is a bucket); else empty."""
    find, meaning = table
    matches = find.findall(plain(words))
    return meaning[matches[-1]] if matches else ""


def color(said: str) -> str:
    """The color in the shop's own field, in its own word if that is unknown; empty if it says nothing."""
    own = spaced(said).lower()
    return "" if own in UNSAID or NUMBER.fullmatch(own) else color_in(own) or own


def color_in(words: str) -> str:
    """The name of the first color in a text that isn't that of a part; else empty."""
    find, meaning = COLORED
    text = plain(words)
    found = [match for match in find.finditer(text) if not PART.match(text, match.end())]
    for match, after in pairwise([*found, None]):
        shades = match and after and match[1] in SHADES and after.start() == match.end() + 1
        if match and not shades:
            return meaning[match[1]]
    return ""
