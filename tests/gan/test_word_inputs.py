"""What the networks are told of pictures' words in training, and the loss on them."""

import pytest
import torch

from gan.word_inputs import mistakes, told
from gan.words import UNKNOWN

SIZES = (3, 2)


def test_most_words_are_told_and_some_are_left_out() -> None:
    numbers = torch.tensor([[2, 0], [UNKNOWN, 1]], dtype=torch.int16).repeat(5000, 1)
    inputs = told(numbers, SIZES, torch.Generator().manual_seed(0))
    assert inputs.shape == (10_000, 5)
    both, one = inputs[::2], inputs[1::2]
    assert set(map(tuple, both.unique(dim=0).tolist())) == {
        (0, 0, 1, 1, 0),
        (0, 0, 1, 0, 0),
        (0, 0, 0, 1, 0),
        (0, 0, 0, 0, 0),
    }
    assert set(map(tuple, one.unique(dim=0).tolist())) == {(0, 0, 0, 0, 1), (0, 0, 0, 0, 0)}
    assert both.mean(dim=0)[2:4].tolist() == pytest.approx([0.72, 0.72], abs=0.03)
    assert (both.sum(dim=1) == 0).float().mean().item() == pytest.approx(0.1 + 0.9 * 0.04, abs=0.02)


def test_only_known_words_are_mistaken() -> None:
    scores = torch.zeros(2, 5, requires_grad=True)
    loss = mistakes(scores, torch.tensor([[0, UNKNOWN], [UNKNOWN, UNKNOWN]]), SIZES)
    assert loss.item() == pytest.approx(torch.tensor(3.0).log().item() / 2)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad[0, 0] < 0 < scores.grad[0, 1]
    assert not scores.grad[0, 3:].any()
    assert not scores.grad[1].any()


def test_right_scores_are_no_mistakes() -> None:
    right = torch.tensor([[1, 0], [2, 1]])
    scores = torch.tensor([[0, 50.0, 0, 50, 0], [0, 0, 50, 0, 50]])
    assert mistakes(scores, right, SIZES).item() == pytest.approx(0, abs=1e-6)
    assert mistakes(-scores, right, SIZES).item() > 50
