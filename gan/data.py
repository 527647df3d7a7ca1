"""Reads the dataset folder that the scraper builds: memory-mapped pictures in shuffled batches."""

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

VERSION = 1
"""Version of the dataset folder's layout."""


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
    factor: int = 1
    """How many times larger `images` are, along a side, than the pictures to train on."""

    @property
    def image_size(self) -> int:
        """Pixels along a side of the pictures to train on."""
        return int(self.images.shape[1]) // self.factor

    def __len__(self) -> int:
        return len(self.rows)

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

    def resident(self, device: torch.device) -> Tensor | None:
        """All pictures uint8 [n, S, S, 3] on the device, if it is a GPU and they fit into a quarter of its
        free memory; else None.
        """
        if (
            device.type != "cuda"
            or self.images.nbytes / self.factor**2 > torch.cuda.mem_get_info(device)[0] / 4
        ):
            return None
        parts = np.array_split(np.arange(len(self.images)), -(-len(self.images) // 1000))
        return torch.cat([torch.from_numpy(self.pictures(rows)).to(device) for rows in parts])

    def batches(
        self, size: int, seed: int, epoch: int, start: int = 0, resident: Tensor | None = None
    ) -> Iterator[Tensor]:
        """One epoch's batches from the `start`-th (0: the first) on: uint8 [size, S, S, 3].

        Seed and epoch determine the order. Each row comes at most once; rows that do not fill a last batch
        are left out. If `resident` is given, the same batches are taken from it, on its device.
        Raises DatasetError if the file was truncated since it was opened: reading on would crash the process.
        """
        order = np.random.default_rng(derived(seed, "order", epoch)).permutation(self.rows)
        if resident is not None:
            # Sent once per epoch: sending each batch's rows would wait for the steps before it.
            sent = torch.from_numpy(order).to(resident.device)
            for rows in torch.split(sent, size)[start : len(order) // size]:
                yield resident[rows.sort().values]
            return
        for at in range(start * size, len(order) - size + 1, size):
            if isinstance(self.images.base, mmap) and self.images.base.size() < self.images.nbytes:
                raise DatasetError(f"{self.path}/images.npy was truncated during the run: rebuild it")
            # Sorted, so that the disk reads forward; the order within a batch does not matter.
            yield torch.from_numpy(self.pictures(np.sort(order[at : at + size])))


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
    return Dataset(path, images, str(content_hash), rows, np.flatnonzero(tenth))


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
