"""Augmentation as batched tensor code. Pictures are float [n, 3, S, S] in [−1, 1]."""

import torch
from torch import Tensor


def flip(pictures: Tensor, mirrored: Tensor) -> Tensor:
    """The pictures, those where `mirrored` (bool [n]) mirrored left to right."""
    return torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
