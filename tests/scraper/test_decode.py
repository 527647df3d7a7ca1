"""Damaged pictures are refused, profiles and orientations are followed, and no picture costs too much."""

import base64
import io
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, features

from scraper.decode import PictureError, decode
from scraper.square import square

QUALITY = {"JPEG": {"quality": 95}, "WEBP": {"quality": 95}, "AVIF": {"quality": 95}}


def encode(image, kind="PNG", **options):
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **QUALITY.get(kind, {}) | options)
    return file.getvalue()


def noise(width=160, height=160):
    """A picture that does not compress, so that damage hits its pixels."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def refused(data, limit=10_000_000):
    """The reason for which a picture is refused."""
    with pytest.raises(PictureError) as error:
        square(data, 64, limit)
    return str(error.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_half_a_picture_is_refused(kind):
    data = encode(noise(), kind)

    assert refused(data[: len(data) // 2]) in ("truncated", "broken", "not a picture")


@pytest.mark.parametrize("place", np.linspace(0.1, 0.99, 12))
def test_a_png_with_damage_anywhere_is_broken(place):
    data = bytearray(encode(noise()))
    data[int(len(data) * place)] ^= 0x55

    assert refused(bytes(data)) == "broken"


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_damage_that_a_decoder_finds_is_not_forgotten(place):
    data = bytearray(encode(noise(), "TIFF", compression="tiff_adobe_deflate"))
    middle = int(len(data) * place)
    data[middle : middle + 400] = bytes(400)

    assert refused(bytes(data)) in ("truncated", "broken")


def test_a_jpeg_whose_data_ends_early_is_broken():
    data = encode(noise(), "JPEG")
    middle = len(data) // 2

    assert refused(data[:middle] + b"\xff\xd9" + data[middle:]) in ("truncated", "broken")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_followed(kind, orientation):
    upright = Image.new("RGB", (120, 80), "white")
    upright.paste((200, 0, 0), (0, 0, 60, 40))
    upright.paste((0, 0, 200), (60, 40, 120, 80))
    upright.paste((0, 0, 0), (0, 40, 60, 80))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose: how the camera lay
    lying = upright.transpose(back[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation

    made = square(encode(lying, kind, exif=exif), 64, 10**6)

    reference = square(encode(upright), 64, 10**6)
    assert (made.width, made.height) == (120, 80)
    assert np.abs(made.pixels.astype(int) - reference.pixels).mean() < 4


def profile(primaries, gamma, gray=False):
    """An ICC profile (ICC.1:2001-04) with these D50 primaries, XYZ each, and this gamma."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78 + 1)
    tags = {b"wtpt": white, b"desc": name, b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    if gray:
        tags[b"kTRC"] = curve
    else:
        for color, xyz in zip("rgb", primaries, strict=True):
            tags[f"{color}XYZ".encode()] = b"XYZ \0\0\0\0" + struct.pack(
                ">3i", *(round(v * 65536) for v in xyz)
            )
            tags[f"{color}TRC".encode()] = curve
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY" if gray else b"RGB ", b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


SRGB = [(0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139)]
ADOBE = [(0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)]
P3 = [(0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841)]


def in_srgb(levels, primaries, gamma):
    """What a color is in sRGB (IEC 61966-2-1), by its own formula."""
    xyz = np.array(primaries).T @ (np.array(levels) / 255) ** gamma
    linear = np.clip(np.linalg.inv(np.array(SRGB).T) @ xyz, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE, 2.2), (P3, 2.2), (SRGB, 1.8)])
def test_profiles_are_converted_to_srgb(kind, primaries, gamma):
    color = (90, 140, 100)
    data = encode(Image.new("RGB", (64, 64), color), kind, icc_profile=profile(primaries, gamma))

    pixels = square(data, 64, 10**6).pixels[32, 32]

    assert np.abs(pixels - in_srgb(color, primaries, gamma)).max() <= 3
    assert np.abs(pixels - np.array(color)).max() > 8


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_gray_profiles_are_converted_too(mode):
    data = encode(Image.new("L", (64, 64), 100).convert(mode), icc_profile=profile((), 1.8, gray=True))

    assert np.abs(square(data, 64, 10**6).pixels[32, 32] - in_srgb([100] * 3, SRGB, 1.8)).max() <= 2


@pytest.mark.parametrize("bad", [b"", b"nonsense", profile(ADOBE, 2.2)[:200], profile((), 1.8, gray=True)])
def test_a_profile_that_is_of_no_use_does_not_cost_the_picture(bad):
    data = encode(Image.new("RGB", (64, 64), (90, 140, 100)), icc_profile=bad)

    assert square(data, 64, 10**6).pixels[32, 32].max() >= 90


HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAAK4AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xy"
    "bmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABgAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAALZt"
    "ZGF0AAAAqigBrxOAdqCmqI///fUr3/uHPP/htZLBVBf8hbJ95ypf+MO8p4P/QuMjqg0/r8O0wibeXiaQcXYo3D5PA1BZoECu0hSs"
    "BqcdtfNKvIhztSQgT26oFKWs1rnBjaOVOIHOtUR1FynOGpJjLQgDmHMd12um3P9WfWkm1r6CSSWOUZpaoImbIl5ETTU1e+bjgsWJ"
    "KAx2+3noObgA/Yv4bVL7ltJj2226+PkDUBHA"
)
"""96 × 64 pixels, red on the left and white on the right."""


def test_heic_is_read():
    made = square(HEIC, 64, 10**6)

    assert (made.suffix, made.width, made.height) == (".heic", 96, 64)
    assert np.abs(made.pixels[32, 10] - np.array([200, 0, 0])).max() < 12
    assert made.pixels[32, 50].min() > 250


def test_damaged_heic_is_refused():
    assert refused(HEIC[:-40]) in ("truncated", "broken", "not a picture")
    assert refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)) in ("broken", "not a picture")


def scans(count):
    """A progressive JPEG of 64 × 64 with this many scans, each of them empty."""
    data = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    end = data.rindex(b"\xff\xd9")
    start = data.rindex(b"\xff\xda")
    return data[:end] + data[start:end] * count + data[end:]


def test_a_jpeg_of_thousands_of_scans_is_not_decoded():
    assert refused(scans(2000)) == "too many scans"


def test_the_more_pixels_the_fewer_scans():
    assert refused(scans(60), limit=4096) == "too many scans"


def test_a_progressive_jpeg_is_decoded():
    assert square(encode(noise(), "JPEG", progressive=True), 64, 10**6).suffix == ".jpg"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animations_are_refused_without_decoding_them(kind):
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(0, 250, 25)]

    assert refused(encode(frames[0], kind, save_all=True, append_images=frames[1:])) == "animated"


@pytest.mark.parametrize("mode", ["I;16", "F", "RGBA", "P", "1"])
def test_a_large_picture_of_any_depth_is_reduced_in_bands(mode):
    levels = np.repeat(np.linspace(0, 255, 1500)[None], 1100, axis=0)
    if mode == "I;16":
        image = Image.fromarray(np.uint16(levels * 257))
    elif mode == "F":
        image = Image.fromarray(np.float32(levels))
    else:
        image = Image.fromarray(np.uint8(levels)).convert("RGB").convert(mode)
    data = encode(image, "TIFF" if mode == "F" else "PNG")

    decoded = decode(data, 192, 10**7)

    assert 192 <= max(decoded.image.size) <= 768
    row = np.asarray(decoded.image)[100, :, 0].astype(float)
    assert np.abs(row - np.linspace(0, 255, len(row))).mean() < (64 if mode == "1" else 3)


def test_a_float_picture_with_holes_is_read():
    levels = np.full((64, 64), 0.5, np.float32)
    levels[3, 3], levels[4, 4] = np.nan, np.inf

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        square(encode(Image.fromarray(levels), "TIFF"), 64, 10**6)


def test_a_sixteen_bit_picture_takes_no_more_memory_than_its_pixels(tmp_path):
    side = 6000
    header = struct.pack(">IIBBBBB", side, side, 16, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(bytes(side * (2 * side + 1)))),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    (tmp_path / "deep.png").write_bytes(data)
    program = (
        "import resource, sys; from scraper.square import square\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); square(open(sys.argv[1], 'rb').read(), 64, 10**8); print(peak() - before)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "deep.png"], capture_output=True, text=True, check=True
    )

    unit = 1024 if sys.platform == "linux" else 1
    assert int(done.stdout) * unit < 3 * 2 * side * side
    assert done.stderr == ""


def test_nothing_that_a_decoder_warns_of_is_printed(tmp_path):
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0" + bytes(10)
    files = {
        "exif.jpg": encode(noise(), "JPEG", exif=exif),
        "palette.png": encode(Image.new("P", (64, 64)), transparency=bytes([0, 128])),
        "cut.tif": encode(noise(), "TIFF")[:-100],
    }
    program = (
        "import sys; from scraper.square import square\n"
        "for path in sys.argv[1:]:\n"
        "    try: square(open(path, 'rb').read(), 64, 10**8)\n"
        "    except Exception as error: print(error)"
    )
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""


def test_the_decoders_are_there():
    assert features.check("avif")
    assert features.check("webp")
    assert features.check("littlecms2")
