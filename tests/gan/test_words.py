"""Words: what a text says, what a seed adds, and what a generator makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from gan.generator import Generator, GeneratorError, Shape, load, save_generator
from gan.interpolate import between
from gan.words import Facet, Vocabulary, WordError

VOCABULARY = Vocabulary(
    facets=(
        Facet(name="color", words=("black", "red", "gray"), counts=(60, 30, 30)),
        Facet(name="category", words=("tote", "clutch", "laptop bag"), counts=(50, 40, 30)),
    ),
    aliases={"grey": "gray", "shopper": "tote", "laptop": "laptop bag", "evening bag": "clutch"},
    sets=((0, 0, 40), (1, 1, 30), (2, -1, 30), (-1, 2, 20)),
)


@pytest.fixture
def generator(tmp_path: Path) -> Generator:
    shape = Shape(16, "normal", 8, 32, words=6)
    torch.manual_seed(0)
    save_generator(tmp_path / "generator.safetensors", shape.network(), shape, 1, "", VOCABULARY)
    return load(tmp_path / "generator.safetensors")


@pytest.mark.parametrize(
    ("text", "words", "unknown"),
    [
        ("red tote", ("red", "tote"), ()),
        ("TOTES, red!", ("red", "tote"), ()),
        ("a small red tote please", ("red", "tote"), ()),
        ("grey laptop-bags", ("gray", "laptop bag"), ()),
        ("an evening bag", ("clutch",), ()),
        ("clutches", ("clutch",), ()),
        ("a bag", (), ()),
        ("red red", ("red",), ()),
        ("rde tote", ("tote",), ("rde",)),
        ("", (), ()),
        ("\N{HANDBAG} réd", ("red",), ()),
    ],
)
def test_a_text_is_understood(text: str, words: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    said = VOCABULARY.said(text)
    assert (said.words, said.unknown) == (words, unknown)


def test_two_words_of_a_facet_are_refused() -> None:
    with pytest.raises(WordError, match="black and red are both a color"):
        VOCABULARY.said("a red and black bag")


def test_the_nearest_word_is_found() -> None:
    assert [VOCABULARY.nearest(text) for text in ("rde", "cluch", "laptp", "xyzzy")] == [
        "red",
        "clutch",
        "laptop bag",
        None,
    ]


def test_words_in_a_code_are_read_back() -> None:
    assert VOCABULARY.in_code(["laptop bag", "red"]) == "red-laptop-bag"
    assert VOCABULARY.of_code("red-laptop-bag") == ("red", "laptop bag")
    with pytest.raises(WordError):
        VOCABULARY.of_code("mauve-tote")


def test_seeds_have_words_as_the_pictures_do_and_keep_them() -> None:
    own = [VOCABULARY.own(seed) for seed in range(1200)]
    for words, share in ((("black", "tote"), 40), (("red", "clutch"), 30), (("gray",), 30)):
        assert own.count(words) / 1200 == pytest.approx(share / 120, abs=0.05)
    # For ever: codes without words draw these.
    assert own[:4] == [("red", "clutch"), ("red", "clutch"), ("black", "tote"), ("black", "tote")]
    assert own[5] == ("laptop bag",)
    assert VOCABULARY.filled(0, ["clutch"]) == VOCABULARY.ordered(
        ["clutch", *(word for word in own[0] if word in ("black", "red", "gray"))]
    )


def test_a_generator_draws_what_it_is_told(generator: Generator) -> None:
    red, black = (generator.latents([5], [word])[0] for word in ("red", "black"))
    assert torch.equal(red[:16], black[:16])
    assert generator.words(red)[0] == "red"
    assert generator.words(black)[1:] == generator.words(red)[1:]
    pictures = generator.draw(torch.stack([red, black]))
    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(generator.draw(red[None])[0], pictures[0])
    with pytest.raises(WordError, match="mauve"):
        generator.latents([5], ["mauve"])


def test_a_child_has_each_word_whole_from_one_parent(generator: Generator) -> None:
    a, b = generator.latents([1], ["red", "tote"])[0], generator.latents([2], ["black", "clutch"])[0]
    children = generator.children(a, b, range(40))
    words = {generator.words(child) for child in children}
    assert words == {("red", "tote"), ("red", "clutch"), ("black", "tote"), ("black", "clutch")}
    assert set(children[:, 16:].unique().tolist()) == {0.0, 1.0}


def test_words_are_mixed_between_bags(generator: Generator) -> None:
    a, b = generator.latents([1], ["red"])[0], generator.latents([1], ["black"])[0]
    middle = between(a, b, 0.25, generator.z_size)
    assert torch.equal(middle[:16], a[:16])
    assert middle[16:18].tolist() == [0.25, 0.75]
    assert generator.words(middle)[0] == "red"


def test_a_header_whose_vocabulary_does_not_fit_is_refused(tmp_path: Path) -> None:
    shape = Shape(16, "normal", 8, 32, words=5)
    save_generator(tmp_path / "wrong.safetensors", shape.network(), shape, 1, "", VOCABULARY)
    with pytest.raises(GeneratorError, match="vocabulary"):
        load(tmp_path / "wrong.safetensors")


@pytest.mark.parametrize(
    "changed",
    [
        {"sets": [[0, 0]]},
        {"sets": [[3, 0, 1]]},
        {"sets": [[0, 0, 0]]},
        {"aliases": {"grey": "grau"}},
        {"facets": [{"name": "color", "words": ["red", "Red"], "counts": [1, 1]}]},
        {"facets": [{"name": "color", "words": ["red"], "counts": []}]},
    ],
)
def test_a_vocabulary_that_contradicts_itself_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Vocabulary.model_validate(VOCABULARY.model_dump() | changed, strict=False)


def test_some_facets_make_a_vocabulary_of_their_own() -> None:
    colors = VOCABULARY.only(["color", "material"])
    assert colors is not None
    assert colors.words == ("black", "red", "gray")
    assert colors.aliases == {"grey": "gray"}
    assert colors.sets == ((0, 40), (1, 30), (2, 30))
    assert VOCABULARY.only([]) == VOCABULARY
    assert VOCABULARY.only(["material"]) is None
