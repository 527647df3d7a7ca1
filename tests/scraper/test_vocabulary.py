"""The dataset says which words can steer a dream, and which of them each picture has."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gan import words as reader
from scraper.vocabulary import Words, houses, slug


@pytest.fixture
def bags(project, tmp_path):
    """`bags(rows)`: imports a bag for each row of tags."""
    project.configure("image_size = 32\ntwins = true\n")

    def bags(rows):
        folder = tmp_path / "bags"
        folder.mkdir()
        lines = ["file,title,brand,category,color,material"]
        for number, row in enumerate(rows):
            image = Image.new("RGB", (60, 60), "white")
            ImageDraw.Draw(image).rectangle((10, 20, 50, 50 - number % 7), (200, number % 100, 40))
            image.putpixel((30, 30), (number // 256, number % 256, 0))
            image.save(folder / f"{number:03}.png", compress_level=1)
            lines.append(f"{number:03}.png,,{row}")
        (folder / "tags.csv").write_text("\n".join(lines))
        project.run("import", folder)
        return folder

    return bags


def vocabulary(project):
    """words.json as the networks' side reads it."""
    about = json.loads((project.path / "dataset" / "words.json").read_text("utf-8"))
    assert about.pop("version") == 1
    return reader.Vocabulary.model_validate_json(json.dumps(about))


def rows(project):
    """For each file its words, read from words.npy."""
    table = np.load(project.path / "dataset" / "words.npy")
    facets = vocabulary(project).facets
    assert table.dtype == np.int16
    assert table.shape == (len(project.images()), len(facets))
    return {
        item["image"].rpartition("/")[2]: tuple(
            facet.words[number] for facet, number in zip(facets, numbers, strict=True) if number >= 0
        )
        for item, numbers in zip(project.items(), table.tolist(), strict=True)
    }


def test_words_stand_beside_their_pictures_whatever_is_left_out(project, bags):
    folder = bags(
        ["Mod'acc,Rucksacks,grey,"] * 31 + ["Mod-acc,Handbags,Red,"] * 31 + ["Gucci,Clutches,,"] * 4
    )
    project.run("forget", "--url", f"file://{folder}/003.png")
    lost = next((project.path / "shop" / "originals").glob("*/*"))
    next((project.path / "shop").glob("squares-*")).write_bytes(b"")
    lost.unlink()

    built = project.run("build", "--json").event("built")

    known = vocabulary(project)
    assert built["vocabulary"] == {"color": 2, "category": 2}
    assert [facet.name for facet in known.facets] == ["color", "category"]
    assert set(known.words) == {"red", "gray", "handbag", "backpack"}
    assert [sum(facet.counts) for facet in known.facets] == [
        sum(facet.words[0] in said or facet.words[1] in said for said in rows(project).values())
        for facet in known.facets
    ]
    for name, said in rows(project).items():
        wanted = [("gray", "backpack"), ("red", "handbag"), ()][int(name[:3]) // 31]
        assert said == wanted, name  # the last were measured as red, and have no tag
    assert len(rows(project)) == 64
    thumbs = np.load(project.path / "dataset" / "thumbnails.npy")
    means = np.stack(project.images()).reshape(64, 4, 8, 4, 8, 3).mean((2, 4))
    assert np.abs(thumbs - means).max() <= 1
    assert known.said("a grey knapsack, please").words == ("gray", "backpack")
    assert known.said("rouge purse").words == ("red", "handbag")
    assert known.said("red bag").words == ("red",)


def test_a_measured_color_is_no_word(project, bags):
    bags([",Clutches,,"] * 32 + [",Totes,,"] * 32)

    project.run("build")

    assert [facet.name for facet in vocabulary(project).facets] == ["category"]
    assert all(item["color"] and item["color_measured"] for item in project.items())


def test_a_dataset_without_words_has_no_files_of_them(project, bags):
    bags(["Gucci,Clutches,Red,"] * 32)

    project.run("build")

    assert sorted(path.name for path in (project.path / "dataset").iterdir()) == [
        "images.npy",
        "items.jsonl",
        "manifest.json",
        "thumbnails.npy",
    ]


def written(folder, *groups):
    """The vocabulary of pictures with these (count, tags), or None."""
    words = Words()
    for count, tags in groups:
        for _ in range(count):
            words.add({"color": "", "category": "", "brand": "", "material": ""} | tags)
    words.write(folder)
    path = folder / "words.json"
    if not path.exists():
        return None
    about = json.loads(path.read_text("utf-8"))
    del about["version"]
    return reader.Vocabulary.model_validate_json(json.dumps(about))


def test_any_kind_of_thing_has_its_own_words(tmp_path):
    known = written(
        tmp_path,
        (40, {"category": "ankle boot", "material": "leather", "color": "mahogany"}),
        (50, {"category": "sandal", "material": "cork", "color": "gray"}),
    )

    assert known.words == ("gray", "mahogany", "sandal", "ankle boot", "cork", "leather")
    assert known.said("mahogany ankle boots of calfskin").words == ("mahogany", "ankle boot", "leather")


def test_a_word_needs_30_pictures_and_a_facet_two_words_on_30_percent(tmp_path):
    few = (30, {"color": "red", "category": "tote", "brand": "Nike"})
    groups = (few, (30, {"color": "blue", "brand": "Puma"}), (29, {"color": "green", "category": "clutch"}))

    assert written(tmp_path, *groups).words == ("blue", "red", "Nike", "Puma")
    assert written(tmp_path, *groups, (111, {})).words == ("blue", "red", "Nike", "Puma")
    (tmp_path / "words.json").unlink()
    assert written(tmp_path, *groups, (112, {})) is None


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"category": "gold"}, ("gold", "red")),  # a color goes before a category of the same name
        ({"category": "無印"}, ("gold", "red")),  # nobody could type it
        ({"category": "1017"}, ("gold", "red")),  # a number is a seed
        (
            {"category": "for carrying everything everywhere"},
            ("gold", "red", "for carrying everything", "tote"),
        ),
    ],
)
def test_a_word_can_be_typed_and_is_no_other(tmp_path, tags, words):
    found = written(tmp_path, (40, {"color": "gold"} | tags), (35, {"color": "red", "category": "tote"}))

    assert found.words == words


def test_a_long_brand_goes_by_its_short_name(tmp_path):
    groups = (40, {"brand": "United Colors of Benetton"}), (35, {"brand": "U.S. Polo Assn."})
    found = written(tmp_path, *groups, (31, {"brand": "Dolce & Gabbana"}))

    assert found.words == ("Benetton", "U.S. Polo Assn.", "Dolce & Gabbana")
    for text in (
        "united colors of benetton",
        "benetton",
        "US Polo Assn",
        "dolce and gabbana",
        "Dolce Gabbana",
    ):
        assert len(found.said(text).words) == 1
        assert not found.said(text).unknown


def test_the_lines_of_a_brand_are_its_own():
    counts = {"Adidas": 50, "Adidas Originals": 40, "ADIDAS C365 Dark Navy Black": 1, "See by Chloé": 2,
              "Polo Ralph Lauren": 9, "Kate Spade": 31, "Kate": 80, "Kate Landry": 31, "Kate Home": 3,
              "Mod'acc": 42, "Mod-acc": 16, "無印": 99, "": 12}  # fmt: skip

    assert houses(counts) == {
        "Adidas": "Adidas",
        "Adidas Originals": "Adidas",
        "ADIDAS C365 Dark Navy Black": "Adidas",
        "See by Chloé": "Chloé",
        "Polo Ralph Lauren": "Ralph Lauren",
        "Kate Spade": "Kate Spade",
        "Kate": "Kate",
        "Kate Landry": "Kate Landry",
        "Kate Home": "Kate",
        "Mod'acc": "Mod'acc",
        "Mod-acc": "Mod'acc",
    }


@pytest.mark.parametrize(
    "text", ["Hermès", "Mod'acc", "U.S. Polo Assn.", "Straße & Søn", "  laptop  bag ", "無"]
)
def test_a_name_is_written_as_the_generators_read_it(text):
    assert slug(text) == reader.slug(text)
