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
    # Loaded when it is first needed: it takes a second, and megabytes.
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    looks = _numbers(candidates)
    # More threads are not faster for so little, and would take from who else works here.
    with threadpool_limits(1):
        components = PCA(min(COMPONENTS, *looks.shape), svd_solver="covariance_eigh").fit(looks)
        return thompson(
            components.transform(looks),
            components.transform(_numbers(voted)),
            np.array(up, np.float64),
            np.array(down, np.float64),
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

    # A design's votes are two rows, one liked and one not, weighted by the number of votes.
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
