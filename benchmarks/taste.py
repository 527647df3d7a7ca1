"""Does a learnt taste pick better than chance? Simulated communities with hidden tastes vote on real dreams.

    python -m benchmarks.taste generator.safetensors [--other another.safetensors] [--quick] [--json]

A community likes the quarter of all bags that has most of something: red, darkness, width, texture, or a
direction among the latents. Chance therefore gives 25 % liked picks. If the generator knows such words, there
are also communities that like what is called red, or a clutch, which fewer bags are. Votes are noisy: near
the edge of the quarter people disagree, and one vote in twenty each way is a slip. Every design shown gets
two votes. Each figure is the share of picks that are liked, each the one of 2,048 candidates (1,024 with
--quick).

--ballots: instead of votes, each is a ballot of a poll between four of the designs, for the one liked most.

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
from bot.drawing.preference import COMPONENTS, pairs, principal_axes, scaled, thompson
from gan.generator import Generator, GeneratorError, load

VOTES = (5, 10, 20, 40, 80, 160, 320, 640)
LIKED = 0.25
USED = f"look, {COMPONENTS} components, words"
LOOK = f"look, {COMPONENTS} components"
SAID = ("red", "clutch")
"""The words that communities like, if the generator knows them."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Designs of one generator: z [n, z], pictures uint8 [n, S, S, 3], looks [n, 256] and words [n, w]."""

    latents: Floats
    pictures: NDArray[np.uint8]
    looks: Floats
    words: Floats
    names: tuple[str, ...]


def pool(generator: Generator, count: int) -> Pool:
    latents = generator.latents(range(count))
    pictures = generator.draw(latents)
    looks = np.stack([np.frombuffer(look(picture), np.uint8) for picture in pictures])
    numbers = latents.numpy().astype(float)
    z, words = numbers[:, : generator.z_size], numbers[:, generator.z_size :]
    names = generator.vocabulary.words if generator.vocabulary else ()
    return Pool(z, pictures, looks.astype(float), words, names)


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
    said = {f"called {word}": bags.words[:, bags.names.index(word)] for word in SAID if word in bags.names}
    return said | {
        "red": (red * bag).sum(axis=(1, 2)) / area,
        "dark": -(gray * bag).sum(axis=(1, 2)) / area,
        "wide": wide / np.maximum(tall, 1),
        "texture": (edges * bag[:, 1:, 1:]).sum(axis=(1, 2)) / area,
        "latent": bags.latents @ direction,
    }


def opinion(score: Floats) -> Floats:
    """Distance [n] to the edge of what is liked, in standard deviations of a community's taste."""
    if set(score) <= {0, 1}:
        return 8 * (score - 0.5)
    noise = np.random.default_rng(0).random(len(score))  # width comes in steps: ties are drawn by lot
    rank = np.argsort(np.lexsort((noise, score))) / len(score)
    return 8 * (rank - (1 - LIKED))


def views(bags: Pool) -> dict[str, Floats]:
    """What may be learnt from, [n, d] each."""

    def components(values: Floats, count: int) -> Floats:
        return values @ principal_axes(values, count)

    def alike(values: Floats) -> Floats:
        centered = values - values.mean(axis=0)
        return centered / (np.sqrt(np.square(centered).sum(axis=1).mean()) or 1)

    colors = bags.looks.reshape(len(bags.looks), -1, 4)[..., :3].reshape(len(bags.looks), -1)
    small = components(bags.looks, COMPONENTS)
    return {
        USED: scaled([small, bags.words], [small, bags.words])[0],
        LOOK: alike(small),
        "look, whole": alike(bags.looks),
        f"its colors, {COMPONENTS} components": alike(components(colors, COMPONENTS)),
        "latents": alike(bags.latents),
        "look and latents": np.hstack([alike(small), alike(bags.latents)]),
    }


def share(
    picks: Floats,
    seen: Floats,
    likes: Floats,
    shown_likes: Floats,
    votes: int,
    repeats: int,
    candidates: int,
    ballots: bool = False,
) -> tuple[float, float]:
    """The share of picks liked after so many votes, and the mean chance that the model gave them."""
    hits, chances = [], []
    for repeat in range(repeats):
        rng = np.random.default_rng([repeat, votes])
        among = rng.choice(len(picks), candidates, replace=False)
        if ballots:
            choice = thompson(picks[among], *polled(rng, seen, shown_likes, votes), repeat)
            hits.append(likes[among[choice.index]] > 0)
            chances.append(choice.chance)
            continue
        shown = rng.choice(len(seen), (votes + 1) // 2, replace=False)
        voters = shown[np.arange(votes) % len(shown)]
        agrees = 0.05 + 0.9 / (1 + np.exp(-2 * shown_likes[voters]))
        voted = rng.random(votes) < agrees
        up = np.bincount(np.arange(votes) % len(shown), voted, len(shown))
        down = np.bincount(np.arange(votes) % len(shown), ~voted, len(shown))
        choice = thompson(picks[among], seen[shown], up, down, pairs([]), repeat)
        hits.append(likes[among[choice.index]] > 0)
        chances.append(choice.chance)
    return float(np.mean(hits)), float(np.mean(chances))


def polled(
    rng: np.random.Generator, seen: Floats, likes: Floats, count: int
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """So many ballots, two in each poll between four designs: the designs, no votes, and what polls say."""
    shown = rng.choice(len(seen), 4 * ((count + 1) // 2), replace=True)
    polls = [dict.fromkeys(range(at, at + 4), 0) for at in range(0, len(shown), 4)]
    for ballot in range(count):
        poll = polls[ballot % len(polls)]
        # As noisy as votes: a logistic noise of the same size on each.
        wanted = [2 * likes[shown[place]] + rng.logistic() for place in poll]
        poll[list(poll)[int(np.argmax(wanted))] if rng.random() > 0.1 else int(rng.choice(list(poll)))] += 1
    none = np.zeros(len(shown))
    return seen[shown], none, none, pairs(polls)


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
    parser.add_argument("--ballots", action="store_true", help="ballots of polls instead of votes")
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
                liked, chance = share(
                    values, values, likes[name], likes[name], votes, repeats, candidates, options.ballots
                )
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
    looks, theirs = bags.looks @ axes, other.looks @ axes
    words = np.zeros((len(other.looks), len(bags.names)))
    for place, name in enumerate(bags.names):
        if name in other.names:
            words[:, place] = other.words[:, other.names.index(name)]
    picks, seen = scaled([looks, bags.words], [theirs, words])
    there = tastes(other)
    found = {
        name: {
            votes: share(picks, seen, opinion(score), opinion(there[name]), votes, repeats, candidates)[0]
            for votes in VOTES
        }
        for name, score in tastes(bags).items()
        if name != "latent" and name in there
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
