"""The files beside the catalog: originals by SHA-256, and one flat file of squares."""

import os
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scraper.square import RECIPE


class Squares:
    """All squares of one size in one file: slot i is 4 bytes of CRC-32, then size × size × 3 bytes of RGB.

    A slot counts only if its checksum matches, so one that a crash left half written is empty.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.size = size
        self.bytes = size * size * 3
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def write(self, slot: int, pixels: NDArray[np.uint8]) -> None:
        """Writes a square, uint8 [size, size, 3], to a slot. Raises OSError, e.g. if the disk is full."""
        data = pixels.tobytes()
        record = zlib.crc32(data).to_bytes(4, "big") + data
        if os.pwrite(self.file, record, slot * len(record)) != len(record):
            raise OSError("the disk is full")

    def read(self, slot: int) -> NDArray[np.uint8] | None:
        """The square in a slot, uint8 [size, size, 3]; None if the slot is empty or damaged."""
        record = os.pread(self.file, self.bytes + 4, slot * (self.bytes + 4))
        if len(record) != self.bytes + 4 or zlib.crc32(record[4:]) != int.from_bytes(record[:4], "big"):
            return None
        return np.frombuffer(record, np.uint8, offset=4).reshape(self.size, self.size, 3)

    def wipe(self, slot: int) -> None:
        """Empties a slot, overwriting its pixels."""
        os.pwrite(self.file, bytes(self.bytes + 4), slot * (self.bytes + 4))

    def close(self) -> None:
        """Closes the file."""
        os.close(self.file)


class Files:
    """FOLDER/originals/ab/abcd….jpg, if originals are kept, and FOLDER/squares-….bin."""

    def __init__(self, folder: Path, size: int, *, originals: bool = True) -> None:
        self.originals = folder / "originals"
        self.keeps_originals = originals
        self.folders: set[str] = set()
        self.squares = Squares(folder / f"squares-{size}-{RECIPE}.bin", size)

    def path(self, sha256: str, suffix: str) -> Path:
        """The path of an original, whether it exists or not; `suffix` is like ".jpg"."""
        return self.originals / sha256[:2] / f"{sha256}{suffix}"

    def put(self, sha256: str, suffix: str, data: bytes) -> None:
        """Writes an original unless it exists. Raises OSError.

        Call it and flush the file before adding the row: then neither a kill nor a power failure leaves a row
        without its file.
        """
        if not self.keeps_originals:
            return
        path = self.path(sha256, suffix)
        if sha256[:2] not in self.folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.folders.add(sha256[:2])
        try:
            if path.stat().st_size == len(data):
                return
        except FileNotFoundError:
            pass
        path.write_bytes(data)

    def on_disk(self, originals: Iterable[tuple[str, str]]) -> set[Path]:
        """The paths of those originals, each a (SHA-256, suffix), that were written."""
        return {path for each in originals if (path := self.path(*each)).exists()}

    def remove(self, sha256: str, suffix: str, slot: int) -> None:
        """Deletes an original and its square."""
        self.path(sha256, suffix).unlink(missing_ok=True)
        self.squares.wipe(slot)

    def close(self) -> None:
        """Closes the file of squares."""
        self.squares.close()
