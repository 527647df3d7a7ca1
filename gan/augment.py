"""Augmentation as batched tensor code. Pictures are float [n, 3, S, S] in [−1, 1].

`differentiable` is DiffAugment (Zhao et al., NeurIPS 2020, arXiv:2006.10738): the discriminator sees real and
dreamed pictures changed in the same ways, so that it cannot learn a small dataset by heart and the generator
does not learn the changes. A policy is some of the names in `POLICIES`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad


def flip(pictures: Tensor, mirrored: Tensor) -> Tensor:
    """The pictures, those where `mirrored` (bool [n]) mirrored left to right."""
    return torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)


def differentiable(
    pictures: Tensor, policy: Sequence[str], strength: float, source: torch.Generator
) -> Tensor:
    """The pictures, each changed by every rule of the policy with the probability `strength` in [0, 1]."""
    for name in policy:
        chosen = torch.rand(len(pictures), 1, 1, 1, generator=source, device=source.device) < strength
        pictures = torch.where(chosen, POLICIES[name](pictures, source), pictures)
    return pictures


def color(pictures: Tensor, source: torch.Generator) -> Tensor:
    """Brightness by ± 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = torch.rand(
        3, len(pictures), 1, 1, 1, generator=source, device=source.device
    )
    pictures = pictures + (brightness - 0.5)
    gray = pictures.mean(dim=1, keepdim=True)
    pictures = gray + (pictures - gray) * (saturation * 2)
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    changed: Tensor = mean + (pictures - mean) * (contrast + 0.5)
    return changed


def translation(pictures: Tensor, source: torch.Generator) -> Tensor:
    """Moved by up to an eighth each way; what comes in is 0."""
    count, _, size, _ = pictures.shape
    reach = size // 8
    down, right = torch.randint(0, 2 * reach + 1, (2, count), generator=source, device=source.device)
    span = torch.arange(size, device=pictures.device)
    rows, columns = down[:, None] + span, right[:, None] + span
    padded = pad(pictures, (reach,) * 4).permute(0, 2, 3, 1)
    each = torch.arange(count, device=pictures.device)[:, None, None]
    moved: Tensor = padded[each, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def cutout(pictures: Tensor, source: torch.Generator) -> Tensor:
    """A square of half the size, anywhere, made 0."""
    count, _, size, _ = pictures.shape
    centers = torch.randint(0, size + 1, (2, count, 1), generator=source, device=source.device)
    span = torch.arange(size, device=pictures.device)
    in_rows, in_columns = (span - centers + size // 4) // (size // 2) == 0
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return pictures.masked_fill(hole, 0)


POLICIES = {"color": color, "translation": translation, "cutout": cutout}
