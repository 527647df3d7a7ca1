"""What a community likes, learnt from its votes. Like `render` it runs in the drawing process.

The model is Bayesian logistic regression on the principal components of looks, its posterior approximated by
a normal distribution around its mode (Laplace; Bishop 2006, section 4.5). Thompson sampling picks by it
(Chapelle and Li 2011, An Empirical Evaluation of Thompson Sampling): weights are drawn from the posterior,
and the bag that they like best is taken. So few votes explore and many decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
"""Fields along a side of a look."""

COMPONENTS = 16
"""Principal components of looks that are learnt from; docs/bot.md compares."""

PRIOR_VARIANCE = 4.0
"""Of the log odds that a usual bag is liked, before the first vote."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Opinion:
    """What a design looks like, and how many votes it got for and against it."""

    look: bytes
    up: int
    down: int


@dataclass(frozen=True)
class Choice:
    """The place of the chosen one among the candidates, and the chance in [0, 1] that it is liked."""

    index: int
    chance: float


def look(image: NDArray[np.uint8]) -> bytes:
    """A picture uint8 [S, S, 3] in little, SIDE × SIDE × 4 bytes; S is a multiple of SIDE.

    Of each field the mean red, green and blue, and how much its gray varies (the standard deviation, twice).
    It is kept because latents mean something else to every generator, while a picture stays a picture.
    """
    colors = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    gray = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    fields = gray.reshape(SIDE, len(gray) // SIDE, SIDE, -1)
    contrast = np.clip(2 * fields.std(axis=(1, 3)), 0, 255).astype(np.uint8)
    return np.dstack([np.asarray(colors), contrast]).tobytes()


def draw_looks(path: Path, seeds: Sequence[int]) -> list[bytes]:
    """The looks of the designs that a generator file draws from seeds. Raises GeneratorError."""
    from gan import generator

    loaded = generator.load(path)
    return [look(image) for image in loaded.draw(loaded.latents(seeds))]


def choose(candidates: Sequence[bytes], opinions: Sequence[Opinion], seed: int) -> Choice:
    """The best of the looks `candidates` by opinions on other designs: for the same seed always the same."""
    # Loaded when it is first needed: it takes a second, and megabytes.
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    looks = _numbers(candidates)
    # More threads are not faster for so little, and would take from who else works here.
    with threadpool_limits(1):
        components = PCA(min(COMPONENTS, *looks.shape), svd_solver="covariance_eigh").fit(looks)
        return thompson(
            components.transform(looks),
            components.transform(_numbers([opinion.look for opinion in opinions])),
            np.array([opinion.up for opinion in opinions], np.float64),
            np.array([opinion.down for opinion in opinions], np.float64),
            seed,
        )


def thompson(candidates: Floats, voted: Floats, up: Floats, down: Floats, seed: int) -> Choice:
    """The best of the candidates [n, d] by the votes up [m] and down [m] on others [m, d]."""
    from sklearn.linear_model import LogisticRegression

    center = candidates.mean(axis=0)
    # Lengths of 1 on average (so that the prior means the same to all features), and one for the intercept.
    length = np.sqrt(np.square(candidates - center).sum(axis=1).mean()) or 1.0
    x, bags = (
        np.pad((rows - center) / length, ((0, 0), (0, 1)), constant_values=1) for rows in (voted, candidates)
    )

    # A design's votes are two rows, one that is liked and one that is not, of so much weight.
    model = LogisticRegression(C=PRIOR_VARIANCE, fit_intercept=False, solver="newton-cholesky")
    model.fit(np.vstack([x, x]), np.repeat([1, 0], len(x)), np.concatenate([up, down]))
    mode = model.coef_[0]
    liked = _sigmoid(x @ mode)
    precision = (x * ((up + down) * liked * (1 - liked))[:, None]).T @ x
    precision[np.diag_indices_from(precision)] += 1 / PRIOR_VARIANCE
    root = np.linalg.cholesky(precision)

    weights = mode + np.linalg.solve(root.T, np.random.default_rng(seed).standard_normal(len(mode)))
    best = int(np.argmax(bags @ weights))
    variance = np.square(np.linalg.solve(root, bags[best])).sum()
    # The mean of the sigmoid over a normal distribution, nearly: MacKay 1992, The Evidence Framework.
    return Choice(best, float(_sigmoid(bags[best] @ mode / np.sqrt(1 + np.pi / 8 * variance))))


def _numbers(looks: Sequence[bytes]) -> Floats:
    return np.frombuffer(b"".join(looks), np.uint8).reshape(len(looks), -1).astype(np.float64)


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))
