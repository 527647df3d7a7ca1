"""What a community likes, learned from its votes. Like `drawing.jobs` it runs in a drawing process.

The model is Bayesian logistic regression on the principal components of looks, its posterior approximated by
a normal distribution around its mode (Laplace; Bishop 2006, section 4.5). Thompson sampling picks by it
(Chapelle and Li 2011, An Empirical Evaluation of Thompson Sampling): weights are drawn from the posterior,
and the bag that they like best is taken: with few votes it explores, with many it decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

COMPONENTS = 16
"""Principal components of looks that are learned from; docs/bot.md compares."""

PRIOR_VARIANCE = 4.0
"""Of the log odds that a usual bag is liked, before the first vote."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """The place of the chosen one among the candidates, and the chance in [0, 1] that it is liked."""

    index: int
    chance: float


def choose(
    candidates: Sequence[bytes], voted: Sequence[bytes], up: Sequence[int], down: Sequence[int], seed: int
) -> Choice:
    """The best of the looks `candidates` by the votes `up` and `down` on the looks `voted` (same lengths).

    The same seed always gives the same.
    """
    looks = _numbers(candidates)
    # More threads are not faster for so little, and would take from who else works here.
    with threadpool_limits(1):
        axes = principal_axes(looks, COMPONENTS)
        return thompson(
            looks @ axes,
            _numbers(voted) @ axes,
            np.array(up, np.float64),
            np.array(down, np.float64),
            seed,
        )


def principal_axes(rows: Floats, most: int) -> Floats:
    """The n = min(most, m, d) directions [d, n] in which the rows [m, d] vary most, greatest first."""
    _, axes = np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))
    axes = axes[:, ::-1][:, : min(most, *rows.shape)]
    # An axis has two ends; which one is positive must not depend on the library that found it.
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return axes * np.where(largest < 0, -1, 1)


def thompson(candidates: Floats, voted: Floats, up: Floats, down: Floats, seed: int) -> Choice:
    """The best of the candidates [n, d] by the votes up [m] and down [m] on others [m, d]."""
    center = candidates.mean(axis=0)
    # Lengths of 1 on average (so that the prior means the same to all features), and one for the intercept.
    length = np.sqrt(np.square(candidates - center).sum(axis=1).mean()) or 1.0
    x, bags = (
        np.pad((rows - center) / length, ((0, 0), (0, 1)), constant_values=1) for rows in (voted, candidates)
    )
    mode, precision = posterior(x, up, down)
    root = np.linalg.cholesky(precision)
    weights = mode + np.linalg.solve(root.T, np.random.default_rng(seed).standard_normal(len(mode)))
    best = int(np.argmax(bags @ weights))
    variance = np.square(np.linalg.solve(root, bags[best])).sum()
    # The mean of the sigmoid over a normal distribution, nearly: MacKay 1992, The Evidence Framework.
    return Choice(best, float(_sigmoid(bags[best] @ mode / np.sqrt(1 + np.pi / 8 * variance))))


def posterior(x: Floats, up: Floats, down: Floats) -> tuple[Floats, Floats]:
    """The mode [d] of the weights after the votes up [m] and down [m] on x [m, d], and the precision [d, d].

    By Newton's method (Bishop 2006, section 4.3.3); a step that overshoots is halved.
    """

    def log_density(weights: Floats) -> float:
        odds = x @ weights
        likelihood = up @ np.logaddexp(0, -odds) + down @ np.logaddexp(0, odds)
        return float(-likelihood - weights @ weights / (2 * PRIOR_VARIANCE))

    mode = np.zeros(x.shape[1])
    for _ in range(100):
        liked = _sigmoid(x @ mode)
        precision = (x * ((up + down) * liked * (1 - liked))[:, None]).T @ x
        precision[np.diag_indices_from(precision)] += 1 / PRIOR_VARIANCE
        gradient = x.T @ (up - (up + down) * liked) - mode / PRIOR_VARIANCE
        step = np.linalg.solve(precision, gradient)
        if gradient @ step < 1e-9:
            break
        while log_density(mode + step) < log_density(mode):
            step /= 2
        mode += step
    return mode, precision


def _numbers(looks: Sequence[bytes]) -> Floats:
    return np.frombuffer(b"".join(looks), np.uint8).reshape(len(looks), -1).astype(np.float64)


def _sigmoid(x: Floats) -> Floats:
    return (1 + np.tanh(x / 2)) / 2
