"""Pictures of every kind become squares on white, or are refused for a named reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from scraper.decode import PictureError
from scraper.square import square


def encode(image, kind="PNG", **options):
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def squared(data, size=64):
    """The square's pixels as signed numbers, so that differences can be taken."""
    return square(data, size, 10_000_000).pixels.astype(int)


def test_a_wide_picture_gets_even_white_margins_above_and_below():
    pixels = squared(encode(Image.new("RGB", (200, 100), (10, 20, 30))))

    assert pixels.shape == (64, 64, 3)
    assert (pixels[:16] == 255).all()
    assert (pixels[48:] == 255).all()
    assert (pixels[16:48] == (10, 20, 30)).all()


def test_a_tall_picture_gets_even_white_margins_left_and_right():
    pixels = squared(encode(Image.new("RGB", (100, 200), "black")))

    assert (pixels[:, :16] == 255).all()
    assert (pixels[:, 48:] == 255).all()
    assert (pixels[:, 16:48] == 0).all()


def test_a_small_picture_is_scaled_up():
    assert (squared(encode(Image.new("RGB", (20, 20), "black"))) == 0).all()


def test_transparent_becomes_white():
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 50, 100, 100))

    pixels = squared(encode(image))

    assert (pixels[:28] == 255).all()
    assert (pixels[36:] == (200, 0, 0)).all()


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_transparency_of_palettes_and_gray_becomes_white_too(mode):
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((90, 90, 90, 255), (0, 32, 64, 64))

    pixels = squared(encode(image.convert(mode)))

    assert (pixels[:28] == 255).all()
    assert abs(pixels[36:] - 90).max() < 8


def test_a_picture_that_lies_on_its_side_is_turned():
    image = Image.new("RGB", (100, 50), "white")
    image.paste("black", (0, 0, 50, 50))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the left is the top

    result = square(encode(image, "JPEG", exif=exif, quality=95), 64, 10_000_000)
    pixels = result.pixels.astype(int)

    assert (result.width, result.height) == (50, 100)
    assert pixels[4:28, 20:44].max() < 40
    assert pixels[36:60, 20:44].min() > 215


def test_sixteen_bits_become_eight():
    levels = np.full((64, 64), 0x8000, np.uint16)

    assert abs(squared(encode(Image.fromarray(levels))) - 128).max() <= 1


def test_cmyk_becomes_rgb():
    pixels = squared(encode(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", quality=95))

    assert abs(pixels - (255, 0, 0)).max() < 12


def test_gray_becomes_rgb():
    assert (squared(encode(Image.new("L", (64, 64), 77))) == 77).all()


def test_type_is_known_by_content():
    assert square(encode(Image.new("RGB", (64, 64)), "WEBP"), 64, 10_000).suffix == ".webp"


def refused(data, limit=10_000_000):
    """The reason for which a picture is refused."""
    with pytest.raises(PictureError) as error:
        square(data, 64, limit)
    return str(error.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_refused(kind):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8))

    assert refused(encode(noise, kind)[:-800]) in ("truncated", "broken", "not a picture")


def test_a_page_in_the_place_of_a_picture_is_refused():
    assert refused(b"<!doctype html><title>Not found</title>") == "not a picture"


def test_nothing_is_refused():
    assert refused(b"") == "not a picture"


def test_an_animation_is_refused():
    frames = [Image.new("RGB", (64, 64), shade) for shade in ("red", "blue")]

    assert refused(encode(frames[0], "GIF", save_all=True, append_images=frames[1:])) == "animated"


def test_a_pixel_bomb_is_refused_by_its_header():
    data = bytearray(encode(Image.new("1", (64, 64))))
    data[16:24] = struct.pack(">II", 20_000, 20_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))

    assert refused(bytes(data), limit=50_000_000) == "too many pixels"


def test_a_line_and_a_dot_are_no_bags():
    assert refused(encode(Image.new("RGB", (1000, 50)))) == "too slim"
    assert refused(encode(Image.new("RGB", (8, 8)))) == "too small"
