"""A folded generator draws what its network draws."""

import pytest
import torch
from torch import nn

from gan.folding import folded
from gan.generator import Shape

SHAPES = {
    "transposed": Shape(16, "normal", 32, 64, "transposed"),
    "blurred": Shape(16, "normal", 32, 64, "blurred"),
    "blurred with attention": Shape(16, "normal", 32, 64, "blurred", attention=True),
    "blurred with blocks": Shape(16, "normal", 32, 64, "blurred", blocks=2),
    "bilinear": Shape(16, "normal", 16, 128, "bilinear"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_folded_network_draws_what_the_network_draws(name: str) -> None:
    torch.manual_seed(0)
    network = SHAPES[name].network().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(value)
            nn.init.uniform_(module.running_var, 0.5, 2)
    z = torch.randn(3, 16)
    with torch.no_grad():
        found, right = folded(network)(z[:, :, None, None]), network(z)
    assert right.std() > 0.05
    assert (found - right).abs().max() < 1e-4


def test_blurred_layer_is_a_transposed_convolution_and_a_blur() -> None:
    torch.manual_seed(0)
    layer = Shape(16, "normal", 32, 64, "blurred").network().layers[3]
    features = torch.randn(2, 32, 5, 7)
    line = torch.tensor([1.0, 2.0, 1.0])
    blur = (line[:, None] * line / 16).expand(16, 1, 3, 3)
    # With a border of one pixel, which the blur uses up.
    larger = nn.functional.conv_transpose2d(features, layer.weight, stride=2)
    with torch.no_grad():
        assert torch.allclose(layer(features), nn.functional.conv2d(larger, blur, groups=16), atol=1e-5)
