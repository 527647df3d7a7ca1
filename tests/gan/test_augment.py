"""What augmentation does to the pictures that the discriminator sees."""

import pytest
import torch

from gan.augment import POLICIES, differentiable

PICTURES = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def changed(policy: tuple[str, ...], strength: float) -> torch.Tensor:
    return differentiable(PICTURES, policy, strength, torch.Generator().manual_seed(1))


def touched(pictures: torch.Tensor) -> int:
    return int(((pictures - PICTURES).abs().amax(dim=(1, 2, 3)) > 1e-4).sum())


@pytest.mark.parametrize("name", POLICIES)
def test_strength_is_the_share_of_changed_pictures(name: str) -> None:
    assert touched(changed((name,), 0)) == 0
    assert 16 < touched(changed((name,), 0.5)) < 48
    assert touched(changed((name,), 1)) > 60


def test_color_is_brightness_then_saturation_then_contrast() -> None:
    source = torch.Generator().manual_seed(1)
    torch.rand(64, generator=source)  # the choice, which takes all
    brightness, saturation, contrast = torch.rand(3, 64, 1, 1, 1, generator=source)
    right = PICTURES + (brightness - 0.5)
    gray = right.mean(dim=1, keepdim=True)
    right = gray + (right - gray) * (saturation * 2)
    mean = right.mean(dim=(1, 2, 3), keepdim=True)
    right = mean + (right - mean) * (contrast + 0.5)
    assert torch.allclose(changed(("color",), 1), right, atol=1e-5)


def test_translation_moves_whole_pixels_by_an_eighth_at_most() -> None:
    shifts = set()
    for picture, moved in zip(PICTURES, changed(("translation",), 1), strict=True):
        found = [
            (down, right)
            for down in range(-4, 5)
            for right in range(-4, 5)
            if torch.equal(
                moved[:, max(0, down) : 32 + min(0, down), max(0, right) : 32 + min(0, right)],
                picture[:, max(0, -down) : 32 + min(0, -down), max(0, -right) : 32 + min(0, -right)],
            )
        ]
        assert len(found) == 1
        assert moved.eq(0).any() == (found != [(0, 0)])
        shifts.add(found[0])
    assert len(shifts) > 30


def test_gradients_come_back_through_all_of_it() -> None:
    pictures = PICTURES.clone().requires_grad_()
    differentiable(pictures, tuple(POLICIES), 1, torch.Generator().manual_seed(1)).square().sum().backward()
    assert pictures.grad is not None
    assert (pictures.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
