"""From a photo to the latent whose dream is most like it: GAN inversion.

As in Zhu et al. 2016 (arXiv:1609.03552), gradient descent begins at the best of many latents. It stays where
latents are: longer or shorter ones draw no bags.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gan.generator import Generator

SEEDS = 2048
"""The search begins among the latents of so many seeds, with their own words."""
STARTS = 8
"""With the best so many of them words are tried."""
ROUNDS = ((8, 20), (3, 40), (1, 60))
"""The best so many are improved in so many steps of gradient descent."""
RATE = 0.1
"""Of Adam, in the first step of a round; the numbers of a latent are about 1."""
SIDES = (8, 16, 32)
"""Pixels along a side at which pictures are compared, beside their own: a shape may be a little off."""
COARSE = 16
"""Pixels along a side at which those of the seeds are compared."""
EDGES = 0.5
"""Weight of the differences between neighboring pixels, which make shapes, against that of the pixels."""


def invert(generator: Generator, photo: NDArray[np.uint8], words: Sequence[str] = ()) -> Tensor:
    """The latent float [z + w] whose picture is most like a photo uint8 [S, S, 3], S the generator's size.

    It has the given words of the vocabulary, and of each other facet the word that brings it nearest. The
    same photo always gives the same.
    """
    target = torch.tensor(photo).permute(2, 0, 1)[None] / 127.5 - 1
    latents = _best_seeds(generator, target)
    at = generator.z_size
    for facet in generator.vocabulary.facets if generator.vocabulary else ():
        inputs = torch.eye(len(facet.words))
        tried = [inputs[number] for number, word in enumerate(facet.words) if word in words] or list(inputs)
        latents = _with_best_word(generator, latents, at, torch.stack(tried), target)
        at += len(facet.words)
    for count, steps in ROUNDS:
        latents = _improved(generator, latents[:count], steps, target)
    return latents[0]


@torch.inference_mode()
def _best_seeds(generator: Generator, target: Tensor) -> Tensor:
    """The latents [STARTS, z + w] of the seeds whose pictures are most like the target [1, 3, S, S]."""
    latents, pictures = _dreams(generator)
    far = _distance(pictures, avg_pool2d(target, target.shape[-1] // COARSE))
    return latents[far.argsort(stable=True)[:STARTS]].clone()


@lru_cache(maxsize=2)
def _dreams(generator: Generator) -> tuple[Tensor, Tensor]:
    """The seeds' latents [SEEDS, z + w] and pictures [SEEDS, 3, COARSE, COARSE]: the same for every photo."""
    latents = generator.latents(range(SEEDS))
    cell = generator.image_size // COARSE
    pictures = [avg_pool2d(generator.pictures(some), cell) for some in torch.split(latents, 32)]
    return latents, torch.cat(pictures)


@torch.inference_mode()
def _with_best_word(generator: Generator, latents: Tensor, at: int, words: Tensor, target: Tensor) -> Tensor:
    """The latents [n, z + w], each with the best for it of a facet's words: k inputs [k, m] from `at` on."""
    count, width = words.shape
    tried = latents.repeat_interleave(count, dim=0)
    tried[:, at : at + width] = words.repeat(len(latents), 1)
    far = torch.cat([_distance(generator.pictures(some), target) for some in torch.split(tried, 32)])
    best = latents.clone()
    best[:, at : at + width] = words[far.reshape(len(latents), count).argmin(dim=1)]
    return best


def _improved(generator: Generator, latents: Tensor, steps: int, target: Tensor) -> Tensor:
    """The latents [n, z + w] after steps of gradient descent on their z; the most alike first."""
    z, words = latents[:, : generator.z_size].clone(), latents[:, generator.z_size :].clone()
    length = z.norm(dim=1, keepdim=True)
    z.requires_grad_()
    optimizer = torch.optim.Adam([z])
    best, least = z.detach().clone(), torch.full((len(z),), math.inf)
    for step in range(steps + 1):
        far = _distance(generator.pictures(torch.cat([z, words], dim=1)), target)
        with torch.no_grad():
            closer = far < least
            best[closer], least[closer] = z[closer], far[closer]
        if step == steps:
            break
        optimizer.zero_grad()
        torch.autograd.backward(far.sum())
        optimizer.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / steps)) / 2
        optimizer.step()
        with torch.no_grad():
            if generator.shape.z == "uniform":
                z.clamp_(-1, 1)
            else:
                z.mul_(length / z.norm(dim=1, keepdim=True))
    return torch.cat([best, words], dim=1)[least.argsort(stable=True)]


def _distance(pictures: Tensor, target: Tensor) -> Tensor:
    """How unlike pictures [n, 3, s, s] are to the target [1, 3, s, s]: [n], 0 for the same."""
    apart = pictures - target
    far = torch.zeros(len(pictures))
    for side in (*SIDES, target.shape[-1]):
        if side <= target.shape[-1]:
            coarse = avg_pool2d(apart, target.shape[-1] // side)
            across, down = coarse.diff(dim=3), coarse.diff(dim=2)
            edges = across.square().mean(dim=(1, 2, 3)) + down.square().mean(dim=(1, 2, 3))
            far = far + coarse.square().mean(dim=(1, 2, 3)) + EDGES * edges
    return far
