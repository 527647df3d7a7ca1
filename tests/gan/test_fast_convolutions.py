"""Layers as matrix products compute what torch's convolutions do, with the same gradients."""

import pytest
import torch
from torch import Tensor, nn

from gan.fast_convolutions import Doubling, Halving, Opening

LAYERS = {
    "halving": (Halving(256, 256, bias=True), nn.Conv2d(256, 256, 4, 2, 1), (32, 256, 8, 8)),
    "doubling": (Doubling(256, 256), nn.ConvTranspose2d(256, 256, 4, 2, 1, bias=False), (32, 256, 4, 4)),
    "opening": (Opening(16, 256), nn.ConvTranspose2d(16, 256, 4, bias=False), (32, 16, 1, 1)),
}


def learned(layer: nn.Module, features: Tensor, *, bf16: bool) -> list[Tensor]:
    """Output, gradients, and the weights' gradient of a gradient penalty."""
    features = features.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        out = layer(features).float()
    loss = out.sigmoid().square().sum()
    first = torch.autograd.grad(loss, [features, *layer.parameters()], create_graph=True)
    second = torch.autograd.grad(first[0].square().sum(), layer.get_parameter("weight"))
    return [out, *first, *second]


@pytest.mark.parametrize("name", LAYERS)
def test_matrices_compute_the_convolution(name: str) -> None:
    ours, theirs, shape = LAYERS[name]
    ours.load_state_dict(theirs.state_dict())
    features = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    exact = learned(theirs, features, bf16=False)
    for found, right in zip(learned(ours, features, bf16=True), exact, strict=True):
        assert found.shape == right.shape
        assert (found - right).abs().max() < 0.03 * right.abs().max()
    for found, right in zip(learned(ours, features, bf16=False), exact, strict=True):
        assert torch.allclose(found, right, rtol=1e-4, atol=1e-4 * right.abs().max().item())
