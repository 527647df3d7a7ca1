"""Folds a generator's batch norms into the convolutions before them, to draw in fewer passes."""

import copy

import torch
from torch import Tensor, nn

from gan import networks
from gan.networks import Blurred, Residual

_DENSE = 16
"""Pixels along a side from which a dense convolution is faster than the transposed one it replaces."""


@torch.no_grad()
def folded(network: networks.Generator) -> nn.Sequential:
    """A copy that computes what the network does with running statistics: float [n, z, 1, 1] → [n, 3, S, S].

    It shares no memory with the network.
    """
    return _folded(network.layers).eval().requires_grad_(False).to(memory_format=torch.channels_last)


class _Block(nn.Module):
    """A residual block with norms and `share` folded in: two passes fewer."""

    def __init__(self, block: Residual) -> None:
        super().__init__()
        self.way = _folded(block.way)
        for part in self.way[-1].parameters():
            part.mul_(block.share)

    def forward(self, features: Tensor) -> Tensor:
        way: Tensor = self.way(features)
        return way.add_(features).relu_()


def _folded(network: nn.Sequential) -> nn.Sequential:
    layers: list[nn.Module] = []
    size = 1
    for at, layer in enumerate(network):
        after = network[at + 1 : at + 2]
        norm = after[0] if after and isinstance(after[0], nn.BatchNorm2d) else None
        if isinstance(layer, nn.ConvTranspose2d):
            layers += _transposed(layer, norm, size)
            size = 4 if size == 1 else size * 2
        elif isinstance(layer, nn.Conv2d):
            scale, shift = _normed(layer.out_channels, norm)
            layers.append(_convolution(layer.weight * scale[:, None, None, None], shift))
        elif isinstance(layer, nn.Upsample):
            layers.append(layer)
            size *= 2
        elif isinstance(layer, Residual):
            layers.append(_Block(layer))
        elif not isinstance(layer, nn.BatchNorm2d):
            layers.append(copy.deepcopy(layer))
    return nn.Sequential(*layers)


def _normed(channels: int, norm: nn.Module | None) -> tuple[Tensor, Tensor]:
    if not isinstance(norm, nn.BatchNorm2d):
        return torch.ones(channels), torch.zeros(channels)
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale


def _transposed(layer: nn.ConvTranspose2d, norm: nn.Module | None, size: int) -> list[nn.Module]:
    scale, shift = _normed(layer.out_channels, norm)
    weight = layer.weight * scale[:, None, None]
    blurred = isinstance(layer, Blurred)
    if size > 1 and (layer.out_channels == 3 or (blurred and size >= _DENSE)):
        kernel = networks.dense_kernel(weight, networks.tap_shares(blurred=blurred))
        return [_convolution(kernel, shift.repeat_interleave(4)), nn.PixelShuffle(2)]
    if blurred:
        # The blur widens the kernel by a pixel each way.
        line = torch.zeros(6, 4)
        for row, share in enumerate((0.25, 0.5, 0.25)):
            line.diagonal(-row).fill_(share)
        weight = (weight.flatten(2) @ torch.kron(line, line).T).reshape(*weight.shape[:2], 6, 6)
    channels, out, sides, _ = weight.shape
    stride, padding = (1, 0) if size == 1 else (2, sides // 2 - 1)
    with torch.device("meta"):  # without weights that would be replaced
        found = nn.ConvTranspose2d(channels, out, sides, stride, padding)
    found.weight, found.bias = nn.Parameter(weight), nn.Parameter(shift)
    return [found]


def _convolution(kernel: Tensor, bias: Tensor) -> nn.Conv2d:
    out, channels, sides, _ = kernel.shape
    with torch.device("meta"):
        found = nn.Conv2d(channels, out, sides, padding=sides // 2)
    found.weight, found.bias = nn.Parameter(kernel.contiguous()), nn.Parameter(bias)
    return found
