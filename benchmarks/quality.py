"""Quality at equal CPU time: presets, or one preset with values changed, trained side by side and measured.

    python -m benchmarks.quality PICTURES [--seconds 120] [--presets dream,bag-dreams,dcgan] [--seeds 3]
    python -m benchmarks.quality PICTURES --presets dream --set upsampling=blurred --set statistics=true

PICTURES is a dataset folder. The rates decay to the CPU seconds given, as they do in a run with that bound;
--dreamed pictures are measured against all the real ones. Every grid is written to --out.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from gan import augment, device
from gan.data import Dataset, open_dataset, to_pictures
from gan.generator import Generator, noise, to_images
from gan.grid import grid
from gan.pair import Pair, shape_of
from gan.presets import PRESETS, Recipe
from gan.quality import extractor, measure
from gan.seeds import derived
from gan.world import World


def train(
    recipe: Recipe, dataset: Dataset, seconds: float, seed: int, *, bf16: bool
) -> tuple[Generator, int]:
    """A generator after so many CPU seconds of steps, and the pictures it has seen."""
    cpu = torch.device("cpu")
    shape = shape_of(recipe, dataset.image_size)
    pair = Pair(recipe, shape, cpu, bf16=bf16, seed=derived(seed, "weights"), world=World())
    source = torch.Generator()
    began, step, epoch = time.process_time(), 0, 0
    while True:
        for real in dataset.batches(min(recipe.batch, len(dataset)), seed, epoch):
            done = (time.process_time() - began) / seconds
            if done >= 1:
                return Generator(pair.drawing(), shape, epoch, ""), step * recipe.batch
            source.manual_seed(derived(seed, "step", step))
            pictures = to_pictures(real, cpu)
            if recipe.flips:
                pictures = augment.flip(pictures, torch.rand(len(pictures), generator=source) < 0.5)
            rate = min(1.0, 2 * (1 - done)) if recipe.decay else 1.0
            strength = min(1.0, done / recipe.augment_over) if recipe.augment_over else 1.0
            z = noise(len(pictures), shape, source)
            pair.step(pictures, z, source, step=step, rate=rate, strength=strength)
            step += 1
        epoch += 1


def dreams(generator: Generator, count: int) -> np.ndarray:
    """uint8 [count, S, S, 3]: the first seeds, drawn in batches."""
    with torch.inference_mode():
        batches = generator.latents(range(count)).split(64)
        return to_images(torch.cat([generator._network(z) for z in batches])).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--presets", default="dream,bag-dreams,dcgan")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--dreamed", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--label", default="")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    bf16 = device.precision("auto", torch.device("cpu")) == "bf16"
    dataset = open_dataset(options.pictures)
    options.out.mkdir(parents=True, exist_ok=True)
    changes = {key: json.loads(value) for key, value in (each.split("=", 1) for each in options.set)}
    features = extractor()
    cache = options.out / f"real-{dataset.content_hash[:12]}.pt"
    if not cache.exists():
        torch.save(features(dataset.images), cache)
    real = torch.load(cache, weights_only=True)

    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for preset in options.presets.split(","):
            recipe = Recipe(**(PRESETS[preset].model_dump() | changes))
            recipe = recipe.model_copy(
                update={"channels": device.width(recipe.channels, torch.device("cpu"))}
            )
            generator, images = train(recipe, dataset, options.seconds, seed, bf16=bf16)
            pictures = dreams(generator, options.dreamed)
            name = f"{preset}{options.label and '-' + options.label}-{options.seconds:.0f}s-{seed}"
            grid(pictures[:64], columns=8).save(options.out / f"{name}.png")
            found = {"name": name, "seconds": options.seconds, "seed": seed, "images": images}
            print(json.dumps(found | vars(measure(real, features(pictures)))), flush=True)


if __name__ == "__main__":
    main()
