"""The two networks: a DCGAN's (Radford et al. 2016, arXiv:1511.06434), for any size of 4·2ⁿ pixels.

Pictures are float [n, 3, S, S] in [−1, 1]; latents are float [n, z].
"""

import itertools
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SIZES = (32, 64, 128, 256)
"""The picture sizes (pixels) there are networks for."""

# The originals wrote BatchNorm2d(c, 0.8), which sets eps and not the momentum that was meant.
EPS = 1e-5

Norm = Literal["none", "batch", "spectral"]
Init = Literal["he", "dcgan"]


def widths(channels: int, image_size: int) -> list[int]:
    """Channels of the stages 4, 8, … image_size/2 pixels wide: `channels`, halved at each, never below 8."""
    return [max(channels >> stage, min(channels, 8)) for stage in range(image_size.bit_length() - 3)]


class Generator(nn.Module):
    """z → 4×4 → doubled by transposed convolutions → 3×S×S in (−1, 1)."""

    def __init__(self, z_size: int, channels: int, image_size: int) -> None:
        super().__init__()
        stages = widths(channels, image_size)
        layers: list[nn.Module] = [nn.ConvTranspose2d(z_size, stages[0], 4, bias=False), *_active(stages[0])]
        for wide, narrow in itertools.pairwise(stages):
            layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False), *_active(narrow)]
        layers += [nn.ConvTranspose2d(stages[-1], 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Latents [n, z] → pictures [n, 3, S, S]."""
        pictures: Tensor = self.layers(z[:, :, None, None])
        return pictures


class Discriminator(nn.Module):
    """The generator mirrored with strided convolutions: 3×S×S → one logit (how real it looks)."""

    def __init__(self, channels: int, image_size: int, norm: Norm) -> None:
        super().__init__()
        stages = widths(channels, image_size)[::-1]
        bias = norm != "batch"
        layers: list[nn.Module] = [_normed(nn.Conv2d(3, stages[0], 4, 2, 1, bias=bias), norm), _leaky()]
        for narrow, wide in itertools.pairwise(stages):
            layers.append(_normed(nn.Conv2d(narrow, wide, 4, 2, 1, bias=bias), norm))
            if norm == "batch":
                layers.append(nn.BatchNorm2d(wide, eps=EPS))
            layers.append(_leaky())
        layers.append(_normed(nn.Conv2d(stages[-1], 1, 4, bias=bias), norm))
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures [n, 3, S, S] → logits [n]."""
        logits: Tensor = self.layers(pictures)
        return logits.flatten()


def initialize(network: nn.Module, init: Init) -> None:
    """Start weights in place. `dcgan`: N(0, 0.02), batch norms N(1, 0.02); `he`: He et al. 2015, fan in."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            if init == "he":
                nn.init.kaiming_normal_(module.weight, a=0.2, nonlinearity="leaky_relu")
            else:
                nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)


def _active(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels, eps=EPS), nn.ReLU(inplace=True)]


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def _normed(convolution: nn.Module, norm: Norm) -> nn.Module:
    return spectral_norm(convolution) if norm == "spectral" else convolution
