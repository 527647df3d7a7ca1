"""The moving average of the generator's weights, which draws better pictures than the latest weights.

EMA for GANs: Yazıcı et al. 2019 (arXiv:1806.04498).
"""

import copy

import torch
from torch import Tensor, nn

from gan import networks
from gan.generator import Shape, noise
from gan.words import Vocabulary

_PASSES = 8
"""Batches of 64 latents over which an averaged generator's batch statistics are recomputed."""


@torch.no_grad()
def update(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the weights of `average` toward those of `network` by 1 − `decay`, in place.

    `step` is the number of updates so far. The first ones average over fewer steps, or the first grids would
    still show the initial weights.
    """
    decay = min(decay, (step + 1) / (step + 10))
    averaged: list[Tensor] = list(average.parameters())
    torch._foreach_lerp_(averaged, list(network.parameters()), 1 - decay)  # one pass instead of a call each


def ready_to_draw(
    network: networks.Generator, shape: Shape, device: torch.device, vocabulary: Vocabulary | None
) -> networks.Generator:
    """A copy of the network (on `device`), on the CPU and in evaluation mode.

    Its batch statistics are recomputed, with words as the data have them: averaged weights do not have those
    of the latest ones.
    """
    network = copy.deepcopy(network).requires_grad_(False)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all passes
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for at in range(_PASSES):
            latents = noise(64, shape, source)
            if vocabulary:
                words = [vocabulary.inputs(vocabulary.own(seed)) for seed in range(at * 64, at * 64 + 64)]
                latents = torch.cat([latents, torch.tensor(words)], dim=1)
            network(latents.to(device))
    for norm in norms:
        norm.momentum = 0.1
    network.cpu().to(memory_format=torch.contiguous_format)
    return network.eval()
