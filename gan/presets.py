"""Recipes: the hyperparameters of a run. All share the same two networks and training loop."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Beta = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """Every hyperparameter of a run. The defaults are those of the preset `dream`, except that later
    additions are off, so that older runs continue unchanged.

    Source of `dream`: R3GAN (Huang et al., NeurIPS 2024, arXiv:2501.05441), scaled down to a
    DCGAN's networks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: Annotated[int, Field(ge=0, le=256, multiple_of=32)] = 0
    """Pixels along a side, at most: larger pictures are halved until they fit; 0: as in the dataset."""
    z_size: Annotated[int, Field(ge=1, le=4096)] = 128
    """Numbers in a latent."""
    z: Literal["normal", "uniform"] = "normal"
    """Distribution of latents: N(0, 1), or uniform in [−1, 1]."""
    channels: Annotated[int, Field(ge=0, le=4096)] = 0
    """Channels of the 4×4 stage, halved at each doubling of size; 0: 128 on a CPU, else 512."""
    norm: Literal["none", "batch", "spectral"] = "none"
    """Of the discriminator; the generator always has batch norm."""
    init: Literal["he", "dcgan"] = "he"
    """`he`: He et al. 2015 in the discriminator, N(0, 0.02) in the generator; `dcgan`: N(0, 0.02) in both."""
    loss: Literal["relativistic", "bce", "hinge"] = "relativistic"
    gamma: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the gradient penalties R1 (on real pictures) and R2 (on dreamed ones); 0: none."""
    penalty_every: Annotated[int, Field(ge=1)] = 16
    """Steps between penalties, each of which is multiplied by this number (lazy regularization)."""
    batch: Annotated[int, Field(ge=2)] = 32
    """Pictures per step, over all processes."""
    rate_g: Annotated[float, Field(gt=0)] = 1e-3
    """Adam's learning rate for the generator; `rate_d` for the discriminator."""
    rate_d: Annotated[float, Field(gt=0)] = 1e-3
    beta1: Beta = 0.0
    beta2: Beta = 0.99
    decay: bool = True
    """Let the rates fall linearly to 0 over the second half of the run, if its length is known."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay per step of the averaged generator, which is the one that draws; 0: no averaging."""
    flips: bool = True
    """Mirror half of the real pictures left to right."""
    upsampling: Literal["transposed", "blurred", "bilinear"] = "blurred"
    """How the generator doubles the size: strided transposed convolutions, the same followed by a fixed 3×3
    binomial blur, or bilinear resizing followed by a 3×3 convolution."""
    blocks: Annotated[int, Field(ge=0, le=8)] = 0
    """Residual blocks of two 3×3 convolutions after each doubling in the generator."""
    attention: bool = False
    """Self-attention at a quarter of the picture's size, in both networks (Zhang et al. 2018)."""
    statistics: bool = False
    """Minibatch statistics: show the discriminator how much pictures differ (Karras et al. 2018)."""
    words: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the loss by which the discriminator learns to tell the words of real pictures, if the dataset
    has words: they then steer the dreams. 0: train without words."""
    facets: tuple[str, ...] = ()
    """The kinds of words that steer the dreams; none named: all that the dataset has. `dream` leaves out the
    brand: it shows in no picture of this size, and learning it by heart cost quality (docs/quality.md)."""
    augment: tuple[Literal["color", "translation", "cutout"], ...] = ("color", "translation")
    """DiffAugment's policy for the discriminator: prevents overfitting on small datasets."""
    augment_epochs: Annotated[float, Field(ge=0)] = 200.0
    """Epochs over which augmentation grows to full strength; 0: full from the start. It helps once each
    picture has been seen often, and hurts before."""


PRESETS: Mapping[str, Recipe] = MappingProxyType(
    {
        "dream": Recipe(blocks=1, words=0.4, facets=("color", "category", "material")),
        "bag-dreams": Recipe(
            image_size=64,
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
            image_size=64,
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
            image_size=64,
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
