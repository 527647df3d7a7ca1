"""A bag's color is named by its pixels, with the words that shops use."""

import subprocess
import sys

import numpy as np
import pytest

from scraper.colors import Color, name_color
from scraper.tags import COLORS

BLANK = np.full((64, 64, 3), 255, np.uint8)


def bag(rgb):
    """A bag in one color, on white."""
    pixels = BLANK.copy()
    pixels[20:50, 10:54] = rgb
    return pixels


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((20, 20, 22), "black"),
        ((200, 30, 40), "red"),
        ((104, 24, 42), "red"),  # burgundy
        ((120, 72, 40), "brown"),
        ((214, 194, 160), "beige"),
        ((30, 60, 160), "blue"),
        ((30, 40, 80), "blue"),  # navy
        ((40, 128, 132), "blue"),  # teal
        ((132, 182, 222), "blue"),  # sky
        ((40, 130, 60), "green"),
        ((112, 114, 58), "green"),  # olive
        ((235, 200, 40), "yellow"),
        ((240, 130, 30), "orange"),
        ((120, 50, 160), "purple"),
        ((235, 110, 180), "pink"),
        ((198, 52, 128), "pink"),  # magenta
        ((130, 130, 132), "gray"),
        ((228, 226, 222), "white"),
        ((96, 74, 52), "brown"),  # too dull to be vivid
        ((60, 40, 30), "brown"),
        ((130, 95, 50), "brown"),  # old gold
        ((150, 135, 115), "beige"),
        ((90, 40, 90), "purple"),
        ((40, 58, 44), "green"),
        ((26, 32, 58), "blue"),
    ],
)
def test_a_color_has_a_word_that_shops_use_and_its_rgb(rgb, name):
    red, green, blue = rgb

    assert name_color(bag(rgb)) == Color(name, red << 16 | green << 8 | blue)
    assert name in COLORS


def test_the_larger_part_of_a_bag_names_it():
    pixels = bag((190, 40, 40))
    pixels[20:28, 10:54] = (30, 40, 84)

    assert name_color(pixels) == Color("red", 0xBE2828)


def test_a_gray_bag_with_a_little_red_is_gray():
    pixels = bag((128, 128, 130))
    pixels[20:28, 10:54] = (190, 40, 40)

    assert name_color(pixels) == Color("gray", 0x808082)


def test_a_blank_square_has_no_color():
    assert name_color(BLANK) is None


def test_a_speck_is_no_bag():
    pixels = BLANK.copy()
    pixels[30:38, 30:38] = (200, 30, 40)

    assert name_color(pixels) is None


def test_naming_a_color_loads_numpy_alone():
    """The bot's drawing process imports it, and must start quickly."""
    heavy = "{'aiohttp', 'bs4', 'PIL', 'pydantic'} & set(sys.modules)"
    program = f"import sys, scraper.colors; print({heavy})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
