"""Words and codes on the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.generator import Generator, Shape, load, save_generator
from gan.words import Facet, Vocabulary
from tests.gan.project import Project

VOCABULARY = Vocabulary(
    facets=(
        Facet(name="color", words=("black", "red"), counts=(60, 30)),
        Facet(name="category", words=("tote", "laptop bag"), counts=(50, 30)),
    ),
    aliases={"crimson": "red"},
    sets=((0, 0, 40), (1, 1, 30), (0, -1, 20)),
)


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose run has a generator with words; not to be changed."""
    project = Project(tmp_path_factory.mktemp("talking"))
    folder = project.runs / "talking"
    folder.mkdir(parents=True)
    shape = Shape(16, "normal", 8, 32, words=4)
    torch.manual_seed(0)
    save_generator(folder / "generator.safetensors", shape.network(), shape, 1, "", VOCABULARY)
    return project


@pytest.fixture(scope="module")
def generator(talking) -> Generator:
    return load(talking.runs / "talking/generator.safetensors")


def drawn(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture)


def test_dream_says_words_and_names_the_file_after_them(talking, generator: Generator) -> None:
    arguments = ["--seed", "42", "--words", "a Laptop Bag, crimson", "--scale", "1", "--run", "talking"]
    done = talking.gan("dream", *arguments)
    assert done.stdout.strip() == f"out/{generator.version}-42-red-laptop-bag.png", done.stderr
    right = generator.draw(generator.latents([42], ["red", "laptop bag"]))[0]
    assert np.array_equal(drawn(talking.folder / done.stdout.strip()), right)

    plain = talking.gan("dream", "--seed", "42", "--scale", "1", "--run", "talking").stdout.strip()
    assert plain == f"out/{generator.version}-42.png"
    assert np.array_equal(drawn(talking.folder / plain), generator.draw(generator.latents([42]))[0])


def test_codes_with_words_are_bred_and_interpolated(talking, generator: Generator) -> None:
    full = f"{generator.version}-3-tote-red"
    done = talking.gan("breed", full, "3-black", "--count", "1", "--scale", "1", "--run", "talking")
    assert done.stdout.strip() == f"out/{generator.version}-3-red-totex3-black.png", done.stderr
    parents = torch.cat([generator.latents([3], words) for words in (["red", "tote"], ["black"])])
    row = drawn(talking.folder / done.stdout.strip())
    for at, right in enumerate(generator.draw(parents)):
        assert np.array_equal(row[2:34, 2 + at * 34 : 34 + at * 34], right)

    done = talking.gan("interpolate", "3-red", "3-black", "--frames", "3", "--run", "talking")
    assert done.stdout.strip() == f"out/{generator.version}-3-red-3-black.gif", done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["dream", "--words", "mauve tote"], "'mauve' is none of this generator's words: black, red, tote"),
        (["dream", "--words", "red black"], "both a color"),
        (["breed", "1-mauve", "2"], "'mauve' is none"),
        (["breed", "zzzzzz-1", "2"], "of another generator"),
        (["interpolate", "1-red-", "red"], "'red' is neither a number nor a code"),
        (["interpolate", "1", "4294967296-red"], "out of range"),
    ],
)
def test_what_can_not_be_drawn_is_one_line(talking, arguments: list[str], reason: str) -> None:
    assert reason in talking.refused(*arguments, "--run", "talking")


def test_generator_without_words_says_so(trained) -> None:
    assert "knows no words" in trained.refused("dream", "--words", "red")
    assert "knows no words" in trained.refused("breed", "1-red", "2")
