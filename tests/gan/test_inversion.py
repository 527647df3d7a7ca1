"""From a photo to the dream most like it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gan import inversion
from gan.generator import Generator, Shape, Z, load, save_generator
from gan.inversion import invert
from gan.words import Facet, Vocabulary

VOCABULARY = Vocabulary(
    facets=(
        Facet(name="color", words=("black", "red", "gray"), counts=(60, 30, 30)),
        Facet(name="category", words=("tote", "clutch"), counts=(50, 40)),
    ),
    sets=((0, 0, 40), (1, 1, 30), (2, -1, 30)),
)


def make(folder: Path, vocabulary: Vocabulary | None = None, z: Z = "normal", size: int = 32) -> Generator:
    """An untrained generator whose bags, and words, differ."""
    torch.manual_seed(0)
    shape = Shape(16, z, 16, size, words=len(vocabulary.words) if vocabulary else 0)
    network = shape.network()
    for weights in network.parameters():
        if weights.dim() == 4:
            torch.nn.init.normal_(weights, std=0.3)
    save_generator(folder / "generator.safetensors", network, shape, 1, "", vocabulary)
    return load(folder / "generator.safetensors")


@pytest.fixture(autouse=True)
def few_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "SEEDS", 256)


def error(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square difference, in levels of 255."""
    return float(np.sqrt(np.square(a.astype(float) - b).mean()))


@pytest.mark.parametrize(
    ("vocabulary", "z", "size"),
    [(None, "uniform", 32), (VOCABULARY, "normal", 64)],
)
def test_a_dream_is_found_nearly_again(
    tmp_path: Path, vocabulary: Vocabulary | None, z: Z, size: int
) -> None:
    generator = make(tmp_path, vocabulary, z, size)
    said = ("red", "clutch") if vocabulary else ()
    (picture,) = generator.draw(generator.latents([1000], said))  # beyond those that the search begins with
    again = invert(generator, picture)
    assert torch.equal(again, invert(generator, picture))
    assert generator.words(again) == said
    nearest = min(error(picture, other) for other in generator.draw(generator.latents(range(256))))
    assert error(picture, generator.draw(again[None])[0]) < 0.7 * nearest


def test_given_words_are_kept(tmp_path: Path) -> None:
    generator = make(tmp_path, VOCABULARY)
    (picture,) = generator.draw(generator.latents([3], ("red", "clutch")))
    assert generator.words(invert(generator, picture, ("gray",)))[0] == "gray"


@pytest.mark.parametrize("z", ["normal", "uniform"])
def test_whatever_the_photo_the_latent_stays_where_latents_are(tmp_path: Path, z: Z) -> None:
    generator = make(tmp_path, VOCABULARY, z)
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    photo.setflags(write=False)
    latent = invert(generator, photo)
    numbers, words = latent[:16], latent[16:]
    if z == "uniform":
        assert float(numbers.abs().max()) <= 1
    else:
        assert 0.5 < float(numbers.norm()) / 16**0.5 < 1.6
    assert set(words.tolist()) == {0.0, 1.0}
    assert len(generator.words(latent)) == 2
    assert not latent.requires_grad
