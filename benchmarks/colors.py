"""Learns to name the colors of bags from tagged photos, and measures it on photos that it has not seen.

    python -m benchmarks.colors PHOTOS [--json]

PHOTOS is what `python -m scraper import` takes: a folder with a table of tags. Prints how many photos with
each tag get its name, by five-fold cross-validation (with the bag cut out, as in a crawl, and whole, as a
dream) and from `scraper.colors` as it is now (which may have learned from these very photos), and the SCORES
for that module. Beside the photos it learns plain shades that everybody would call so, some with a quarter in
another color: few photos are magenta or turquoise, but dreams may be.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

# When this runs as a file, its own folder comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scraper.colors import bag_pixels, features, name_color
from scraper.decode import PictureError
from scraper.sources import open_source
from scraper.square import Square, square
from scraper.tags import normalize

SIZE = 64
SHADES = {
    "beige": "d6c2a0 c8af8c d2b48c c3b092 968773 c19a6b e8d6ba",
    "black": "141416 000000 2d2d30 1e1c22",
    "blue": "1e3ca0 1e2850 288084 84b6de 008080 4682b4 40e0d0 000080 141e3c",
    "brown": "784828 5a3825 965a32 654321 9a461e 3c281e 8b4513",
    "gray": "828284 5a5c5f aaaaac 708090 808080 96928c",
    "green": "28823c 70723a 808000 145032 96c878 aaf0c8 556b2f 3cb371",
    "orange": "f0821e ff7f50 cc5500 ff8c00 f06428",
    "pink": "eb6eb4 c63480 ffb6c1 fa8072 de8c96 ff69b4 f0bec8",
    "purple": "7832a0 4b0082 9678b4 5a285a c8a2c8 800080",
    "red": "c81e28 68182a 800020 dc2828 800000 be2828 b22222",
    "white": "e4e2de f5f4f0 f0eee6 f5f0e1 e9e9ec",
    "yellow": "ebc828 ffdc3c e1ad01 fff44f fada5e",
}
"""Shades of each color in hexadecimal, from CSS and from what shops call so."""


def shade(rgb: str, grain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The pixels of a bag in one shade, uint8 [3, 400], with some shadow and grain."""
    levels = np.array([[level] for level in bytes.fromhex(rgb)]) * (1 - 0.12 * grain * rng.random(400) ** 2)
    return np.clip(levels + rng.normal(0, 1.5 * grain, (3, 400)), 0, 255).astype(np.uint8)


def plain_bags() -> list[tuple[str, NDArray[np.float32]]]:
    """Names and features of bags in one shade, and of such with a quarter in another."""
    rng = np.random.default_rng(0)
    shades = [(name, each) for name, all_ in SHADES.items() for each in all_.split()]
    found = []
    for name, each in shades:
        found += [(name, features(shade(each, grain, rng))) for grain in (0, 1, 2)]
        for at in rng.choice(len(shades), 3, replace=False):
            quarter = shade(shades[at][1], 1, rng)[:, :100]
            found.append((name, features(np.concatenate((shade(each, 1, rng)[:, 100:], quarter), axis=1))))
    return found


def photos(folder: Path) -> list[tuple[str, Square]]:
    """The tag and the square of each photo that has a color with a name here."""
    source = open_source(folder)
    found = []
    for entry in source.entries():
        tag = normalize(source.found(entry)).color
        if tag in SHADES:
            try:
                found.append((tag, square(entry.read(10**8), SIZE, 10**8)))
            except PictureError:
                continue
    return found


def numbers(made: Square, *, as_cut: bool) -> NDArray[np.float32]:
    """A square's features, with the bag cut out or as it is; of a bag that is not found, those of all."""
    chosen = bag_pixels(made.pixels, made.bag if as_cut else None)
    return features(made.pixels.reshape(-1, 3).T if chosen is None else chosen)


class Namer:
    """Names a color by its features."""

    def __init__(self, seen: NDArray[np.float32], tags: NDArray[np.str_]) -> None:
        shades = plain_bags()
        # Rare tags count more than their number, but less than as if all were equally frequent.
        counts = Counter(tags.tolist())
        weights = [(len(tags) / len(counts) / counts[tag]) ** 0.5 for tag in tags.tolist()]
        self.model = LogisticRegression(C=20, max_iter=5000)
        self.model.fit(
            np.concatenate([seen, [each for _, each in shades]]),
            np.concatenate([tags, [name for name, _ in shades]]),
            np.concatenate([weights, np.full(len(shades), 1.5)]),
        )

    def scores(self) -> dict[str, list[float]]:
        """The weights and the bias of each color."""
        rows = np.column_stack([self.model.coef_, self.model.intercept_])
        return dict(zip(self.model.classes_.tolist(), rows.round(2).tolist(), strict=True))


def main() -> None:
    """Prints the shares of right names, and the scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = photos(options.photos)
    tags = np.array([tag for tag, _ in found])
    cut, whole = (np.array([numbers(made, as_cut=as_cut) for _, made in found]) for as_cut in (True, False))
    named = {"cut out": np.empty_like(tags), "whole": np.empty_like(tags)}
    for seen, unseen in StratifiedKFold(5, shuffle=True, random_state=0).split(tags, tags):
        namer = Namer(np.concatenate([cut[seen], whole[seen]]), np.concatenate([tags[seen], tags[seen]]))
        for names, seen_as in zip(named.values(), (cut, whole), strict=True):
            names[unseen] = namer.model.predict(seen_as[unseen])
    named["now"] = np.array([c.name if (c := name_color(made.pixels, made.bag)) else "" for _, made in found])
    right = {
        tag: {way: float((names == tag)[tags == tag].mean()) for way, names in named.items()}
        for tag in SHADES
    }
    overall = {way: float((names == tags).mean()) for way, names in named.items()}
    scores = Namer(np.concatenate([cut, whole]), np.concatenate([tags, tags])).scores()
    if options.json:
        print(json.dumps({"photos": len(tags), "right": right, "all": overall, "scores": scores}))
        return
    print(f"{'':8}{'photos':>8}" + "".join(f"{way:>9}" for way in named))
    for tag, shares in {**right, "all": overall}.items():
        count = np.count_nonzero(tags == tag) if tag in right else len(tags)
        print(f"{tag:8}{count:8}" + "".join(f"{share:9.1%}" for share in shares.values()))
    print("SCORES: Final = {")
    for name, row in scores.items():
        print(f'    "{name}": ({", ".join(f"{weight:.2f}" for weight in row)}),')
    print("}")


if __name__ == "__main__":
    main()
