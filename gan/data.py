"""Reads the dataset folder that the scraper builds: memory-mapped pictures and their words, in shuffled
batches.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from mmap import mmap
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.errors import UserError
from gan.networks import SIZES
from gan.seeds import derived
from gan.words import UNKNOWN, Vocabulary

VERSION = 1
"""Version of the dataset folder's layout, and of its words.json."""

_MOST_SETS = 4096
"""Sets of words that a vocabulary keeps."""

Pictures = tuple[Tensor, Tensor]
"""Pictures uint8 [n, S, S, 3] and the numbers of their words int16 [n, F]; see `Dataset.numbers`."""


class DatasetError(UserError):
    """A dataset that cannot be trained on; the message is one line."""


@dataclass(frozen=True)
class Dataset:
    """An open dataset."""

    path: Path
    images: NDArray[np.uint8]
    """RGB pictures uint8 [n, S, S, 3], memory-mapped."""
    content_hash: str
    rows: NDArray[np.int64]
    """Rows of `images` to train on, ascending."""
    held_out: NDArray[np.int64]
    """The other rows (about a tenth), for evaluation only. A picture's bytes decide, so that it stays held
    out as the dataset grows.
    """
    vocabulary: Vocabulary | None
    """The words of the pictures, with the sets of those to train on; None if the dataset has no words."""
    numbers: NDArray[np.int16]
    """Each picture's word in each of F facets, by its number in the facet, or UNKNOWN: int16 [n, F]."""
    factor: int = 1
    """How many times larger `images` are, along a side, than the pictures to train on."""

    @property
    def image_size(self) -> int:
        """Pixels along a side of the pictures to train on."""
        return int(self.images.shape[1]) // self.factor

    def __len__(self) -> int:
        return len(self.rows)

    def speaking(self, vocabulary: Vocabulary | None) -> "Dataset":
        """The same dataset with the words of a vocabulary, which may be of another one: words are the same
        if their facets' names and they themselves are, and all others are unknown.
        """
        if vocabulary is None:
            return replace(self, vocabulary=None, numbers=self.numbers[:, :0])
        own = {facet.name: at for at, facet in enumerate(self.vocabulary.facets)} if self.vocabulary else {}
        numbers = np.full((len(self.images), len(vocabulary.facets)), UNKNOWN, np.int16)
        for column, facet in zip(numbers.T, vocabulary.facets, strict=True):
            if self.vocabulary and (at := own.get(facet.name)) is not None:
                place = {word: number for number, word in enumerate(facet.words)}
                # The last one is where UNKNOWN, -1, points to.
                new = [*(place.get(word, UNKNOWN) for word in self.vocabulary.facets[at].words), UNKNOWN]
                column[:] = np.array(new, np.int16)[self.numbers[:, at]]
        return replace(self, vocabulary=vocabulary, numbers=numbers)

    def at_most(self, size: int) -> "Dataset":
        """The same pictures, halved until they have at most `size` pixels along a side; 0: as they are."""
        factor = 1
        while size and self.images.shape[1] // factor > size:
            factor *= 2
        return replace(self, factor=factor)

    def pictures(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The pictures of these rows of `images`, uint8 [n, S, S, 3]; see `halved`."""
        pictures = self.images[rows]
        for _ in range(self.factor.bit_length() - 1):
            pictures = halved(pictures)
        return pictures

    def resident(self, device: torch.device) -> Pictures | None:
        """All pictures and their words on the device, if it is a GPU and they fit into a quarter of its free
        memory; else None.
        """
        if (
            device.type != "cuda"
            or self.images.nbytes / self.factor**2 > torch.cuda.mem_get_info(device)[0] / 4
        ):
            return None
        parts = np.array_split(np.arange(len(self.images)), -(-len(self.images) // 1000))
        images = torch.cat([torch.from_numpy(self.pictures(rows)).to(device) for rows in parts])
        return images, torch.from_numpy(self.numbers).to(device)

    def batches(
        self, size: int, seed: int, epoch: int, start: int = 0, resident: Pictures | None = None
    ) -> Iterator[Pictures]:
        """One epoch's batches of `size` pictures, from the `start`-th (0: the first) on.

        Seed and epoch determine the order. Each row comes at most once; rows that do not fill a last batch
        are left out. If `resident` is given, the same batches are taken from it, on its device.
        Raises DatasetError if the file was truncated since it was opened: reading on would crash the process.
        """
        order = np.random.default_rng(derived(seed, "order", epoch)).permutation(self.rows)
        if resident is not None:
            # Sent once per epoch: sending each batch's rows would wait for the steps before it.
            images, numbers = resident
            sent = torch.from_numpy(order).to(images.device)
            for part in torch.split(sent, size)[start : len(order) // size]:
                rows = part.sort().values
                yield images[rows], numbers[rows]
            return
        for at in range(start * size, len(order) - size + 1, size):
            if isinstance(self.images.base, mmap) and self.images.base.size() < self.images.nbytes:
                raise DatasetError(f"{self.path}/images.npy was truncated during the run: rebuild it")
            # Sorted, so that the disk reads forward; the order within a batch does not matter.
            chosen = np.sort(order[at : at + size])
            yield torch.from_numpy(self.pictures(chosen)), torch.from_numpy(self.numbers[chosen])


def open_dataset(path: Path) -> Dataset:
    """Open the dataset folder `path`. Raises DatasetError if it cannot be trained on."""
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        version, size, count, content_hash = (
            manifest[key] for key in ("version", "image_size", "count", "content_hash")
        )
    except OSError as error:
        raise DatasetError(f"no dataset at {path} ({error.strerror}): build one first") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(f"{path}/manifest.json is broken: rebuild the dataset") from error
    if version != VERSION:
        raise DatasetError(f"the dataset at {path} has version {version}; this program reads {VERSION}")
    if count == 0:
        raise DatasetError(f"the dataset at {path} is empty: collect or import pictures, then build it")
    if size not in SIZES:
        allowed = ", ".join(map(str, SIZES))
        raise DatasetError(
            f"the dataset at {path} has {size}-pixel pictures; there are networks for {allowed}"
        )
    try:
        images = np.load(path / "images.npy", mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{path}/images.npy cannot be read: {reason}") from error
    if images.dtype != np.uint8 or images.shape != (count, size, size, 3):
        raise DatasetError(
            f"{path}/images.npy is {images.dtype} {list(images.shape)}, "
            f"but its manifest says uint8 {[count, size, size, 3]}: rebuild the dataset"
        )
    # The middle row tells bags apart; reading all of a large dataset would take half a second.
    middles = np.ascontiguousarray(images[:, size // 2])
    tenth = np.fromiter((zlib.crc32(row) % 10 == 0 for row in middles), bool, count)
    rows = np.flatnonzero(~tenth)
    if len(rows) < 2:
        raise DatasetError(f"the dataset at {path} has {count} pictures: too few to train on")
    vocabulary, numbers = _words(path, count, rows)
    return Dataset(path, images, str(content_hash), rows, np.flatnonzero(tenth), vocabulary, numbers)


def _words(path: Path, count: int, rows: NDArray[np.int64]) -> tuple[Vocabulary | None, NDArray[np.int16]]:
    """The vocabulary and the numbers int16 [count, F] of a dataset folder; None and [count, 0] without words.

    Raises DatasetError if they are not those of `count` pictures.
    """
    try:
        told = json.loads((path / "words.json").read_bytes())
        version = told.pop("version")
        vocabulary = Vocabulary.model_validate_json(json.dumps(told)) if version == VERSION else None
    except FileNotFoundError:
        return None, np.empty((count, 0), np.int16)
    except OSError as error:
        raise DatasetError(f"{path}/words.json cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{path}/words.json is broken: rebuild the dataset") from error
    if vocabulary is None:
        raise DatasetError(f"{path}/words.json has another version than {VERSION}: rebuild the dataset")
    try:
        mapped = np.load(path / "words.npy", mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{path}/words.npy cannot be read: {reason}") from error
    if mapped.dtype != np.int16 or mapped.shape != (count, len(vocabulary.sizes)):
        raise DatasetError(
            f"{path}/words.npy is {mapped.dtype} {list(mapped.shape)}, not int16 "
            f"{[count, len(vocabulary.sizes)]} as for the pictures and words.json: rebuild the dataset"
        )
    numbers = np.array(mapped)
    if ((numbers < UNKNOWN) | (numbers >= np.array(vocabulary.sizes))).any():
        raise DatasetError(f"{path}/words.npy has numbers that are no word's: rebuild the dataset")
    return vocabulary.model_copy(update={"sets": _sets(numbers[rows])}), numbers


def _sets(numbers: NDArray[np.int16]) -> tuple[tuple[int, ...], ...]:
    """The distinct rows of int16 [n, F] with their counts, the most frequent first; see `Vocabulary.sets`."""
    known = numbers[(numbers != UNKNOWN).any(axis=1)]
    distinct, counts = np.unique(known, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_SETS]
    return tuple((*distinct[at].tolist(), int(counts[at])) for at in order)


def evaluation_pictures(dataset: Dataset, most: int) -> NDArray[np.uint8]:
    """At most `most` real pictures uint8 [n, S, S, 3]: held-out ones, or any if those are fewer than 50."""
    rows = dataset.held_out if len(dataset.held_out) >= 50 else np.arange(len(dataset.images))
    return dataset.pictures(rows[:: -(-len(rows) // most)])


def halved(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures uint8 [n, 2S, 2S, 3] → [n, S, S, 3]: each pixel is the mean of 2×2, rounded half up."""
    pairs = images[:, ::2].astype(np.uint16) + images[:, 1::2]
    return ((pairs[:, :, ::2] + pairs[:, :, 1::2] + 2) >> 2).astype(np.uint8)


def to_pictures(images: Tensor, device: torch.device) -> Tensor:
    """uint8 [n, S, S, 3] → float [n, 3, S, S] in [−1, 1] on the device; stays channels-last in memory."""
    return images.to(device, non_blocking=True).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
