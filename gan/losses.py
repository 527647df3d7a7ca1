"""The losses, as their papers state them.

`real` and `fake` are the discriminator's logits, float [n]; a loss is float [].
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(D(fake) − D(real))]: a real picture should look more real than its dreamed partner.

    R3GAN, Huang et al., NeurIPS 2024 (arXiv:2501.05441), after Jolicoeur-Martineau 2019.
    """
    return softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(D(real) − D(fake))]: the mirror of `relativistic_d`."""
    return softplus(real - fake).mean()


def bce_d(real: Tensor, fake: Tensor) -> Tensor:
    """−E[log σ(D(real))] − E[log(1 − σ(D(fake)))]. Goodfellow et al. 2014 (arXiv:1406.2661)."""
    return binary_cross_entropy_with_logits(real, torch.ones_like(real)) + binary_cross_entropy_with_logits(
        fake, torch.zeros_like(fake)
    )


def bce_g(real: Tensor, fake: Tensor) -> Tensor:
    """−E[log σ(D(fake))]: the non-saturating generator loss of the same paper."""
    return binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 − D(real))] + E[max(0, 1 + D(fake))]. Lim & Ye 2017 (arXiv:1705.02894), as in SAGAN."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def hinge_g(real: Tensor, fake: Tensor) -> Tensor:
    """−E[D(fake)]."""
    return -fake.mean()


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """½ E‖∇ₓD(x)‖² over `pictures` float [n, 3, S, S], which the `logits` [n] were computed from: float [].

    R1 on real pictures, R2 on dreamed ones: Mescheder et al. 2018 (arXiv:1801.04406).
    """
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return 0.5 * gradient.float().square().sum(dim=(1, 2, 3)).mean()


LOSSES = {
    "relativistic": (relativistic_d, relativistic_g),
    "bce": (bce_d, bce_g),
    "hinge": (hinge_d, hinge_g),
}
"""The losses (of the discriminator, of the generator) by their name in a recipe."""
