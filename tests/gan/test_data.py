"""The dataset folder as training reads it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.data import DatasetError, evaluation_pictures, open_dataset
from gan.words import UNKNOWN
from tests.gan.project import FACETS, write_named_dataset, write_words


def test_pictures_on_the_device_give_the_same_batches(project) -> None:
    write_named_dataset(project.dataset, count=64)
    dataset = open_dataset(project.dataset)
    assert dataset.resident(torch.device("cpu")) is None
    resident = torch.from_numpy(np.array(dataset.images)), torch.from_numpy(dataset.numbers)
    for start in (0, 3):
        mapped = list(dataset.batches(8, 1, 2, start))
        held = list(dataset.batches(8, 1, 2, start, resident))
        assert len(held) == len(dataset) // 8 - start
        pairs = zip(held, mapped, strict=True)
        assert all(torch.equal(a, b) for one, other in pairs for a, b in zip(one, other, strict=True))


def test_pictures_come_with_their_words(project) -> None:
    write_named_dataset(project.dataset, count=64)
    dataset = open_dataset(project.dataset)
    colors = [0, 0]
    for images, numbers in dataset.batches(8, 1, 2):
        for image, (color, _) in zip(images, numbers, strict=True):
            if color != UNKNOWN:
                assert image[24, 16].tolist() == [[200, 20, 20], [20, 20, 200]][color]
                colors[color] += 1
    assert min(colors) > 4


def test_sets_of_words_are_those_of_the_pictures_to_train_on(project) -> None:
    write_named_dataset(project.dataset, count=64)
    dataset = open_dataset(project.dataset)
    assert dataset.vocabulary is not None
    sets = dataset.vocabulary.sets
    counts = [count for *_, count in sets]
    known = (dataset.numbers[dataset.rows] != UNKNOWN).any(axis=1)
    assert sum(counts) == known.sum() < len(dataset.rows)
    assert counts == sorted(counts, reverse=True)
    for *numbers, count in sets:
        assert (dataset.numbers[dataset.rows] == numbers).all(axis=1).sum() == count


def test_words_of_another_vocabulary_are_matched_by_name(project) -> None:
    write_named_dataset(project.dataset)
    first = open_dataset(project.dataset)
    assert first.vocabulary is not None
    red = [{"name": "color", "words": ["green", "red"], "counts": [1, 1]}, FACETS[1]]
    write_words(project.dataset, np.array([[1, 0], [0, 1], [-1, 0], *[[0, -1]] * 29]), red)
    second = open_dataset(project.dataset).speaking(first.vocabulary)
    assert second.vocabulary is first.vocabulary
    assert second.numbers[:4].tolist() == [[0, 0], [-1, 1], [-1, 0], [-1, -1]]
    assert first.speaking(first.vocabulary).numbers.tolist() == first.numbers.tolist()
    assert first.speaking(None).numbers.shape == (32, 0)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("words.json", "", "words.json is broken"),
        ("words.json", "[" * 100_000, "words.json is broken"),
        ("words.json", "[]", "words.json is broken"),
        ("words.json", '{"version": 2, "facets": []}', "another version"),
        ("words.json", '{"version": 1, "facets": []}', "words.json is broken"),
        ("words.json", '{"version": 1, "facets": [{"name": "color"}]}', "words.json is broken"),
        ("words.npy", "", "words.npy cannot be read"),
        ("words.npy", np.zeros((31, 2), np.int16), "int16 [31, 2]"),
        ("words.npy", np.zeros((32, 3), np.int16), "int16 [32, 3]"),
        ("words.npy", np.zeros((32, 2), np.int64), "int64"),
        ("words.npy", np.full((32, 2), 2, np.int16), "no word's"),
        ("words.npy", np.full((32, 2), -2, np.int16), "no word's"),
        ("words.npy", np.array([[{}] * 2] * 32), "words.npy cannot be read"),
        ("words.npy", None, "words.npy cannot be read"),
    ],
)
def test_wrong_words(tmp_path: Path, file: str, content: str | np.ndarray | None, reason: str) -> None:
    write_named_dataset(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    elif isinstance(content, str):
        (tmp_path / file).write_text(content)
    else:
        np.save(tmp_path / file, content, allow_pickle=True)
    with pytest.raises(DatasetError) as caught:
        open_dataset(tmp_path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


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
    ((batch, _),) = small.batches(len(small), 0, 0)
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
