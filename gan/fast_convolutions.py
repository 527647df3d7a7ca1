"""4×4 convolutions as matrix products, where a CPU multiplies bfloat16 matrices far faster.

At 4×4 pixels the backward pass of oneDNN's convolutions reaches a tenth of the speed of its matrix products.
These layers have the parameters of torch's own, and compute as those do wherever there is nothing to gain.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

_LARGEST = 4
"""Pixels along a layer's smaller side, at most; at 8 the copies cost more than the product saves."""

_FEWEST = 512
"""Rows of the product (pictures × pixels), at least; with fewer, copying the weights costs too much."""

_NARROWEST = 256
"""Channels in and out, at least."""


def _gains(features: Tensor, size: int, narrowest: int) -> bool:
    return (
        size <= _LARGEST
        and len(features) * size * size >= _FEWEST
        and narrowest >= _NARROWEST
        and features.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
    )


class Halving(nn.Conv2d):
    """4×4 convolution with stride 2 and padding 1: [n, c, 2h, 2w] → [n, out, h, w]."""

    def __init__(self, channels: int, out: int, *, bias: bool) -> None:
        super().__init__(channels, out, 4, 2, 1, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Features float [n, c, 2h, 2w] → [n, out, h, w]."""
        count, channels, height, width = features.shape
        if not _gains(features, height // 2, min(channels, self.out_channels)):
            return super().forward(features)
        h, w = height // 2, width // 2
        # Squares of 2×2 pixels become channels; the kernel covers 2×2 of those.
        padded = pad(features.bfloat16().permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        squares = padded.reshape(count, h + 1, 2, w + 1, 2, channels).transpose(2, 3)
        squares = squares.reshape(count, h + 1, w + 1, 4 * channels)
        windows = torch.cat([squares[:, i : i + h, j : j + w] for i in (0, 1) for j in (0, 1)], dim=3)
        kernel = _squares(self.weight).reshape(-1, 16 * channels)
        found = linear(windows.reshape(-1, 16 * channels), kernel, self.bias)
        return found.reshape(count, h, w, -1).permute(0, 3, 1, 2)


class Doubling(nn.ConvTranspose2d):
    """The transpose of `Halving`, without bias: [n, c, h, w] → [n, out, 2h, 2w]."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 4, 2, 1, bias=False)

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Features float [n, c, h, w] → [n, out, 2h, 2w]."""
        count, channels, h, w = features.shape
        if not _gains(features, h, min(channels, self.out_channels)):
            return super().forward(features, output_size)
        kernel = _squares(self.weight)
        out = kernel.shape[-1]
        rows = features.bfloat16().permute(0, 2, 3, 1).reshape(-1, channels)
        windows = (rows @ kernel.reshape(channels, -1)).reshape(count, h, w, 4, 4 * out).unbind(3)
        # Windows overlap: their sums are added up.
        one, two, three, four = (
            pad(window, (0, 0, j, 1 - j, i, 1 - i))
            for window, (i, j) in zip(windows, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True)
        )
        squares = one + two + three + four
        pixels = squares.reshape(count, h + 1, w + 1, 2, 2, out).transpose(2, 3)
        pixels = pixels.reshape(count, 2 * h + 2, 2 * w + 2, out)
        # Contiguous, or the layers that follow pay for the gaps many times.
        return pixels[:, 1:-1, 1:-1].contiguous().permute(0, 3, 1, 2)


class Opening(nn.ConvTranspose2d):
    """A transposed convolution of a single pixel, [n, z, 1, 1] → [n, out, 4, 4]: always a matrix product."""

    def __init__(self, z_size: int, out: int) -> None:
        super().__init__(z_size, out, 4, bias=False)

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Latents float [n, z, 1, 1] → [n, out, 4, 4]."""
        places = features.flatten(1) @ self.weight.permute(0, 2, 3, 1).flatten(1)
        return places.reshape(len(features), 4, 4, -1).permute(0, 3, 1, 2)


def _squares(weight: Tensor) -> Tensor:
    """[n, m, 4, 4] → bfloat16 [n, 2, 2, 2, 2, m]: which square of 2×2, and which pixel in it.

    Channels stay innermost in both directions, or the gradient takes thirty times as long.
    """
    count, channels = weight.shape[:2]
    last = weight.bfloat16().permute(0, 2, 3, 1)
    return last.reshape(count, 2, 2, 2, 2, channels).transpose(2, 3)
