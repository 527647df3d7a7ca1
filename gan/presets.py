"""Recipes: what a training run does, as a handful of values over the same two networks and one loop."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Beta = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """Every hyperparameter of a run. The defaults are those of the preset `dream`, except for what came
    later: that is off, so that runs begun before go on as they were.

    Source of `dream`: R3GAN (Huang et al., NeurIPS 2024), scaled down to a DCGAN's two networks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    z_size: Annotated[int, Field(ge=1, le=4096)] = 128
    z: Literal["normal", "uniform"] = "normal"
    channels: Annotated[int, Field(ge=0, le=4096)] = 0
    """Width of the generator's first (4×4) stage, halved at every doubling; 0: 128 on a CPU, else 512."""
    norm: Literal["none", "batch", "spectral"] = "none"
    """Of the discriminator. The generator always has batch norm."""
    init: Literal["he", "dcgan"] = "he"
    """`he`: He et al. 2015 in the discriminator, N(0, 0.02) in the generator; `dcgan`: N(0, 0.02) in both."""
    loss: Literal["relativistic", "bce", "hinge"] = "relativistic"
    gamma: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the gradient penalties R1 (on real) and R2 (on dreamed pictures); 0: none."""
    penalty_every: Annotated[int, Field(ge=1)] = 16
    """Steps between two penalties; each is weighted by this number (lazy regularization)."""
    batch: Annotated[int, Field(ge=2)] = 32
    rate_g: Annotated[float, Field(gt=0)] = 1e-3
    rate_d: Annotated[float, Field(gt=0)] = 1e-3
    beta1: Beta = 0.0
    beta2: Beta = 0.99
    decay: bool = True
    """Let the rates fall linearly to nothing over the second half of the run, if its length is known."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay per step of the averaged generator, which is the one that draws; 0: the last weights."""
    flips: bool = True
    upsampling: Literal["transposed", "blurred", "bilinear"] = "blurred"
    """How the generator doubles: strided transposed convolutions, those with a fixed 3×3 binomial blur behind
    them, or bilinear resizing before a 3×3 convolution."""
    blocks: Annotated[int, Field(ge=0, le=8)] = 0
    """Residual blocks of two 3×3 convolutions behind each doubling of the generator."""
    attention: bool = False
    """Self-attention at a quarter of the picture's size in both networks (Zhang et al. 2018)."""
    statistics: bool = False
    """Tell the discriminator how much a batch's pictures differ (Karras et al. 2018)."""
    augment: tuple[Literal["color", "translation", "cutout"], ...] = ("color", "translation")
    """DiffAugment's policy for the discriminator, against learning few pictures by heart."""
    augment_epochs: Annotated[float, Field(ge=0)] = 200.0
    """Epochs over which the augmentation grows to full: it helps where each picture is seen often, and harms
    before. 0: full from the start."""


PRESETS: Mapping[str, Recipe] = MappingProxyType(
    {
        "dream": Recipe(blocks=1),
        "bag-dreams": Recipe(
            channels=512,
            norm="batch",
            init="dcgan",
            upsampling="transposed",
            loss="bce",
            gamma=0,
            batch=128,
            rate_g=2e-4,
            rate_d=2e-4,
            beta1=0.5,
            beta2=0.999,
            decay=False,
            ema=0,
            augment=(),
        ),
        "dcgan": Recipe(
            z_size=100,
            z="uniform",
            channels=1024,
            norm="batch",
            init="dcgan",
            upsampling="transposed",
            loss="bce",
            gamma=0,
            batch=128,
            rate_g=2e-4,
            rate_d=2e-4,
            beta1=0.5,
            beta2=0.999,
            decay=False,
            ema=0,
            augment=(),
        ),
        "sagan": Recipe(
            norm="spectral",
            attention=True,
            init="dcgan",
            upsampling="transposed",
            loss="hinge",
            gamma=0,
            batch=64,
            rate_g=1e-4,
            rate_d=4e-4,
            beta1=0.0,
            beta2=0.9,
            decay=False,
            ema=0.999,
            augment=(),
        ),
    }
)
