"""The gallery's folder: writes only what has changed, each file whole, and removes old files last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gan.atomic import write_atomically

MARK = ".gallery.json"


class GalleryError(ValueError):
    """The folder can't hold a gallery; the message is one line."""


class Folder:
    """A gallery on disk.

    The file `MARK` lists the gallery's files, and keeps `notes` for the next build. Other files (a CNAME, a
    .git) are left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = self.removed = 0
        self._kept: set[str] = set()
        try:
            if path.exists() and not path.is_dir():
                raise GalleryError(f"{path} is a file: choose a folder for the gallery")
            path.mkdir(parents=True, exist_ok=True)
            before = self._read()
            self.notes: dict[str, Any] = before["notes"]
            self._before: set[str] = set(before["files"])
            self.remember()
        except OSError as error:
            raise GalleryError(f"{path} can't be written ({error.strerror})") from error

    def _read(self) -> dict[str, Any]:
        mark = self.path / MARK
        if mark.exists():
            try:
                about: dict[str, Any] = json.loads(mark.read_bytes())
                return {"notes": dict(about["notes"]), "files": list(about["files"])}
            except (ValueError, KeyError, TypeError) as error:
                raise GalleryError(f"{mark} is damaged: delete {self.path} and build it again") from error
        if any(not each.name.startswith(".") for each in self.path.iterdir()):
            raise GalleryError(f"{self.path} holds something that is not a gallery: choose another folder")
        return {"notes": {}, "files": []}

    def has(self, name: str) -> bool:
        """Whether a file from an earlier build is there; if so, it is kept."""
        if name in self._before and (self.path / name).is_file():
            self._kept.add(name)
            return True
        return False

    def put(self, name: str, data: bytes) -> None:
        """Write `data` to a file, unless it has it already. Raises OSError, and then the old file stays."""
        file = self.path / name
        self._kept.add(name)
        if file.is_file() and file.read_bytes() == data:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        self._before.add(name)
        write_atomically(file, data)
        self.written += 1

    def close(self) -> None:
        """Remove the files that no longer belong to the gallery, and record the others."""
        for name in sorted(self._before - self._kept):
            file = self.path / name
            if file.is_file():
                file.unlink()
                self.removed += 1
            if file.parent != self.path and file.parent.is_dir() and not any(file.parent.iterdir()):
                file.parent.rmdir()
        self._before = self._kept
        self.remember()

    def remember(self) -> None:
        """Record which files are the gallery's, so that an interrupted build is recognized."""
        data = json.dumps({"notes": self.notes, "files": sorted(self._before)}, indent=1).encode()
        mark = self.path / MARK
        if not mark.exists() or mark.read_bytes() != data:
            write_atomically(mark, data)
