"""The dataset folder as training reads it."""

import shutil

import numpy as np
import torch

from gan.data import evaluation_pictures, open_dataset


def test_pictures_on_the_device_give_the_same_batches(project) -> None:
    project.write_dataset(count=64)
    dataset = open_dataset(project.dataset)
    assert dataset.resident(torch.device("cpu")) is None
    resident = torch.from_numpy(np.array(dataset.images))
    for start in (0, 3):
        mapped = list(dataset.batches(8, 1, 2, start))
        held = list(dataset.batches(8, 1, 2, start, resident))
        assert len(held) == len(dataset) // 8 - start
        assert all(torch.equal(one, other) for one, other in zip(held, mapped, strict=True))


def test_larger_pictures_are_halved_to_the_mean_of_two_by_two(project) -> None:
    project.write_dataset(size=128)
    whole = open_dataset(project.dataset)
    small = whole.at_most(32)
    assert (whole.image_size, small.image_size) == (128, 32)
    assert whole.at_most(0).image_size == whole.at_most(256).image_size == 128
    assert np.array_equal(whole.pictures(whole.rows), whole.images[whole.rows])

    pairs = whole.images.reshape(32, 64, 2, 64, 2, 3).sum(axis=(2, 4))
    fours = ((pairs + 2) // 4).reshape(32, 32, 2, 32, 2, 3).sum(axis=(2, 4))
    expected = ((fours + 2) // 4).astype(np.uint8)
    assert np.array_equal(small.pictures(np.arange(32)), expected)
    assert np.array_equal(evaluation_pictures(small, 32), expected)
    (batch,) = small.batches(len(small), 0, 0)
    assert np.array_equal(batch.numpy(), expected[small.rows])


def test_held_out_pictures_stay_so_as_a_dataset_grows(project) -> None:
    project.write_dataset(count=300)
    large = open_dataset(project.dataset)
    assert 10 < len(large.held_out) < 60
    assert sorted([*large.rows, *large.held_out]) == list(range(300))
    shutil.rmtree(project.dataset)
    project.write_dataset(count=200)  # the first 200 of the same pictures
    small = open_dataset(project.dataset)
    assert np.array_equal(small.images, large.images[:200])
    assert small.held_out.tolist() == [row for row in large.held_out if row < 200]
