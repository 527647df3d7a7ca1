"""Quality at equal CPU time: presets, or one preset with values changed, trained side by side and measured.

    python -m benchmarks.quality PICTURES [--seconds 120,300,600] [--presets dream,dcgan] [--seeds 3]
    python -m benchmarks.quality PICTURES --presets dream --set upsampling=bilinear --set statistics=true

PICTURES is a dataset folder. Seconds are CPU seconds of training alone, of all threads together. A preset
whose rates decay is trained anew for each of the bounds, as a run with that bound would be; one run of the
others passes all of them. --dreamed pictures are measured against all the real ones. A JSON line for each
is printed as soon as it is known; every grid and generator is written to --out.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from gan import augment, device, networks
from gan.data import Dataset, open_dataset, to_pictures
from gan.distributed import World
from gan.generator import load, noise, save_generator
from gan.grid import grid
from gan.pair import Pair, shape_of
from gan.presets import PRESETS, Recipe
from gan.quality import extractor, measure
from gan.seeds import derived


def train(
    recipe: Recipe, dataset: Dataset, bounds: list[float], seed: int, *, bf16: bool
) -> Iterator[tuple[float, networks.Generator, int, float]]:
    """At each bound (CPU seconds, ascending): it, the network, the pictures seen, and seconds by the clock.

    Rates follow the last bound.
    """
    cpu = torch.device("cpu")
    shape = shape_of(recipe, dataset.image_size)
    pair = Pair(recipe, shape, cpu, bf16=bf16, seed=derived(seed, "weights"), world=World())
    source = torch.Generator()
    step = epoch = 0
    spent = clock = 0.0
    left = list(bounds)
    while True:
        for real in dataset.batches(min(recipe.batch, len(dataset)), seed, epoch):
            while spent >= left[0]:
                yield left[0], pair.drawing(), step * recipe.batch, clock
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
            pair.step(pictures, z, source, step=step, rate=rate, strength=strength)
            step += 1
            spent += time.process_time() - began
            clock += time.monotonic() - began_clock
        epoch += 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--seconds", default="120,300,600")
    parser.add_argument("--presets", default="dream,bag-dreams,dcgan")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--dreamed", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--label", default="")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    bounds = sorted(map(float, options.seconds.split(",")))
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
            for run in [[bound] for bound in bounds] if recipe.decay else [bounds]:
                for bound, network, images, clock in train(recipe, dataset, run, seed, bf16=bf16):
                    name = f"{preset}{options.label and '-' + options.label}-{bound:.0f}s-{seed}"
                    file = options.out / f"{name}.safetensors"
                    save_generator(file, network, shape_of(recipe, dataset.image_size), 0, "")
                    generator = load(file)
                    pictures = generator.draw(generator.latents(range(options.dreamed)))
                    grid(pictures[:64], columns=8).save(options.out / f"{name}.png")
                    found = {"name": name, "seconds": bound, "clock": round(clock), "images": images}
                    print(json.dumps(found | vars(measure(real, features(pictures)))), flush=True)


if __name__ == "__main__":
    main()
