"""The words of real pictures as the networks get them in training.

`numbers` are int [n, F]: each picture's word in each of F facets, or UNKNOWN; `sizes` is the number of words
of each facet, w of them together.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from gan.words import UNKNOWN

_NONE = 0.1
"""Share of pictures that are shown without any words."""
_FEWER = 0.2
"""Share of the other pictures' words that are left out, so that each word also works without the others."""


def told(numbers: Tensor, sizes: Sequence[int], source: torch.Generator) -> Tensor:
    """What the networks are told of each picture: float [n, w], 1 for each of its words, 0 for all others.

    Words are left out at random, drawn from `source`, on the device of `numbers`.
    """
    none = torch.rand(len(numbers), 1, generator=source, device=source.device) < _NONE
    fewer = torch.rand(numbers.shape, generator=source, device=source.device) < _FEWER
    known = numbers.long().masked_fill(none | fewer, UNKNOWN)
    # Numbers from 1 on, so that the first column is that of the unknown ones, and is cut off.
    parts = [one_hot(known[:, at] + 1, size + 1)[:, 1:] for at, size in enumerate(sizes)]
    return torch.cat(parts, dim=1).float()


def mistakes(scores: Tensor, numbers: Tensor, sizes: Sequence[int]) -> Tensor:
    """How badly the scores float [n, w] tell the pictures' words: each facet's cross-entropy over its words,
    where the word is known, summed over facets and averaged over pictures: float [].
    """
    found = scores.new_zeros(())
    for part, right in zip(torch.split(scores, list(sizes), dim=1), numbers.long().unbind(1), strict=True):
        found = found + cross_entropy(part, right, ignore_index=UNKNOWN, reduction="sum")
    return found / len(numbers)
