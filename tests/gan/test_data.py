"""The dataset folder as training reads it."""

import shutil

import numpy as np
import torch

from gan.data import open_dataset


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
