"""Writes files atomically: a reader sees the old content or the new. Imports no torch."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes, keep: Path | None = None) -> None:
    """Replace the file `path` with `data`, on disk before this returns, even if the power fails.

    The old file becomes `keep`, if given; a process killed in between leaves it there. Raises OSError; then
    the old content stays.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        if keep is not None and path.exists():
            path.replace(keep)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write a folder's list of names to disk: a renamed file's new name is in its folder, not in the file."""
    if os.name == "nt":
        return  # Windows opens no folders, and writes names by itself
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
