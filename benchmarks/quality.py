"""Compare the quality of presets, or of changed recipes, after equal CPU time.

    python -m benchmarks.quality DATASET [--seconds 120,300,600] [--presets dream,dcgan] [--seeds 3]
    python -m benchmarks.quality DATASET --presets dream --set upsampling=bilinear --set statistics=true

A recipe with `words` trains with those of the dataset, if it has any; its dreams have words as the data do.
Seconds are CPU seconds of training alone, summed over threads. A preset whose rates decay is trained once per
bound, as a run with that bound would be; the others are trained once and measured at every bound. Each result
is printed as a JSON line as soon as it is known; every grid and generator is written to --out. Real pictures
have the dataset's size, so smaller dreams (`--set image_size=64`) count as blurred.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

# When this runs as a file, its own folder comes first.
sys.path.insert(0, str(Path(__file__).parents[1]))

from gan import augment, device, networks
from gan.adversaries import Adversaries, shape_of
from gan.data import Dataset, open_dataset, to_pictures
from gan.distributed import World
from gan.errors import UserError, one_line
from gan.generator import load, noise, save_generator
from gan.grid import grid
from gan.presets import PRESETS, Recipe
from gan.quality import Features, extractor, measure
from gan.seeds import derived
from gan.word_inputs import told


def train(
    recipe: Recipe, dataset: Dataset, bounds: list[float], seed: int, *, bf16: bool
) -> Iterator[tuple[float, networks.Generator, int, float]]:
    """Train, and at each bound yield it, the network, the pictures seen and the elapsed seconds.

    `bounds` are CPU seconds, ascending; rates decay towards the last one.
    """
    cpu = torch.device("cpu")
    vocabulary = dataset.vocabulary
    shape = shape_of(recipe, dataset.image_size, vocabulary)
    weights = derived(seed, "weights")
    adversaries = Adversaries(
        recipe, shape, cpu, bf16=bf16, seed=weights, world=World(), vocabulary=vocabulary
    )
    source = torch.Generator()
    step = epoch = 0
    spent = clock = 0.0
    left = list(bounds)
    while True:
        for real, numbers in dataset.batches(min(recipe.batch, len(dataset)), seed, epoch):
            while spent >= left[0]:
                yield left[0], adversaries.drawing(), step * recipe.batch, clock
                if len(left) == 1:
                    return
                del left[0]
            began, began_clock = time.process_time(), time.monotonic()
            done = spent / bounds[-1]
            source.manual_seed(derived(seed, "step", step))
            pictures = to_pictures(real, cpu)
            if recipe.flips:
                pictures = augment.flip(pictures, torch.rand(len(pictures), generator=source) < 0.5)
            rate = min(1.0, 2 * (1 - done)) if recipe.decay else 1.0
            over = recipe.augment_epochs * len(dataset)
            strength = min(1.0, step * recipe.batch / over) if over else 1.0
            z = noise(len(pictures), shape, source)
            if vocabulary:
                z = torch.cat([z, told(numbers, vocabulary.sizes, source)], dim=1)
            adversaries.step(pictures, numbers, z, source, step=step, rate=rate, strength=strength)
            step += 1
            spent += time.process_time() - began
            clock += time.monotonic() - began_clock
        epoch += 1


def main() -> None:
    """Parse the options and compare; a missing dataset or package is one line and exit code 2."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("dataset", type=Path, metavar="DATASET", help="a dataset folder, as the scraper builds it")
    add("--seconds", default="120,300,600", help="bounds in CPU seconds (default: %(default)s)")
    add("--presets", default="dream,bag-dreams,dcgan", help="default: %(default)s")
    add("--seeds", type=int, default=3, help="runs per preset (default: 3)")
    add("--first-seed", type=int, default=0, help="seed of the first run (default: 0)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    add("--dreamed", type=int, default=1000, help="dreams to measure (default: 1000)")
    add("--threads", type=int, default=1, help="CPU threads (default: 1)")
    add("--out", type=Path, default=Path("data/benchmarks"), help="folder (default: %(default)s)")
    add("--label", default="", help="added to the names of the results")
    options = parser.parse_args()
    try:
        compare(options)
    except (UserError, OSError) as error:
        parser.exit(2, f"{one_line(error)}\n")


def recipes(presets: str, changes: list[str]) -> dict[str, Recipe]:
    """The presets' recipes with each KEY=VALUE of `changes` (JSON or a word). Raises UserError."""
    values = {}
    for change in changes:
        key, _, value = change.partition("=")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    found = {}
    for name in presets.split(","):
        if name not in PRESETS:
            raise UserError(f"--presets {name}: must be among {', '.join(PRESETS)}")
        try:
            recipe = Recipe(**(PRESETS[name].model_dump() | values))
        except ValidationError as error:
            first = error.errors()[0]
            raise UserError(f"--set {first['loc'][0]}: {first['msg']}") from error
        channels = device.width(recipe.channels, torch.device("cpu"))
        found[name] = recipe.model_copy(update={"channels": channels})
    return found


def real_features(dataset: Dataset, features: Features, folder: Path) -> Tensor:
    """The features of all pictures of a dataset, float [n, f], kept in a file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    cache = folder / f"real-{dataset.content_hash[:12]}.pt"
    if not cache.exists():
        torch.save(features(dataset.images), cache)
    found: Tensor = torch.load(cache, weights_only=True)
    return found


def compare(options: argparse.Namespace) -> None:
    """Train and measure every recipe with every seed. Raises UserError."""
    chosen = recipes(options.presets, options.set)
    torch.set_num_threads(options.threads)
    bounds = sorted(map(float, options.seconds.split(",")))
    bf16 = device.precision("auto", torch.device("cpu")) == "bf16"
    dataset = open_dataset(options.dataset)
    features = extractor()
    real = real_features(dataset, features, options.out)

    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for preset, recipe in chosen.items():
            sized = dataset.at_most(recipe.image_size)
            vocabulary = dataset.vocabulary if recipe.words else None
            known = sized.speaking(vocabulary and vocabulary.only(recipe.facets))
            for run in [[bound] for bound in bounds] if recipe.decay else [bounds]:
                for bound, network, images, clock in train(recipe, known, run, seed, bf16=bf16):
                    name = f"{preset}{options.label and '-' + options.label}-{bound:.0f}s-{seed}"
                    file = options.out / f"{name}.safetensors"
                    shape = shape_of(recipe, known.image_size, known.vocabulary)
                    save_generator(file, network, shape, 0, "", known.vocabulary)
                    generator = load(file)
                    pictures = generator.draw(generator.latents(range(options.dreamed)))
                    grid(pictures[:64], columns=8).save(options.out / f"{name}.png")
                    found = {"name": name, "seconds": bound, "clock": round(clock), "images": images}
                    print(json.dumps(found | vars(measure(real, features(pictures)))), flush=True)


if __name__ == "__main__":
    main()
