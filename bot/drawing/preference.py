"""What a community likes, learned from its votes. Like `drawing.jobs` it runs in a drawing process.

The model is Bayesian logistic regression on the principal components of looks and on words, its posterior
approximated by a normal distribution around its mode (Laplace; Bishop 2006, section 4.5). A ballot says that
one design is liked over the others of its poll: that is regression on their differences (Bradley and Terry
1952, Rank Analysis of Incomplete Block Designs). Thompson sampling picks by it
(Chapelle and Li 2011, An Empirical Evaluation of Thompson Sampling): weights are drawn from the posterior,
and the bag that they like best is taken: with few votes it explores, with many it decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bot.drawing.look import Traits

COMPONENTS = 16
"""Principal components of looks that are learned from; docs/bot.md compares."""

WORDS = 0.6
"""How far apart words set bags, where looks set them 1 apart; docs/bot.md compares."""

PRIOR_VARIANCE = 4.0
"""Of the log odds that a usual bag is liked, before the first vote."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """The place of the chosen one among the candidates, and the chance in [0, 1] that it is liked."""

    index: int
    chance: float


def choose(
    candidates: Sequence[Traits],
    seen: Sequence[Traits],
    up: Sequence[int],
    down: Sequence[int],
    polls: Sequence[Mapping[int, int]],
    seed: int,
) -> Choice:
    """The best of the candidates by the votes `up` and `down` on the designs `seen` (same lengths).

    A poll has the ballots for each of its designs, by their places in `seen`. The same seed always gives the
    same.
    """
    looks = _looks(candidates)
    # More threads are not faster for so little, and would take from who else works here.
    with threadpool_limits(1):
        axes = principal_axes(looks, COMPONENTS)
        known = sorted({word for _, said in candidates for word in said.split()})
        there, here = ([_looks(some) @ axes, _words(some, known)] for some in (candidates, seen))
        return thompson(
            *scaled(there, here),
            np.array(up, np.float64),
            np.array(down, np.float64),
            pairs(polls),
            seed,
        )


def principal_axes(rows: Floats, most: int) -> Floats:
    """The n = min(most, m, d) directions [d, n] in which the rows [m, d] vary most, greatest first."""
    _, axes = np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))
    axes = axes[:, ::-1][:, : min(most, *rows.shape)]
    # An axis has two ends; which one is positive must not depend on the library that found it.
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return axes * np.where(largest < 0, -1, 1)


def pairs(polls: Sequence[Mapping[int, int]]) -> NDArray[np.int64]:
    """What polls say of each two of their designs, [n, 4]: the places of both, and the ballots for each."""
    both = [
        (one, other, poll[one], poll[other])
        for poll in polls
        for one, other in combinations(poll, 2)
        if poll[one] or poll[other]
    ]
    return np.array(both, np.int64).reshape(-1, 4)


def scaled(candidates: Sequence[Floats], seen: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Looks [n, d] and words [n, w] of candidates and of others, together [n, d + w]: none drowns the other.

    Around the mean of the candidates they have lengths of 1 and WORDS on average, so that the prior means the
    same to all features.
    """
    parts = []
    for here, there, far in zip(candidates, seen, (1.0, WORDS), strict=True):
        center = here.mean(axis=0)
        length = np.sqrt(np.square(here - center).sum(axis=1).mean()) or 1.0
        parts.append([far * (rows - center) / length for rows in (here, there)])
    both = [np.hstack(each) for each in zip(*parts, strict=True)]
    return both[0], both[1]


def thompson(
    candidates: Floats, seen: Floats, up: Floats, down: Floats, polled: NDArray[np.int64], seed: int
) -> Choice:
    """The best of the candidates [n, d] by the votes up [m] and down [m] on others [m, d], and by `pairs`."""
    # One more, for the intercept; between two designs it makes no difference.
    rated, bags = (np.pad(rows, ((0, 0), (0, 1)), constant_values=1) for rows in (seen, candidates))
    one, other, for_one, for_other = polled.T
    x = np.vstack([rated, rated[one] - rated[other]])
    up, down = np.concatenate([up, for_one]), np.concatenate([down, for_other])
    mode, precision = posterior(x, up, down)
    root = np.linalg.cholesky(precision)
    weights = mode + np.linalg.solve(root.T, np.random.default_rng(seed).standard_normal(len(mode)))
    best = int(np.argmax(bags @ weights))
    variance = np.square(np.linalg.solve(root, bags[best])).sum()
    # The mean of the sigmoid over a normal distribution, nearly: MacKay 1992, The Evidence Framework.
    return Choice(best, float(_sigmoid(bags[best] @ mode / np.sqrt(1 + np.pi / 8 * variance))))


def _looks(designs: Sequence[Traits]) -> Floats:
    looks = b"".join(one for one, _ in designs)
    return np.frombuffer(looks, np.uint8).reshape(len(designs), -1).astype(np.float64)


def _words(designs: Sequence[Traits], known: Sequence[str]) -> Floats:
    return np.array([[word in said.split() for word in known] for _, said in designs], np.float64)


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


def _sigmoid(x: Floats) -> Floats:
    return (1 + np.tanh(x / 2)) / 2
