"""Light bags on light grounds: only the ground becomes white, and the bag keeps its levels."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scraper.colors import name_color
from scraper.square import square

HEIGHT, WIDTH = 200, 240
Y, X = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j][..., None]
GROUNDS = {
    "white": (255, 255, 255),
    "light gray": (242, 242, 242),
    "gray": (200, 200, 200),
    "dark gray": (168, 168, 168),
    "beige": (232, 220, 203),
    "blue": (208, 222, 238),
    "gradient": 228 - 17 * Y,
    "slanting gradient": 222 + 22 * X - 10 * Y,
    "tinted gradient": np.array([230, 220, 205]) + 12 * Y,
    "vignette": 246 - 22 * (X * X + Y * Y),
    "steep vignette": 250 - 12 * (X * X + Y * Y) ** 2,
    "horizon": 235 - 25 / (1 + np.exp(-8 * (Y - 0.4))),
    "grain": 220 + np.random.default_rng(0).normal(0, 3, (HEIGHT, WIDTH, 1)),
}
BAGS = {"white": (250, 249, 246), "gray": (120, 120, 120), "red": (180, 30, 40), "black": (30, 30, 32)}


def on(ground, bag, handle=(90, 60, 40), width=8):
    """A bag with a handle on a ground, as RGB uint8 [200, 240, 3], drawn with soft edges."""
    cover = {}
    for part in ("body", "handle"):
        mask = Image.new("L", (4 * WIDTH, 4 * HEIGHT))
        pen = ImageDraw.Draw(mask)
        if part == "body":
            pen.rounded_rectangle((240, 400, 720, 720), 40, fill=255)
        else:
            pen.arc((320, 160, 640, 680), 180, 360, fill=255, width=4 * width)
        cover[part] = np.asarray(mask.resize((WIDTH, HEIGHT), Image.Resampling.BOX), float)[..., None] / 255
    levels = np.broadcast_to(np.asarray(ground, float), (HEIGHT, WIDTH, 3))
    for part, color in (("handle", handle), ("body", bag)):
        levels = levels + cover[part] * (np.array(color) - levels)
    return np.uint8(np.clip(levels + 0.5, 0, 255))


def squared(pixels, kind="PNG"):
    """The square of a picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **({"quality": 92} if kind == "JPEG" else {}))
    return square(file.getvalue(), 64, 10**7)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("name", GROUNDS)
def test_a_bag_looks_the_same_on_every_ground(name, kind):
    for color, bag in BAGS.items():
        if (name, color) in (("light gray", "white"), ("steep vignette", "white")):
            continue  # it has its ground's levels
        made = squared(on(GROUNDS[name], bag), kind)
        reference = squared(on((255, 255, 255), bag)).pixels.astype(int)
        body, outside = made.pixels[38:52, 14:50].astype(int), reference.min(axis=2) == 255

        assert np.abs(np.median(body, axis=(0, 1)) - bag).max() <= 3, color
        assert np.abs(body - bag).max() <= 12, color  # JPEG is not exact
        if color != "white":
            assert made.pixels[outside].mean() > 243, color
        if name != "white":
            assert name_color(made.pixels, made.bag).name == color


def test_a_pale_thin_handle_is_kept():
    pixels = on((255, 255, 255), (40, 40, 40), handle=(244, 244, 244), width=2)

    made = squared(pixels)

    assert made.pixels[2:20].min() < 252
    assert np.flatnonzero((made.pixels < 100).all(axis=2).any(axis=1))[0] > 20  # the body is not at the top


def test_the_ground_within_a_handle_becomes_white():
    made = squared(on((200, 200, 200), (180, 30, 40)))

    assert made.pixels[16:22, 30:34].min() >= 250


def test_a_picture_that_is_not_cut_out_names_no_color():
    stripes = np.where(np.arange(240)[None, :, None] // 20 % 2, 90, 230) * np.ones((200, 1, 3))

    made = squared(np.uint8(stripes))

    assert name_color(made.pixels, made.bag) is None
    assert not made.bag.any()


def test_the_color_of_a_ground_is_not_the_color_of_its_bag(project, tmp_path):
    (tmp_path / "bags").mkdir()
    for name, ground in (("cut", GROUNDS["gradient"]), ("whole", 120 + 100 * Y)):
        Image.fromarray(on(ground, (180, 30, 40))).save(tmp_path / "bags" / f"{name}.png")

    project.run("import", tmp_path / "bags")
    project.run("build")

    assert {item["image"].rpartition("/")[2]: item["color"] for item in project.items()} == {
        "cut.png": "red",
        "whole.png": "",
    }
