"""Drawn handbags that look like product photos, for the demo's shop. A number always gives the same bag."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from bot.demo.shop.canvas import RGB, Bag, render
from bot.demo.shop.prints import PRINTS
from bot.demo.shop.silhouettes import SHAPES, Look

COLORS: dict[str, RGB] = {
    "black": (38, 35, 38),
    "gray": (140, 141, 147),
    "ivory": (238, 229, 210),
    "beige": (214, 190, 155),
    "taupe": (150, 131, 117),
    "tan": (196, 141, 86),
    "cognac": (166, 90, 42),
    "brown": (101, 63, 42),
    "burgundy": (116, 29, 48),
    "red": (196, 38, 44),
    "coral": (238, 110, 88),
    "pink": (240, 160, 178),
    "fuchsia": (206, 42, 120),
    "orange": (232, 124, 36),
    "mustard": (212, 160, 42),
    "yellow": (246, 208, 76),
    "olive": (120, 120, 62),
    "green": (52, 128, 84),
    "mint": (158, 212, 186),
    "teal": (24, 116, 124),
    "turquoise": (66, 188, 190),
    "sky blue": (136, 186, 224),
    "blue": (44, 96, 178),
    "navy": (32, 44, 86),
    "lavender": (180, 164, 216),
    "purple": (104, 58, 136),
}
_COMPANIONS: dict[str, tuple[str, ...]] = {
    "black": ("cognac", "ivory", "red", "gray"),
    "gray": ("black", "ivory", "yellow", "burgundy"),
    "ivory": ("cognac", "navy", "tan", "coral", "black"),
    "beige": ("brown", "cognac", "burgundy", "teal"),
    "taupe": ("ivory", "brown", "pink"),
    "tan": ("brown", "navy", "ivory"),
    "cognac": ("brown", "ivory", "navy"),
    "brown": ("tan", "beige", "turquoise"),
    "burgundy": ("pink", "tan", "black"),
    "red": ("ivory", "burgundy", "navy"),
    "coral": ("ivory", "tan", "teal"),
    "pink": ("burgundy", "ivory", "fuchsia", "red"),
    "fuchsia": ("pink", "orange", "black"),
    "orange": ("ivory", "brown", "blue"),
    "mustard": ("brown", "navy", "ivory"),
    "yellow": ("ivory", "cognac", "gray"),
    "olive": ("tan", "ivory", "brown"),
    "green": ("tan", "ivory", "mint"),
    "mint": ("cognac", "ivory", "teal"),
    "teal": ("mustard", "cognac", "mint"),
    "turquoise": ("cognac", "ivory", "navy"),
    "sky blue": ("navy", "ivory", "tan"),
    "blue": ("cognac", "ivory", "sky blue"),
    "navy": ("cognac", "ivory", "red"),
    "lavender": ("purple", "ivory", "gray"),
    "purple": ("lavender", "mustard", "black"),
}
_METALS: dict[str, RGB] = {"gold": (222, 178, 92), "silver": (190, 194, 202), "bronze": (158, 112, 72)}
_BRANDS = {
    "Maison Lune": 2600.0,
    "Ottoline": 480.0,
    "Corvin & Fils": 1450.0,
    "Saint Vesper": 1900.0,
    "Bellacosa": 820.0,
    "Hart & Willow": 260.0,
    "Nachtigall": 640.0,
    "Rue Cendrée": 3400.0,
}
_SIZES = {"Mini": 0.7, "Small": 0.85, "Medium": 1.0, "Large": 1.2}
_MATERIALS = ("Leather", "Calfskin", "Suede", "Canvas", "Grained Leather")
_CURRENCIES = ("USD", "USD", "EUR", "GBP")


@dataclass(frozen=True)
class Tags:
    """The shop's description of a bag; `price` is in `currency` (ISO 4217)."""

    brand: str
    title: str
    category: str
    color: str
    price: float
    currency: str


@lru_cache(maxsize=512)
def _choices(number: int) -> tuple[str, str, str, str, str | None, str]:
    choose = random.Random(f"bag {number}")
    shape = choose.choice(tuple(SHAPES))
    color = choose.choice(tuple(COLORS))
    accent = choose.choice(_COMPANIONS[color]) if choose.random() < 0.62 else color
    metal = choose.choices(tuple(_METALS), (6, 3, 1))[0]
    pattern = None
    if choose.random() < 0.42:
        pattern = choose.choice(tuple(PRINTS))
        if accent == color and pattern != "quilted":
            accent = _COMPANIONS[color][0]
    return shape, color, accent, metal, pattern, choose.choice(tuple(_BRANDS))


def tags(number: int) -> Tags:
    """The tags of bag `number`, always the same."""
    shape, color, _, _, pattern, brand = _choices(number)
    choose = random.Random(f"tags {number}")
    size = choose.choice(tuple(_SIZES))
    material = choose.choice(_MATERIALS)
    words = [color.title(), pattern.title() if pattern else "", material, size, shape.title()]
    price = (
        _BRANDS[brand]
        * choose.uniform(0.55, 1.6)
        * {"Mini": 0.7, "Small": 0.85, "Medium": 1.0, "Large": 1.2}[size]
    )
    return Tags(
        brand,
        " ".join(filter(None, words)),
        shape,
        color,
        5.0 * round(price / 5),
        choose.choice(_CURRENCIES),
    )


def frame(number: int) -> tuple[int, int]:
    """Width and height of bag `number`'s photo, in pixels: square, portrait or landscape, to suit it."""
    shape = _choices(number)[0]
    if random.Random(f"frame {number}").random() < 0.5:
        return 512, 512
    if shape in ("bucket bag", "backpack", "tote", "hobo"):
        return 480, 600
    return 600, 480


def draw(number: int, width: int, height: int) -> Image.Image:
    """Bag `number` as an RGB product photo of `width` × `height` pixels on white, always the same."""
    shape, color, accent, metal, pattern, _ = _choices(number)
    chance = random.Random(f"look {number}")
    bag = Bag()
    SHAPES[shape](bag, Look(chance, COLORS[color], COLORS[accent], _METALS[metal], pattern))
    return render(bag, width, height)
