"""Does a learnt taste pick better than chance? Simulated communities with hidden tastes vote on real dreams.

    python -m benchmarks.taste generator.safetensors [--other another.safetensors] [--quick] [--json]

A community likes the quarter of all bags that has most of something: red, darkness, width, texture, or a
direction among the latents. Chance therefore gives 25 % liked picks. Its votes are noisy: near the edge of
the quarter people disagree, and one vote in twenty each way is a slip. Every design shown gets two votes.
Each figure is the share of picks that are liked, each the one of 2,048 candidates (--quick: 1,024).

--other: the votes are on another generator's bags, as on the day after a new training run.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

# When this runs as a file, its own folder comes first, where bot.py hides the package of that name.
sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.drawing.look import look
from bot.drawing.preference import COMPONENTS, principal_axes, thompson
from gan.generator import Generator, GeneratorError, load

VOTES = (5, 10, 20, 40, 80, 160, 320, 640)
LIKED = 0.25
USED = f"look, {COMPONENTS} components"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Designs of one generator: latents [n, z], pictures uint8 [n, S, S, 3] and looks [n, 256]."""

    latents: Floats
    pictures: NDArray[np.uint8]
    looks: Floats


def pool(generator: Generator, count: int) -> Pool:
    latents = generator.latents(range(count))
    pictures = generator.draw(latents)
    looks = np.stack([np.frombuffer(look(picture), np.uint8) for picture in pictures])
    return Pool(latents.numpy().astype(float), pictures, looks.astype(float))


def tastes(bags: Pool) -> dict[str, Floats]:
    """How much each design [n] has of what a community likes."""
    pictures = bags.pictures.astype(np.float32)
    gray = pictures.mean(axis=3)
    bag = gray < 235
    area = bag.sum(axis=(1, 2)) + 1
    edges = np.abs(np.diff(gray, axis=1))[:, :, 1:] + np.abs(np.diff(gray, axis=2))[:, 1:]
    tall, wide = ((bag.sum(axis=axis) > 3).sum(axis=1) for axis in (2, 1))
    direction = np.random.default_rng(7).standard_normal(bags.latents.shape[1])
    red = pictures[..., 0] - pictures[..., 1:].mean(axis=3)
    return {
        "red": (red * bag).sum(axis=(1, 2)) / area,
        "dark": -(gray * bag).sum(axis=(1, 2)) / area,
        "wide": wide / np.maximum(tall, 1),
        "texture": (edges * bag[:, 1:, 1:]).sum(axis=(1, 2)) / area,
        "latent": bags.latents @ direction,
    }


def opinion(score: Floats) -> Floats:
    """Distance [n] to the edge of what is liked, in standard deviations of a community's taste."""
    noise = np.random.default_rng(0).random(len(score))  # width comes in steps: ties are drawn by lot
    rank = np.argsort(np.lexsort((noise, score))) / len(score)
    return 8 * (rank - (1 - LIKED))


def views(bags: Pool) -> dict[str, Floats]:
    """What may be learnt from, [n, d] each."""

    def components(values: Floats, count: int) -> Floats:
        return values @ principal_axes(values, count)

    def scaled(values: Floats) -> Floats:
        centered = values - values.mean(axis=0)
        return centered / np.sqrt(np.square(centered).sum(axis=1).mean())

    colors = bags.looks.reshape(len(bags.looks), -1, 4)[..., :3].reshape(len(bags.looks), -1)
    small = components(bags.looks, COMPONENTS)
    return {
        USED: small,
        "look, whole": bags.looks,
        f"its colors, {COMPONENTS} components": components(colors, COMPONENTS),
        "latents": bags.latents,
        "look and latents": np.hstack([scaled(small), scaled(bags.latents)]),
    }


def share(
    picks: Floats,
    seen: Floats,
    likes: Floats,
    shown_likes: Floats,
    votes: int,
    repeats: int,
    candidates: int,
) -> tuple[float, float]:
    """The share of picks liked after so many votes, and the mean chance that the model gave them."""
    hits, chances = [], []
    for repeat in range(repeats):
        rng = np.random.default_rng([repeat, votes])
        shown = rng.choice(len(seen), (votes + 1) // 2, replace=False)
        voters = shown[np.arange(votes) % len(shown)]
        agrees = 0.05 + 0.9 / (1 + np.exp(-2 * shown_likes[voters]))
        voted = rng.random(votes) < agrees
        up = np.bincount(np.arange(votes) % len(shown), voted, len(shown))
        down = np.bincount(np.arange(votes) % len(shown), ~voted, len(shown))
        among = rng.choice(len(picks), candidates, replace=False)
        choice = thompson(picks[among], seen[shown], up, down, repeat)
        hits.append(likes[among[choice.index]] > 0)
        chances.append(choice.chance)
    return float(np.mean(hits)), float(np.mean(chances))


def enough(shares: dict[int, float]) -> int | None:
    """The number of votes from which on picks are liked at least twice as often as by chance."""
    short = [votes for votes in VOTES if shares[votes] < 2 * LIKED]
    return next((votes for votes in VOTES if votes > max(short, default=0)), None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("generator", type=Path)
    parser.add_argument("--other", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    count, repeats, candidates = (4000, 20, 1024) if options.quick else (8000, 60, 2048)
    torch.set_num_threads(1)
    threadpool_limits(1)
    try:
        began = time.perf_counter()
        bags = pool(load(options.generator), count)
        drawing = (time.perf_counter() - began) / count * candidates
        other = pool(load(options.other), count) if options.other else None
    except GeneratorError as error:
        print(f"benchmarks.taste: {error}", file=sys.stderr)
        raise SystemExit(2) from error

    likes = {name: opinion(score) for name, score in tastes(bags).items()}
    found: dict[str, dict[str, dict[int, float]]] = {}
    sure: dict[int, list[float]] = {votes: [] for votes in VOTES}
    for view, values in views(bags).items():
        found[view] = {name: {} for name in likes}
        for name in likes:
            for votes in VOTES:
                liked, chance = share(values, values, likes[name], likes[name], votes, repeats, candidates)
                found[view][name][votes] = liked
                if view == USED:
                    sure[votes].append(chance)
    carried = carry_over(bags, other, repeats, candidates) if other else {}

    result = {
        "chance": LIKED,
        "repeats": repeats,
        "candidates": candidates,
        "votes_for_twice_chance": {
            view: {name: enough(shares) for name, shares in (by_taste | {"mean": mean(by_taste)}).items()}
            for view, by_taste in found.items()
        },
        "liked": found,
        "sure": {votes: float(np.mean(chances)) for votes, chances in sure.items()},
        "from_another_generator": carried,
        "drawing_s": round(drawing, 2),
    }
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"Share of picks that are liked; chance is {LIKED:.2f}. {repeats} repeats, {candidates:,} candidates."
    )
    table("hidden taste", found[USED] | {"mean": mean(found[USED]), "said to be sure": result["sure"]})
    print("\nWhat is learnt from (mean of the tastes):")
    table("features", {view: mean(by_taste) for view, by_taste in found.items()})
    print("\nA direction among the latents:")
    table("features", {view: by_taste["latent"] for view, by_taste in found.items()})
    if carried:
        print("\nThe votes were on another generator's bags:")
        table("hidden taste", carried)
    print(f"\n{candidates:,} candidates are drawn in {drawing:.1f} s.")


def carry_over(bags: Pool, other: Pool, repeats: int, candidates: int) -> dict[str, dict[int, float]]:
    """Shares when the votes were on the other generator's bags; no direction among latents outlives one."""
    axes = principal_axes(bags.looks, COMPONENTS)
    picks, seen = bags.looks @ axes, other.looks @ axes
    there = tastes(other)
    found = {
        name: {
            votes: share(picks, seen, opinion(score), opinion(there[name]), votes, repeats, candidates)[0]
            for votes in VOTES
        }
        for name, score in tastes(bags).items()
        if name != "latent"
    }
    return found | {"mean": mean(found)}


def mean(by_taste: dict[str, dict[int, float]]) -> dict[int, float]:
    return {votes: float(np.mean([shares[votes] for shares in by_taste.values()])) for votes in VOTES}


def table(title: str, rows: dict[str, dict[int, float]]) -> None:
    print(f"{title:28}" + "".join(f"{votes:>6}" for votes in VOTES) + "   2× from")
    for name, shares in rows.items():
        twice = f"{enough(shares) or '-':>7}" if name != "said to be sure" else ""
        print(f"{name:28}" + "".join(f"{shares[votes]:6.2f}" for votes in VOTES) + f"   {twice}")


if __name__ == "__main__":
    main()
