"""The bag is found on its plain background and stands in the middle of the white."""

import io

import numpy as np
import pytest
from PIL import Image

from scraper.square import square


def pixels_of(image, kind="PNG", size=64, **options):
    """The square of a picture, as signed numbers."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return square(file.getvalue(), size, 10**8).pixels.astype(int)


def margins(pixels):
    """White rows and columns around what is not white: left, top, right, bottom."""
    bag = (pixels < 240).any(axis=2)
    columns, rows = np.flatnonzero(bag.any(axis=0)), np.flatnonzero(bag.any(axis=1))
    return columns[0], rows[0], len(bag) - 1 - columns[-1], len(bag) - 1 - rows[-1]


@pytest.mark.parametrize("background", [(255, 255, 255), (240, 240, 240), (245, 238, 225), (200, 215, 230)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_bag_in_the_corner_of_a_light_background_is_centered_on_white(background, kind):
    image = Image.new("RGB", (400, 300), background)
    image.paste((90, 30, 30), (20, 150, 140, 270))

    pixels = pixels_of(image, kind)

    left, top, right, bottom = margins(pixels)
    assert abs(left - right) <= 1
    assert abs(top - bottom) <= 1
    assert 1 <= left <= 4
    assert pixels[0].min() >= 250


def test_a_wide_bag_has_even_white_above_and_below():
    image = Image.new("RGB", (300, 300), "white")
    image.paste("navy", (50, 200, 250, 280))

    left, top, right, bottom = margins(pixels_of(image))

    assert (left, right) == (2, 2)
    assert abs(top - bottom) <= 1
    assert top > 15


def test_a_speck_of_dust_is_not_the_bag():
    image = Image.new("RGB", (300, 300), "white")
    image.paste("navy", (100, 100, 200, 200))
    image.putpixel((5, 5), (0, 0, 0))

    assert max(margins(pixels_of(image))) <= 3


@pytest.mark.parametrize("size", [64, 128])
def test_what_is_beside_the_bag_is_dust_at_any_size(size):
    image = Image.new("RGB", (168, 224), "white")
    image.paste("navy", (34, 100, 134, 200))
    image.paste((246, 246, 246), (80, 5, 83, 7))  # a trace that a JPEG left

    assert max(margins(pixels_of(image, size=size))) <= size // 32 + 1


def test_a_photo_without_a_plain_background_is_taken_whole():
    noise = np.random.default_rng(1).integers(0, 255, (100, 200, 3), np.uint8)

    pixels = pixels_of(Image.fromarray(noise))

    assert (pixels[:16] == 255).all()
    assert (pixels[16:48] < 250).any(axis=2).mean() > 0.9


def test_an_empty_picture_stays_empty():
    assert (pixels_of(Image.new("RGB", (300, 200), "white")) == 255).all()


def lanczos(image, size):
    """The reference in float64: Lanczos3, stretched by the scale so that it does not alias."""
    levels = np.asarray(image, np.float64)
    for axis in (0, 1):
        length = levels.shape[axis]
        scale = length / size[axis]
        centers = (np.arange(size[axis]) + 0.5) * scale
        distance = (np.arange(length)[None] + 0.5 - centers[:, None]) / max(scale, 1)
        weights = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
        weights /= weights.sum(axis=1, keepdims=True)
        levels = np.moveaxis(np.tensordot(weights, levels, (1, axis)), 0, axis)
    return np.clip(levels, 0, 255)


@pytest.mark.parametrize("side", [(512, 512), (640, 480), (700, 900)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_downscale_is_within_45_db_of_a_float64_reference(draw, side, kind):
    image = Image.open(io.BytesIO(draw(3, "PNG", side)))
    shade = np.asarray(image, np.float64) * np.linspace(0.7, 1, side[0])[None, :, None]
    shade[:2] = shade[-2:] = 20  # a dark frame, so that the whole picture is taken
    file = io.BytesIO()
    Image.fromarray(np.uint8(shade)).save(file, kind, **({"quality": 95} if kind == "JPEG" else {}))
    decoded = Image.open(file).convert("RGB")
    width, height = (round(length * 64 / max(side)) for length in side)

    pixels = square(file.getvalue(), 64, 10**8).pixels.astype(np.float64)

    top, left = (64 - height) // 2, (64 - width) // 2
    error = pixels[top : top + height, left : left + width] - lanczos(decoded, (height, width))
    assert 10 * np.log10(255**2 / np.mean(error**2)) >= 45
