"""The photo of a dataset that a dream resembles most."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from gan import neighbors
from gan.neighbors import COPY, nearest, nearest_photo
from scraper.dataset import thumbnail


def photo(number: int) -> np.ndarray:
    """A square with a bag on white, uint8 [32, 32, 3], different for each number."""
    rng = np.random.default_rng(number)
    pixels = np.full((32, 32, 3), 255, np.uint8)
    top, left = rng.integers(2, 12, 2)
    pixels[top : top + 18, left : left + 16] = rng.integers(0, 256, 3)
    pixels[top : top + 6, left : left + 8] = rng.integers(0, 256, 3)
    return pixels


PHOTOS = np.stack([photo(number) for number in range(700)])


def name(row: int) -> str:
    return hashlib.sha256(bytes(row)).hexdigest()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset with thumbnails, as the scraper builds it."""
    np.save(tmp_path / "images.npy", PHOTOS)
    thumbs = b"".join(thumbnail(each.tobytes(), 32) for each in PHOTOS)
    np.save(tmp_path / "thumbnails.npy", np.frombuffer(thumbs, np.uint8).reshape(-1, 4, 4, 3))
    lines = (json.dumps({"sha256": name(row)}) for row in range(len(PHOTOS)))
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("thumbnails", [True, False])
def test_it_is_the_nearest_of_all(dataset: Path, thumbnails: bool) -> None:
    if not thumbnails:  # an older version built it
        (dataset / "thumbnails.npy").unlink()
    dreams = np.stack([photo(number) for number in range(1000, 1020)])
    for dream, (row,) in zip(dreams, nearest(dreams, PHOTOS, 1), strict=True):
        found = nearest_photo(dream, dataset)
        assert (found.photo, found.photos) == (name(row), 700)
        assert found.distance > COPY


def test_a_copy_is_one_also_mirrored_darker_or_twice_as_large(dataset: Path) -> None:
    for copy in (PHOTOS[7], PHOTOS[7, :, ::-1], PHOTOS[7] - 3, PHOTOS[7].repeat(2, 0).repeat(2, 1)):
        found = nearest_photo(copy, dataset)
        assert found.photo == name(7)
        assert found.is_copy
    assert nearest_photo(PHOTOS[7], dataset).distance == pytest.approx(0, abs=0.001)


def test_an_empty_dream_is_as_far_away_as_can_be(dataset: Path) -> None:
    found = nearest_photo(np.full((32, 32, 3), 255, np.uint8), dataset)
    assert found.distance == pytest.approx(1, abs=0.001)


def test_without_photos_nothing_is_said(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nearest_photo(PHOTOS[7], dataset / "gone") is None
    (dataset / "thumbnails.npy").unlink()
    monkeypatch.setattr(neighbors, "_WITHOUT_THUMBNAILS", 699)
    assert nearest_photo(PHOTOS[7], dataset) is None


@pytest.mark.parametrize("file", ["images.npy", "thumbnails.npy", "items.jsonl"])
@pytest.mark.parametrize("content", [b"", b"rubbish\n" * 800, None])
def test_a_broken_dataset_is_one_error(dataset: Path, file: str, content: bytes | None) -> None:
    if content is None:
        content = (dataset / "thumbnails.npy").read_bytes()[:-480] if file != "items.jsonl" else b"[]\n" * 800
    (dataset / file).write_bytes(content)
    with pytest.raises(OSError, match=r".") as error:
        nearest_photo(PHOTOS[7], dataset)
    assert "\n" not in str(error.value)
