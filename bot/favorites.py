"""Favorites on disk: for each design its PNG, the enlargement and a JSON sidecar."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from bot.codes import Code
from bot.render import Picture


def write(folder: Path, code: Code, picture: Picture, epoch: int, saved_at: datetime) -> None:
    """Write CODE.png (64²), CODE-large.png and CODE.json; the JSON comes last, and each file whole.

    Raises OSError, for instance on a full disk; what was there before is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "code": str(code),
        "generator": code.version,
        "seed": code.seed,
        "epoch": epoch,
        "color": picture.color,
        "saved_at": saved_at.isoformat(),
    }
    for name, data in (
        (f"{code}.png", picture.original),
        (f"{code}-large.png", picture.large),
        (f"{code}.json", json.dumps(about, indent=2).encode() + b"\n"),
    ):
        beside = folder / f".{name}.part"
        beside.write_bytes(data)
        beside.replace(folder / name)
