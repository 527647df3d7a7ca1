"""From bag to bag: the way through latents, and the pictures along it."""

import torch
from PIL import Image
from torch import Tensor

from gan.generator import Generator


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The latent float [z] at 0 ≤ t ≤ 1 on the arc from a to b, both float [z].

    Spherical interpolation, White 2016 (arXiv:1609.04468): latents of many dimensions lie near a sphere,
    which a straight line would leave. The length changes gradually from that of a to that of b.
    """
    cosine = torch.clamp(torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12), -1, 1)
    angle = torch.arccos(cosine)
    sine = torch.sin(angle)
    if sine < 1e-4:  # same or opposite directions: no arc between them, or no unique one
        return torch.lerp(a, b, t)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / sine


def between(a: Tensor, b: Tensor, t: float, z_size: int) -> Tensor:
    """The latent float [z + w] at 0 ≤ t ≤ 1 between a and b: on the arc of their z, words mixed evenly."""
    z = slerp(a[:z_size], b[:z_size], t)
    return torch.cat([z, torch.lerp(a[z_size:], b[z_size:], t)])


def path(latents: Tensor, frames: int, z_size: int, loop: bool = False) -> Tensor:
    """`frames` latents float [frames, z + w], evenly spaced on the way through the latents [k, z + w].

    They lead from the first to the last one; with `loop` also back, ending one step before the start.
    """
    stops = torch.cat([latents, latents[:1]]) if loop else latents
    arcs = len(stops) - 1
    if arcs == 0:
        return latents.expand(frames, -1)
    way = torch.linspace(0, arcs, frames + 1 if loop else frames)[:frames].tolist()
    spots = [(min(int(at), arcs - 1), at) for at in way]
    return torch.stack([between(stops[arc], stops[arc + 1], at - arc, z_size) for arc, at in spots])


def interpolation(
    generator: Generator, latents: Tensor, frames: int, loop: bool = False
) -> list[Image.Image]:
    """`frames` RGB pictures of S×S pixels on the way through the latents [k, z + w]; see `path`."""
    way = path(latents, frames, generator.z_size, loop)
    return [Image.fromarray(image) for image in generator.draw(way)]
