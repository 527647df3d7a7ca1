"""Pictures that look the same are one in the dataset; a bag in another color is another bag."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scraper.twins import LOOK, twins


def photo(number, color, side=400):
    """A bag with some texture, so that it can be told from others."""
    texture = np.random.default_rng(number).integers(0, 60, (12, 12, 1)).repeat(3, axis=2)
    cloth = Image.fromarray(np.uint8(np.clip(np.array(color) + texture - 30, 0, 255))).resize((side, side))
    image = Image.new("RGB", (side, side), "white")
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).rounded_rectangle((side * 0.2, side * 0.3, side * 0.8, side * 0.9), 30, fill=255)
    image.paste(cloth, mask=mask)
    return image


def save(image, path, **options):
    """Writes a picture to a file."""
    image.save(path, **options)


def test_the_same_photo_in_another_size_and_quality_is_one_picture_the_larger_one(project, tmp_path):
    folder = tmp_path / "bags"
    folder.mkdir()
    for number in range(6):
        save(photo(number, (150, 60, 60)), folder / f"{number}.png")
    save(photo(2, (150, 60, 60)).resize((300, 300)), folder / "again.jpg", quality=80)

    project.run("import", folder)
    out = project.run("build").out

    assert len(project.items()) == 6
    assert "again.jpg" not in str(project.items())
    assert "near-duplicates left out: 1" in out


def test_a_color_variant_is_no_duplicate(project, tmp_path):
    folder = tmp_path / "bags"
    folder.mkdir()
    for name, color in (("red", (160, 60, 60)), ("blue", (60, 60, 160)), ("green", (60, 130, 60))):
        save(photo(1, color), folder / f"{name}.png")

    project.run("import", folder)
    project.run("build")

    assert len(project.items()) == 3


def test_a_strap_in_another_color_is_no_duplicate(project, tmp_path):
    folder = tmp_path / "bags"
    folder.mkdir()
    for name, color in (("tan", (190, 120, 70)), ("coral", (225, 95, 85))):
        bag = photo(1, (225, 95, 85))
        bag.paste(color, (140, 150, 164, 290))
        save(bag, folder / f"{name}.png")

    project.run("import", folder)
    project.run("build")

    assert len(project.items()) == 2


def lock(image, color):
    """A metal lock, as large as locks are."""
    ImageDraw.Draw(image).rectangle((188, 200, 204, 218), fill=color)


def quilt(image, color):
    """A quilted front."""
    pen = ImageDraw.Draw(image)
    for edge in range(-160, 240, 30):
        for line in ((80 + edge, 120, 320 + edge, 360), (320 - edge, 120, 80 - edge, 360)):
            pen.line(line, fill=color, width=2)
    image.paste("white", (0, 0, 80, 400))
    image.paste("white", (320, 0, 400, 400))


@pytest.mark.parametrize(
    ("draw", "one", "other"),
    [(lock, (222, 178, 92), (190, 194, 202)), (quilt, (150, 60, 60), (130, 52, 52))],
    ids=["lock", "quilting"],
)
def test_a_bag_with_another_detail_is_no_duplicate(project, tmp_path, draw, one, other):
    folder = tmp_path / "bags"
    folder.mkdir()
    for name, color in (("one", one), ("other", other)):
        bag = Image.new("RGB", (400, 400), "white")
        ImageDraw.Draw(bag).rounded_rectangle((80, 120, 320, 360), 30, fill=(150, 60, 60))
        draw(bag, color)
        save(bag, folder / f"{name}.png")

    project.run("import", folder)
    project.run("build")

    assert len(project.items()) == 2


@pytest.mark.parametrize("side", [321, 250, 203])
def test_the_same_photo_is_recognized_in_any_size(project, tmp_path, side):
    folder = tmp_path / "bags"
    folder.mkdir()
    for number in range(4):
        save(photo(number, (150, 125, 105)), folder / f"{number}.png")
        smaller = photo(number, (150, 125, 105)).resize((side, side), Image.Resampling.LANCZOS)
        save(smaller, folder / f"{number}-again.jpg", quality=85)

    project.run("import", folder)
    project.run("build")

    assert len(project.items()) == 4


def test_few_of_many_random_looks_are_twins():
    looks = np.random.default_rng(0).integers(0, 255, (20_000, LOOK), np.uint8)
    looks[7] = looks[3]

    assert np.flatnonzero(twins(looks)).tolist() == [7]


def test_no_pictures_have_no_twins():
    assert twins(np.zeros((0, LOOK), np.uint8)).tolist() == []


def test_a_picture_without_pixels_of_its_own_is_no_error(project, tmp_path):
    folder = tmp_path / "bags"
    folder.mkdir()
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(file, "PNG")
    (folder / "empty.png").write_bytes(file.getvalue())

    assert project.run("import", folder, "--json").event("shop")["new"] == 1
