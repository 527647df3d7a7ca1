"""Compare our training step, drawing and datasets of two sizes with those of our peers.

    python -m benchmarks.train [--quick] [--json] [--threads 1]

All train a DCGAN for 64-pixel pictures with 512 channels, in batches of 128. The peers' methods are rewritten
here:

- original: this project's first ancestor. Dreams are not detached when D learns, so that its gradients pass
  through all of G; G dreams again for its own step; and D's gradients of that step are thrown away.
- pytorch/examples: dreams once, detached for D; D's gradients of G's step are still computed.
- PyTorch-GAN: G's step first, then D's; dropout in D; and a G that doubles by copying pixels before 3×3
  convolutions of 128 and 64 channels, at full size.

Times are CPU seconds of this process, so that a busy machine matters little. Methods take turns; medians are
over the rounds, of the seconds and of each round's ratios. The peak is the fastest of eight products of
square matrices, in bfloat16 if ours uses it.
"""

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.utils.flop_counter import FlopCounterMode

# When this runs as a file, its own folder comes first.
sys.path.insert(0, str(Path(__file__).parents[1]))

from gan import device, networks
from gan.adversaries import Adversaries, shape_of
from gan.data import Pictures, open_dataset, to_pictures
from gan.distributed import World
from gan.generator import Generator, latent, load, noise, save_generator
from gan.presets import PRESETS
from gan.word_inputs import told
from gan.words import Facet, Vocabulary

BATCH = 128
COUNTS = (2_000, 38_000)
CPU = torch.device("cpu")
RECIPE = PRESETS["bag-dreams"].model_copy(update={"flips": False})
SHAPE = shape_of(RECIPE, 64)

Step = Callable[[Tensor, Tensor], tuple[float, float]]
"""From real pictures uint8 [n, 64, 64, 3] and latents float [n, z] to the losses of D and G."""


class Plain:
    """Both networks in eager float32 PyTorch, with their optimizers."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        self.g, self.d = generator, discriminator
        self.adam_g, self.adam_d = (
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
            for network in (generator, discriminator)
        )

    def original(self, images: Tensor, z: Tensor) -> tuple[float, float]:
        """See above."""
        real = pictures(images)
        self.adam_d.zero_grad()
        loss_d = judged(self.d(real), 1) + judged(self.d(self.g(z)), 0)
        loss_d.backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        loss_g = judged(self.d(self.g(z)), 1)
        loss_g.backward()
        self.adam_g.step()
        return loss_d.item(), loss_g.item()

    def examples(self, images: Tensor, z: Tensor) -> tuple[float, float]:
        """See above."""
        self.adam_d.zero_grad()
        on_real = judged(self.d(pictures(images)), 1)
        on_real.backward()
        dreamed = self.g(z)
        on_dreamed = judged(self.d(dreamed.detach()), 0)
        on_dreamed.backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        loss_g = judged(self.d(dreamed), 1)
        loss_g.backward()
        self.adam_g.step()
        return on_real.item() + on_dreamed.item(), loss_g.item()

    def pytorch_gan(self, images: Tensor, z: Tensor) -> tuple[float, float]:
        """See above."""
        self.adam_g.zero_grad()
        dreamed = self.g(z)
        loss_g = judged(self.d(dreamed), 1)
        loss_g.backward()
        self.adam_g.step()
        self.adam_d.zero_grad()
        loss_d = (judged(self.d(pictures(images)), 1) + judged(self.d(dreamed.detach()), 0)) / 2
        loss_d.backward()
        self.adam_d.step()
        return loss_d.item(), loss_g.item()


def judged(logits: Tensor, truth: int) -> Tensor:
    """Binary cross-entropy, float [], of logits float [n] that should all be `truth`."""
    return bce(logits, torch.full_like(logits, truth))


def pictures(images: Tensor) -> Tensor:
    """uint8 [n, S, S, 3] → float [n, 3, S, S] in [−1, 1], contiguous."""
    return to_pictures(images, CPU).contiguous()


def pytorch_gan() -> Plain:
    """The networks of PyTorch-GAN's DCGAN, for 64 pixels."""

    def block(narrow: int, wide: int, *, norm: bool = True) -> list[nn.Module]:
        layers = [nn.Conv2d(narrow, wide, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
        return [*layers, nn.BatchNorm2d(wide)] if norm else layers

    generator = nn.Sequential(
        nn.Linear(SHAPE.z_size, 128 * 16 * 16),
        nn.Unflatten(1, (128, 16, 16)),
        nn.BatchNorm2d(128),
        nn.Upsample(scale_factor=2),
        *(nn.Conv2d(128, 128, 3, 1, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2)),
        nn.Upsample(scale_factor=2),
        *(nn.Conv2d(128, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(64, 3, 3, 1, 1), nn.Tanh()),
    )
    convolutions = [*block(3, 16, norm=False), *block(16, 32), *block(32, 64), *block(64, 128)]
    return Plain(
        generator, nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(128 * 4 * 4, 1), nn.Flatten(0))
    )


def adversaries(*, bf16: bool) -> Adversaries:
    """Ours, with the same initial weights each time."""
    return Adversaries(RECIPE, SHAPE, CPU, bf16=bf16, seed=0, world=World())


def ours(trained: Adversaries) -> Step:
    """Our step; it counts its calls."""
    source, steps = torch.Generator(), itertools.count()

    def step(images: Tensor, z: Tensor) -> tuple[float, float]:
        none = torch.empty(len(images), 0, dtype=torch.int16)
        losses = trained.step(to_pictures(images, CPU), none, z, source, step=next(steps), rate=1)
        return losses[0].item(), losses[1].item()

    return step


def plain() -> Plain:
    """Our initial networks, in PyTorch's default memory format."""
    initial = adversaries(bf16=False)
    for network in (initial.generator, initial.discriminator):
        network.to(memory_format=torch.contiguous_format)
    return Plain(initial.generator, initial.discriminator)


def batches(seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of real pictures (noise of that size) and latents."""
    source = torch.Generator().manual_seed(seed)
    while True:
        small = torch.randint(0, 256, (BATCH, 8, 8, 3), generator=source, dtype=torch.uint8)
        images = small.repeat_interleave(8, 1).repeat_interleave(8, 2)
        yield images, noise(BATCH, SHAPE, source)


def spent(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median CPU seconds of each over `rounds`, after one that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            taken[name].append(spent(work))
    return {name: statistics.median(each[1:]) for name, each in taken.items()}


def peak(dtype: torch.dtype, size: int = 2048) -> float:
    """GFLOP/s of the fastest product of square matrices."""
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    return 2 * size**3 / min(spent(lambda: a @ b) for _ in range(8)) / 1e9


def steps(rounds: int, *, bf16: bool) -> dict[str, Any]:
    """Images/s of each method, losses of those with the same math, GFLOP/s of ours and of the machine."""
    data = batches(0)
    methods: dict[str, Step] = {
        "original": plain().original,
        "pytorch_examples": plain().examples,
        "pytorch_gan": pytorch_gan().pytorch_gan,
        "ours_fp32": ours(adversaries(bf16=False)),
    }
    if bf16:
        methods["ours"] = ours(adversaries(bf16=True))
    taken: dict[str, list[float]] = {name: [] for name in methods}
    losses: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for _ in range(rounds + 1):
        batch = next(data)
        for name, step in methods.items():
            began = time.process_time()
            losses[name].append(step(*batch))
            taken[name].append(time.process_time() - began)
    taken.setdefault("ours", taken["ours_fp32"])
    taken = {name: each[1:] for name, each in taken.items()}  # the first step allocates all memory
    seconds = {name: statistics.median(each) for name, each in taken.items()}

    with FlopCounterMode(display=False) as counted:
        ours(adversaries(bf16=bf16))(*next(data))
    found: dict[str, Any] = {f"{name}_images_per_s": BATCH / each for name, each in seconds.items()}
    found |= {
        # Round by round: a machine that slows down does so for a whole round.
        f"ours_per_{name}": statistics.median(
            theirs / mine for theirs, mine in zip(taken[name], taken["ours"], strict=True)
        )
        for name in methods
        if "ours" not in name
    }
    found["peak_gflops"] = peak(torch.bfloat16 if bf16 else torch.float32)
    found["gflops"] = counted.get_total_flops() / seconds["ours"] / 1e9
    found["share_of_peak"] = found["gflops"] / found["peak_gflops"]
    found["losses"] = {name: each for name, each in losses.items() if name != "pytorch_gan"}
    return found


def generation(rounds: int) -> dict[str, float]:
    """Ours against eager float32, at 512 channels: ms for one picture, images/s for 64, ms to load."""
    network = adversaries(bf16=False).drawing()
    with tempfile.TemporaryDirectory() as folder:
        file, state = Path(folder) / "generator.safetensors", Path(folder) / "generator.pt"
        save_generator(file, network, SHAPE, 1, "")
        torch.save(network.state_dict(), state)

        def eager_load() -> networks.Generator:
            eager = SHAPE.network()
            eager.load_state_dict(torch.load(state, weights_only=True))
            return eager.eval()

        eager = eager_load()
        generator: Generator = load(file)
        z = generator.latents(range(64))

        @torch.no_grad()
        def eager_draw(latents: Tensor) -> np.ndarray:
            drawn = (eager(latents) + 1) * 127.5
            return drawn.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()

        taken = in_turns(
            {
                "one": lambda: [generator.draw(latent(seed, SHAPE)[None]) for seed in range(20)],
                "eager_one": lambda: [eager_draw(latent(seed, SHAPE)[None]) for seed in range(20)],
                "many": lambda: generator.draw(z),
                "eager_many": lambda: eager_draw(z),
                "load": lambda: load(file),
                "eager_load": eager_load,
            },
            rounds,
        )
    return {
        "one_ms": taken["one"] / 20 * 1000,
        "eager_one_ms": taken["eager_one"] / 20 * 1000,
        "draw_64_images_per_s": 64 / taken["many"],
        "eager_64_images_per_s": 64 / taken["eager_many"],
        "load_ms": taken["load"] * 1000,
        "eager_load_ms": taken["eager_load"] * 1000,
    }


def sizes(rounds: int) -> dict[str, float]:
    """A small and a large dataset under the preset `dream`: milliseconds to the first batch, MB of memory,
    images/s of reading alone and of training.

    Memory is the process's own, without the file's mapped pages, which the kernel can reclaim.
    """
    found: dict[str, float] = {}
    feeds: dict[str, Callable[[], object]] = {}
    recipe = PRESETS["dream"].model_copy(update={"channels": 128})
    trained = Adversaries(recipe, shape_of(recipe, 64), CPU, bf16=False, seed=0, world=World())
    source, number = torch.Generator().manual_seed(0), itertools.count()
    with tempfile.TemporaryDirectory() as name:
        for count in COUNTS:
            folder = Path(name) / str(count)
            write_dataset(folder, count)
            before, began = own_memory(), time.perf_counter()
            dataset = open_dataset(folder)
            endless = itertools.chain.from_iterable(
                dataset.batches(recipe.batch, 0, epoch) for epoch in itertools.count()
            )
            next(endless)
            found[f"first_batch_ms_{count}"] = (time.perf_counter() - began) * 1000
            found[f"memory_mb_{count}"] = own_memory() - before

            def feed(batches: Iterator[Pictures] = endless) -> None:
                for _ in range(200):
                    to_pictures(next(batches)[0], CPU)

            def train(batches: Iterator[Pictures] = endless) -> None:
                for _ in range(20):
                    z = noise(recipe.batch, trained.shape, source)
                    images, numbers = next(batches)
                    pictures = to_pictures(images, CPU)
                    trained.step(pictures, numbers, z, source, step=next(number), rate=1)

            feeds |= {f"fed_{count}": feed, f"trained_{count}": train}
        taken = in_turns(feeds, rounds)
    for name, seconds in taken.items():
        found[name] = recipe.batch * (200 if name.startswith("fed") else 20) / seconds
    return found


def words(rounds: int) -> dict[str, float]:
    """The preset `dream` at 128 channels, without words and with 36 of them: milliseconds of a step (the mean
    of 16, one of which has penalties) and of drawing one picture and 64.
    """
    facets = (
        Facet(name=name, words=tuple(f"{name} {word}" for word in range(12)), counts=(1,) * 12)
        for name in ("color", "category", "brand")
    )
    many = Vocabulary(facets=tuple(facets), sets=((0, 0, 0, 1), (1, 1, 1, 1)))
    recipe = PRESETS["dream"].model_copy(update={"channels": 128})
    works: dict[str, Callable[[], object]] = {}
    for name, vocabulary in (("without", None), ("with", many)):
        shape = shape_of(recipe, 64, vocabulary)
        trained = Adversaries(recipe, shape, CPU, bf16=False, seed=0, world=World(), vocabulary=vocabulary)
        generator = Generator(trained.drawing(), shape, 0, "", vocabulary)
        source = torch.Generator().manual_seed(0)
        numbers = torch.randint(0, 12, (recipe.batch, 3 if vocabulary else 0), generator=source)
        real = torch.rand(recipe.batch, 3, 64, 64, generator=source) * 2 - 1
        real = real.contiguous(memory_format=torch.channels_last)

        def train(
            trained: Adversaries = trained,
            numbers: Tensor = numbers,
            real: Tensor = real,
            source: torch.Generator = source,
        ) -> None:
            for number in range(16):
                z = noise(recipe.batch, trained.shape, source)
                if trained.vocabulary:
                    z = torch.cat([z, told(numbers, trained.vocabulary.sizes, source)], dim=1)
                trained.step(real, numbers, z, source, step=number, rate=1)

        def draw(generator: Generator = generator, count: int = 1) -> None:
            generator.draw(generator.latents(range(count)))

        works |= {
            f"step_{name}_words_ms": train,
            f"draw_1_{name}_words_ms": draw,
            f"draw_64_{name}_words_ms": lambda draw=draw: draw(count=64),
        }
    taken = in_turns(works, rounds)
    return {name: seconds * 1000 / (16 if name.startswith("step") else 1) for name, seconds in taken.items()}


def write_dataset(folder: Path, count: int) -> None:
    """Write a dataset folder of `count` pictures of noise."""
    folder.mkdir()
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, 64, 64, 3))
    random = np.random.default_rng(0)
    for at in range(0, count, 1000):
        images[at : at + 1000] = random.integers(0, 256, (1000, 64, 64, 3), np.uint8)
    images.flush()
    (folder / "items.jsonl").write_text("{}\n" * count)
    manifest = {"version": 1, "image_size": 64, "count": count, "content_hash": str(count)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def own_memory() -> float:
    """MB of this process's memory that is not backed by a file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("RssAnon"))


def report(found: dict[str, Any]) -> None:
    """Print the figures as tables."""
    print(f"{found['precision']}, {found['threads']} thread(s)\n")
    print("| D + G step | images/s | ours is |\n|---|---|---|")
    for name in ("original", "pytorch_examples", "pytorch_gan"):
        print(f"| {name} | {found[f'{name}_images_per_s']:.1f} | {found[f'ours_per_{name}']:.2f}× |")
    print(f"| ours in float32 | {found['ours_fp32_images_per_s']:.1f} | |")
    print(f"| ours | {found['ours_images_per_s']:.1f} | |\n")
    print(
        f"ours reaches {found['gflops']:.0f} GFLOP/s; the fastest matrix product "
        f"{found['peak_gflops']:.0f}: {found['share_of_peak']:.0%}\n"
    )
    print("losses (D, G) by step, from the same weights and batches:")
    for name, losses in found["losses"].items():
        print(f"  {name:16}", "  ".join(f"{d:.4f} {g:.4f}" for d, g in losses))
    print("\n| generation | ours | eager float32 |\n|---|---|---|")
    print(f"| one, ms | {found['one_ms']:.1f} | {found['eager_one_ms']:.1f} |")
    print(f"| 64, images/s | {found['draw_64_images_per_s']:.0f} | {found['eager_64_images_per_s']:.0f} |")
    print(f"| load, ms | {found['load_ms']:.0f} | {found['eager_load_ms']:.0f} |\n")
    print("| pictures | first batch, ms | own memory, MB | reading, images/s | training, images/s |")
    print("|---|---|---|---|---|")
    for count in COUNTS:
        figures = [found[f"{what}_{count}"] for what in ("first_batch_ms", "memory_mb", "fed", "trained")]
        print(f"| {count} | {figures[0]:.0f} | {figures[1]:.1f} | {figures[2]:.0f} | {figures[3]:.0f} |")
    print("\n| `dream`, ms | without words | with 36 words |\n|---|---|---|")
    for name, what in (("step", "a step"), ("draw_1", "drawing one"), ("draw_64", "drawing 64")):
        without, having = (found[f"{name}_{which}_words_ms"] for which in ("without", "with"))
        print(f"| {what} | {without:.1f} | {having:.1f} |")


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three rounds instead of seven")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    bf16 = device.precision("auto", CPU) == "bf16"
    rounds = 3 if options.quick else 7

    found: dict[str, Any] = {"precision": "bf16" if bf16 else "fp32", "threads": options.threads}
    found |= steps(rounds, bf16=bf16) | generation(rounds) | sizes(rounds) | words(rounds)
    if options.json:
        print(json.dumps(found))
    else:
        report(found)


if __name__ == "__main__":
    main()
