"""The two networks: a DCGAN's (Radford et al. 2016, arXiv:1511.06434), for the sizes in `SIZES`.

Pictures are float [n, 3, S, S] in [−1, 1]; latents are float [n, z].
"""

import itertools
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pixel_shuffle, relu, scaled_dot_product_attention
from torch.nn.utils.parametrizations import spectral_norm

from gan.fast_convolutions import Doubling, Halving, Opening

SIZES = (32, 64, 128, 256)
"""Sizes of pictures, in pixels along a side, that there are networks for."""

EPS = 1e-5
"""Of batch norms. The originals wrote BatchNorm2d(c, 0.8), which sets eps, not momentum as intended."""

_LOOK = 64
"""Numbers in which the discriminator compares pictures with words."""

Norm = Literal["none", "batch", "spectral"]
Init = Literal["he", "dcgan"]
Upsampling = Literal["transposed", "blurred", "bilinear"]


def widths(channels: int, image_size: int) -> list[int]:
    """Channels of the stages of 4, 8, … image_size / 2 pixels: `channels`, halved at each stage down to 8."""
    return [max(channels >> stage, min(channels, 8)) for stage in range(image_size.bit_length() - 3)]


class Generator(nn.Module):
    """z → 4×4 pixels → doubled stage by stage → 3×S×S in (−1, 1)."""

    def __init__(
        self,
        z_size: int,
        channels: int,
        image_size: int,
        upsampling: Upsampling,
        *,
        blocks: int = 0,
        attention: bool = False,
    ) -> None:
        super().__init__()
        stages = widths(channels, image_size)
        layers: list[nn.Module] = [Opening(z_size, stages[0]), *_active(stages[0])]
        for at, (wide, narrow) in enumerate(itertools.pairwise(stages)):
            layers += [*_doubling(wide, narrow, upsampling), *_active(narrow)]
            layers += [Residual(narrow) for _ in range(blocks)]
            if attention and at == len(stages) - 3:
                layers.append(Attention(narrow, "none"))
        layers += [*_doubling(stages[-1], 3, upsampling), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Latents float [n, z] → pictures float [n, 3, S, S] in (−1, 1)."""
        pictures: Tensor = self.layers(z[:, :, None, None])
        return pictures


class Discriminator(nn.Module):
    """The generator mirrored, with strided convolutions: 3×S×S → one logit, high for real.

    With words y it is a projection, Miyato and Koyama 2018 (arXiv:1802.05637): ψ(x) + ⟨φ(x), Σ e(w)⟩ / √64
    over the words w that y names.
    """

    def __init__(
        self,
        channels: int,
        image_size: int,
        norm: Norm,
        *,
        attention: bool = False,
        statistics: bool = False,
        words: int = 0,
    ) -> None:
        super().__init__()
        stages = widths(channels, image_size)[::-1]
        bias = norm != "batch"
        layers: list[nn.Module] = [_normed(Halving(3, stages[0], bias=bias), norm), _leaky()]
        for at, (narrow, wide) in enumerate(itertools.pairwise(stages)):
            if attention and at == 1:
                layers.append(Attention(narrow, norm))
            layers.append(_normed(Halving(narrow, wide, bias=bias), norm))
            if norm == "batch":
                layers.append(nn.BatchNorm2d(wide, eps=EPS))
            layers.append(_leaky())
        if statistics:
            layers.append(BatchDeviation())
        features = stages[-1] + (1 if statistics else 0)
        layers.append(_normed(nn.Conv2d(features, 1, 4, bias=bias), norm))
        self.layers = nn.Sequential(*layers)
        if words:
            self.words = nn.Embedding(words, _LOOK)
            self.look = _normed(nn.Conv2d(features, _LOOK, 4), norm)

    def forward(self, pictures: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures float [n, 3, S, S] in [−1, 1] and the inputs of their words float [n, w] → logits float
        [n], and how well each of the words fits each picture: scores float [n, w].
        """
        *layers, last = self.layers
        features = pictures
        for layer in layers:
            features = layer(features)
        logits: Tensor = last(features).flatten()
        if words.shape[1] == 0:
            return logits, words
        scores = self.look(features).flatten(1) @ self.words.weight.T / _LOOK**0.5
        return logits + (scores * words).sum(dim=1), scores


class Attention(nn.Module):
    """Self-attention of SAGAN, Zhang et al. 2018 (arXiv:1805.08318): each pixel attends to all others."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        narrow = max(1, channels // 8)
        self.query, self.key = (_normed(nn.Conv2d(channels, narrow, 1), norm) for _ in range(2))
        self.value = _normed(nn.Conv2d(channels, max(1, channels // 2), 1), norm)
        self.out = _normed(nn.Conv2d(max(1, channels // 2), channels, 1), norm)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Features [n, c, h, w] → the same shape."""
        query, key, value = (
            each(features).flatten(2).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        seen = scaled_dot_product_attention(query, key, value, scale=1.0)
        mixed = seen.transpose(1, 2).reshape(len(features), -1, *features.shape[2:])
        found: Tensor = features + self.share * self.out(mixed)
        return found


class Residual(nn.Module):
    """Two 3×3 convolutions with a skip connection: He et al. 2016 (arXiv:1512.03385)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        one, two = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.way = nn.Sequential(one, *_active(channels), two, nn.BatchNorm2d(channels, eps=EPS))
        self.share = nn.Parameter(torch.full((), 0.1))

    def forward(self, features: Tensor) -> Tensor:
        """Features [n, c, h, w] → the same shape."""
        return relu(features + self.share * self.way(features))


class BatchDeviation(nn.Module):
    """Adds a channel with the mean standard deviation of features within each group of 4 pictures: Karras et
    al. 2018 (arXiv:1710.10196). It exposes a generator that always draws the same bag.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features [n, c, h, w] → [n, c + 1, h, w]."""
        count, _, height, width = features.shape
        group = next(size for size in (4, 3, 2, 1) if count % size == 0)
        # Groups are of consecutive pictures, so that the real and the dreamed half of a batch do not mix.
        grouped = features.reshape(count // group, group, *features.shape[1:]).float()
        deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        channel = deviation.repeat_interleave(group)[:, None, None, None].to(features.dtype)
        return torch.cat([features, channel.expand(count, 1, height, width)], dim=1)


class Blurred(nn.ConvTranspose2d):
    """A 4×4 transposed convolution with stride 2, then a fixed 3×3 binomial blur, which removes the
    checkerboard: [n, c, h, w] → [n, out, 2h, 2w].

    Together they are one 6×6 kernel. Each of the four pixels that a pixel becomes gets every second row and
    column of it, so one dense 3×3 convolution computes all four, in less time than the two.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 4, 2, 1, bias=False)
        self.register_buffer("shares", tap_shares(blurred=True), persistent=False)

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Features [n, c, h, w] → [n, out, 2h, 2w]."""
        kernel = dense_kernel(self.weight, self.get_buffer("shares"))
        return pixel_shuffle(conv2d(features, kernel, padding=1), 2)


def tap_shares(*, blurred: bool) -> Tensor:
    """The share of each of a 4×4 kernel's weights in each tap of `dense_kernel`, float [16, 4·9]."""
    blur = {-1: 0.25, 0: 0.5, 1: 0.25} if blurred else {0: 1.0}
    # Along one axis [place, tap, weight]: the pixel m + tap - 1 falls on the place 2m + place.
    line = torch.tensor(
        [
            [[blur.get(weight - place - 3 + 2 * tap, 0.0) for weight in range(4)] for tap in range(3)]
            for place in range(2)
        ],
        device="cpu",  # even where networks are made on the meta device
    )
    return torch.einsum("pti,quj->ijpqtu", line, line).reshape(16, 36)


def dense_kernel(weight: Tensor, shares: Tensor) -> Tensor:
    """The 3×3 kernel [4·out, c, 3, 3] whose convolution, followed by `pixel_shuffle`, is the transposed
    convolution of `weight` [c, out, 4, 4] with stride 2 and padding 1, and the blur of its `tap_shares`.
    """
    channels, out = weight.shape[:2]
    found = weight.reshape(channels * out, 16) @ shares
    return found.reshape(channels, out, 4, 3, 3).permute(1, 2, 0, 3, 4).reshape(4 * out, channels, 3, 3)


def initialize(network: nn.Module, init: Init) -> None:
    """Set initial weights, in place. `dcgan`: N(0, 0.02); `he`: He et al. 2015 (arXiv:1502.01852), by fan-in.

    Biases are 0; batch norms are N(1, 0.02).
    """
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


def _doubling(channels: int, out: int, upsampling: Upsampling) -> list[nn.Module]:
    if upsampling == "bilinear":
        larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        return [larger, nn.Conv2d(channels, out, 3, padding=1, bias=False)]
    return [Blurred(channels, out) if upsampling == "blurred" else Doubling(channels, out)]


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def _normed(convolution: nn.Module, norm: Norm) -> nn.Module:
    return spectral_norm(convolution) if norm == "spectral" else convolution
