"""Augmentation of batches of pictures, float [n, 3, S, S] in [−1, 1].

`differentiable` is DiffAugment (Zhao et al., NeurIPS 2020, arXiv:2006.10738): the discriminator sees real and
dreamed pictures changed in the same ways, which prevents overfitting on small datasets without teaching the
generator the changes. A policy is a sequence of names from `POLICIES`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def flip(pictures: Tensor, mirrored: Tensor) -> Tensor:
    """The pictures, mirrored left to right where `mirrored` (bool [n]) is true."""
    return torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)


def differentiable(
    pictures: Tensor, policy: Sequence[str], strength: float, source: torch.Generator
) -> Tensor:
    """The pictures, each changed by each rule of the policy with probability `strength` in [0, 1]."""
    if not policy or strength == 0:
        return pictures
    pictures = pictures.contiguous()  # summing over three planes takes a quarter of the time
    for name in policy:
        chosen = torch.rand(len(pictures), generator=source, device=source.device) < strength
        pictures = POLICIES[name](pictures, chosen, source)
    return pictures.contiguous(memory_format=torch.channels_last)


def color(pictures: Tensor, chosen: Tensor, source: torch.Generator) -> Tensor:
    """For the chosen (bool [n]): brightness ± 0.5, then saturation × 0 to 2, then contrast × 0.5 to 1.5."""
    chosen = chosen[:, None, None, None]
    brightness, saturation, contrast = torch.rand(
        3, len(pictures), 1, 1, 1, generator=source, device=source.device
    )
    brightness = torch.where(chosen, brightness - 0.5, 0)
    saturation = torch.where(chosen, saturation * 2, 1)
    contrast = torch.where(chosen, contrast + 0.5, 1)
    # The three multiplied out, to pass over the large tensor only once.
    gray = pictures.mean(dim=1, keepdim=True)
    mean = gray.mean(dim=(2, 3), keepdim=True)
    added = contrast * (1 - saturation) * gray + (brightness + (1 - contrast) * mean)
    return torch.addcmul(added, pictures, contrast * saturation)


def translation(pictures: Tensor, chosen: Tensor, source: torch.Generator) -> Tensor:
    """The chosen (bool [n]) moved by up to an eighth of their size in x and y; uncovered pixels are 0."""
    count, _, _, size = pictures.shape
    reach = size // 8
    moves = torch.randint(-reach, reach + 1, (count, 2), generator=source, device=source.device)
    matrices = torch.eye(2, 3, device=pictures.device).repeat(count, 1, 1)
    matrices[:, :, 2] = moves * chosen[:, None] * 2 / size  # in these coordinates a side is 2 long
    places = affine_grid(matrices, list(pictures.shape), align_corners=False)
    return grid_sample(pictures, places, mode="nearest", padding_mode="zeros", align_corners=False)


def cutout(pictures: Tensor, chosen: Tensor, source: torch.Generator) -> Tensor:
    """In the chosen (bool [n]), a square of half the size, centered anywhere, set to 0."""
    count, _, size, _ = pictures.shape
    centers = torch.randint(0, size + 1, (2, count, 1), generator=source, device=source.device)
    span = torch.arange(size, device=pictures.device)
    in_rows, in_columns = (span - centers + size // 4) // (size // 2) == 0
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :] & chosen[:, None, None, None]
    return pictures.masked_fill(hole, 0)


POLICIES = {"color": color, "translation": translation, "cutout": cutout}
"""Each takes pictures, `chosen` (bool [n]) and a source of randomness."""
