"""Measure how well words steer the dreams of a generator.

    python -m benchmarks.words DATASET [--generator FILE] [--seconds 600] [--quick] [--json] [--sheet PNG]

Without --generator, one is trained first, with the preset `dream` and for that many CPU seconds. Probes
fitted on real pictures tell a picture's color (by statistics of its CIELAB levels) and category (by the
features that KID uses). Each word is said alone, with what the seeds add to it; its fidelity is the share of
dreams in which the probe finds it. The probes' own accuracy on real pictures that they were not fitted on is
given beside it. All means are over words, so that rare ones count as much as common ones.

- `color_ratio`, `category_ratio`: the mean fidelity, divided by the mean accuracy of the probe.
- `shape_kept`: how far the silhouettes (not white) of a seed in two colors overlap, as intersection over
  union; `shape_others`: those of two seeds in the same two colors.
- `variety`: how much the dreams of one color differ: the standard deviation of a pixel from bag to bag,
  averaged over pixels, of 255; `variety_real` for real pictures.
- `kid_x1000`, `fid`, `precision`, `recall`: dreams with words as the data have them, against all real ones.
"""

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

# When this runs as a file, its own folder comes first.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.quality import real_features, recipes, train
from gan import device
from gan.adversaries import shape_of
from gan.data import Dataset, open_dataset
from gan.errors import UserError, one_line
from gan.generator import Generator, load, save_generator
from gan.grid import GUTTER, grid
from gan.quality import Features, extractor, measure
from gan.words import UNKNOWN, Facet, Vocabulary

Pictures = NDArray[np.uint8]
"""RGB pictures uint8 [n, S, S, 3]."""

WHITE = 240
"""Level of the darkest channel from which a pixel is ground."""


def levels(pictures: Pictures) -> NDArray[np.float64]:
    """Statistics of the CIELAB levels of the bags, float [n, 33]: what tells a color."""
    return np.stack([_levels(picture) for picture in pictures])


def _levels(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    lab = np.asarray(Image.fromarray(picture).convert("LAB")).reshape(-1, 3).astype(float)
    lab[:, 1:] = (lab[:, 1:] + 128) % 256 - 128  # Pillow keeps a and b as signed bytes
    bag = lab[picture.reshape(-1, 3).min(axis=1) < WHITE]
    if len(bag) < 16:
        bag = lab
    chroma = np.hypot(bag[:, 1], bag[:, 2])
    hues = np.arctan2(bag[:, 2], bag[:, 1])
    # Hues weighted by chroma: those of gray pixels mean nothing.
    around = np.histogram(hues, 12, (-np.pi, np.pi), weights=chroma)[0] / len(bag)
    quartiles = np.percentile(bag, (10, 25, 50, 75, 90), axis=0).ravel()
    light = [(lab[:, 0] > bound).mean() for bound in (200, 240)]
    return np.concatenate(
        [quartiles, around, light, np.percentile(chroma, (25, 50, 75)), [len(bag) / len(lab)]]
    )


def probe() -> Pipeline:
    """A linear classifier to which all words are equally likely."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300, class_weight="balanced"))


def share_right(found: NDArray[Any], right: NDArray[Any]) -> float:
    """The mean over words of the share of their pictures in which they are found."""
    return float(np.mean([(found[right == word] == word).mean() for word in np.unique(right)]))


def silhouettes(pictures: Pictures) -> NDArray[np.bool_]:
    """Which pixels are of the bag, bool [n, S·S]."""
    return (pictures.min(axis=3) < WHITE).reshape(len(pictures), -1)


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """The mean intersection over union of silhouettes, pair by pair, both bool [n, S·S]."""
    return float(((one & other).sum(1) / np.maximum(1, (one | other).sum(1))).mean())


def spread(pictures: Pictures) -> float:
    """The standard deviation of a pixel from picture to picture, averaged over pixels, of 255."""
    return float(pictures.std(axis=0).mean())


def fidelity(
    facet: Facet, numbers: NDArray[np.int16], real: NDArray[Any], dreamed: NDArray[Any], own: NDArray[Any]
) -> dict[str, Any]:
    """How often a probe finds a facet's words.

    `numbers` int [n] are the words of the real pictures; `real` float [n, f], `dreamed` float [words, each,
    f] and `own` float [m, f] what the probe sees of real pictures, of each word's dreams and of dreams with
    words as in the data.
    """
    known = numbers != UNKNOWN
    fitted = probe().fit(real[known], numbers[known])
    held_out = cross_val_predict(probe(), real[known], numbers[known], cv=5)
    found = [(fitted.predict(each) == number).mean() for number, each in enumerate(dreamed)]
    accuracy = [(held_out[numbers[known] == number] == number).mean() for number in range(len(found))]
    return {
        "ratio": np.mean(found) / np.mean(accuracy),
        "accuracy": np.mean(accuracy),
        "words": {
            word: {"fidelity": found[at], "probe": accuracy[at], "pictures": facet.counts[at]}
            for at, word in enumerate(facet.words)
        },
        "found": fitted.predict(own),
    }


def measured(
    generator: Generator, dataset: Dataset, real: Tensor, features: Features, each: int, many: int
) -> dict[str, Any]:
    """All figures: `each` dreams for every word said alone, `many` with words as in the data.

    `real` float [n, f] are the features of the real pictures. Raises UserError if there are no words.
    """
    vocabulary = generator.vocabulary
    if vocabulary is None or dataset.vocabulary is None:
        raise UserError("no words: the generator and the dataset must both have some")
    dataset = dataset.speaking(vocabulary)
    images = np.array(dataset.images)
    latents = generator.latents(range(many))
    own = generator.draw(latents)
    looks = features(own)
    quality = measure(real, looks)
    found: dict[str, Any] = {
        "kid_x1000": quality.kid,
        "fid": quality.fid,
        "precision": quality.precision,
        "recall": quality.recall,
    }
    told = np.array([vocabulary.numbers(generator.words(latent)) for latent in latents])
    for at, facet in enumerate(vocabulary.facets):
        if facet.name not in ("color", "category"):
            continue
        said = [generator.draw(generator.latents(range(each), [word])) for word in facet.words]
        if facet.name == "color":
            seen = levels(images), np.stack([levels(some) for some in said]), levels(own)
            found |= shapes(said)
            found["variety"] = np.mean([spread(some) for some in said])
            numbers = dataset.numbers[:, at]
            found["variety_real"] = np.mean(
                [spread(images[numbers == number]) for number in range(len(facet.words))]
            )
        else:
            seen = real.numpy(), np.stack([features(some).numpy() for some in said]), looks.numpy()
        result = fidelity(facet, dataset.numbers[:, at], *seen)
        known = told[:, at] != UNKNOWN
        as_in_data = share_right(result["found"][known], told[known, at])
        found |= {
            f"{facet.name}_ratio": result["ratio"],
            f"{facet.name}_ratio_as_in_data": as_in_data / result["accuracy"],
            f"{facet.name}_probe": result["accuracy"],
            f"{facet.name}_words": result["words"],
        }
    return found


def shapes(said: list[Pictures]) -> dict[str, float]:
    """How far silhouettes overlap, of the same seed and of another one, in two colors."""
    drawn = [silhouettes(pictures) for pictures in said]
    pairs = list(pairwise([*drawn, drawn[0]]))
    return {
        "shape_kept": float(np.mean([overlap(one, other) for one, other in pairs])),
        "shape_others": float(np.mean([overlap(one, np.roll(other, 1, axis=0)) for one, other in pairs])),
    }


def sheet(generator: Generator, vocabulary: Vocabulary, seeds: range) -> Image.Image:
    """A row of the seeds' bags for each word of color and category, and one with the seeds' own words."""
    words = [w for facet in vocabulary.facets if facet.name in ("color", "category") for w in facet.words]
    rows = [generator.latents(seeds), *(generator.latents(seeds, [word]) for word in words)]
    pictures = grid(generator.draw(torch.cat(rows)), columns=len(seeds))
    margin = 90
    found = Image.new("RGB", (pictures.width + margin, pictures.height), "white")
    found.paste(pictures, (margin, 0))
    pen, font = ImageDraw.Draw(found), ImageFont.load_default(14)
    for row, word in enumerate(["(own words)", *words]):
        pen.text((4, (row + 0.4) * (generator.image_size + GUTTER)), word, "black", font)
    return found


def trained(dataset: Dataset, seconds: float, seed: int, file: Path) -> Generator:
    """A generator of preset `dream` after that many CPU seconds, kept in a file."""
    recipe = recipes("dream", [])["dream"]
    bf16 = device.precision("auto", torch.device("cpu")) == "bf16"
    dataset = dataset.speaking(dataset.vocabulary and dataset.vocabulary.only(recipe.facets))
    for _, network, _, _ in train(recipe, dataset, [seconds], seed, bf16=bf16):
        shape = shape_of(recipe, dataset.image_size, dataset.vocabulary)
        save_generator(file, network, shape, 0, dataset.content_hash, dataset.vocabulary)
    return load(file)


def report(found: dict[str, Any]) -> None:
    """Print the figures, and those of every word as a table."""
    for name, value in found.items():
        if not name.endswith("_words"):
            print(f"{name:26} {value:.3f}")
    for name, table in found.items():
        if name.endswith("_words"):
            print(
                f"\n| {name.removesuffix('_words')} | real pictures | fidelity | probe |\n|---|---|---|---|"
            )
            for word, row in table.items():
                print(f"| {word} | {row['pictures']} | {row['fidelity']:.2f} | {row['probe']:.2f} |")


def main() -> None:
    """Parse the options and measure; what is missing is one line and exit code 2."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("dataset", type=Path, metavar="DATASET", help="a dataset folder with words")
    add("--generator", type=Path, help="a generator file, instead of training one")
    add("--seconds", type=float, default=600, help="CPU seconds to train (default: 600)")
    add("--seed", type=int, default=0, help="seed of the training (default: 0)")
    add("--quick", action="store_true", help="train for 120 CPU seconds, and dream less: within 10 minutes")
    add("--json", action="store_true", help="print one JSON object only")
    add("--sheet", type=Path, help="also draw a sheet of words and seeds into this PNG")
    add("--threads", type=int, default=1, help="CPU threads (default: 1)")
    add("--out", type=Path, default=Path("data/benchmarks"), help="folder (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        dataset = open_dataset(options.dataset)
        features = extractor()
        real = real_features(dataset, features, options.out)
        if options.generator:
            generator = load(options.generator)
        else:
            seconds = 120.0 if options.quick else options.seconds
            generator = trained(
                dataset,
                seconds,
                options.seed,
                options.out / f"words-{seconds:.0f}s-{options.seed}.safetensors",
            )
        found = measured(
            generator,
            dataset,
            real,
            features,
            each=32 if options.quick else 64,
            many=500 if options.quick else 1000,
        )
        if options.sheet and generator.vocabulary:
            sheet(generator, generator.vocabulary, range(12)).save(options.sheet)
    except (UserError, OSError) as error:
        parser.exit(2, f"{one_line(error)}\n")
    if options.json:
        print(json.dumps(found, default=float))
    else:
        report(found)


if __name__ == "__main__":
    main()
