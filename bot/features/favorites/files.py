"""Favorites on disk: a PNG, an enlarged PNG and a JSON sidecar per design."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from bot.codes import Code
from bot.drawing.jobs import Picture
from bot.drawing.studio import Studio
from bot.store.store import Store
from bot.store.votes import Tally
from gan.atomic import write_atomically
from gan.neighbors import NearestPhoto


@dataclass(frozen=True)
class Favorite:
    """What the files of a favorite say."""

    code: Code
    latent: bytes
    """float32 [z + w]"""
    parents: Sequence[Code]
    epoch: int
    dreamt_at: datetime
    tally: Tally
    picture: Picture
    nearest: NearestPhoto | None
    """The photo that it resembles most; None if there was nothing to compare it with."""
    words: Mapping[str, str]
    """By facet, with which it was drawn."""


class FavoriteFiles:
    """The folder of favorites. Nothing in it names a person."""

    def __init__(self, folder: Path, store: Store, studio: Studio) -> None:
        self._folder = folder
        self._store = store
        self._studio = studio

    async def put(self, code: str) -> None:
        """Draw a favorite and write its files, also over older ones.

        Raises Refusal if it can't be drawn and OSError, for instance on a full disk; what was there is kept.
        """
        named = Code.of(code)
        card = await self._store.card(code, 0)
        if card is None:
            raise LookupError(code)
        favorite = Favorite(
            named,
            await self._studio.latent(named),
            (await self._store.ancestors(named, 1)).get(named, ()),
            card.epoch,
            card.created_at,
            card.tally,
            await self._studio.picture(named),
            await self._studio.nearest(named),
            (await self._studio.words([named]))[0],
        )
        await asyncio.to_thread(write, self._folder, favorite)

    async def missing(self, codes: Sequence[str]) -> list[str]:
        """Those of the designs whose files are not all there."""

        def missing() -> list[str]:
            there = {path.name for path in self._folder.glob("[!.]*")}
            return [code for code in codes if not there.issuperset(_names(code))]

        return await asyncio.to_thread(missing)


def write(folder: Path, favorite: Favorite) -> None:
    """Write CODE.png (as dreamed), CODE-large.png and CODE.json; the JSON comes last, and each file whole.

    Raises OSError; what was there before is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "code": str(favorite.code),
        "generator": favorite.code.version,
        "seed": favorite.code.seed,
        # Each of these doubles is a float32, exactly.
        "latent": np.frombuffer(favorite.latent, np.float32).tolist(),
        "parents": [str(parent) for parent in favorite.parents],
        "words": dict(favorite.words),
        "epoch": favorite.epoch,
        "color": favorite.picture.color,
        "votes": {"up": favorite.tally.up, "down": favorite.tally.down},
        "dreamt_at": favorite.dreamt_at.isoformat(),
        "nearest": asdict(favorite.nearest) if favorite.nearest else None,
    }
    data = (favorite.picture.original, favorite.picture.large, json.dumps(about, indent=2).encode() + b"\n")
    for name, content in zip(_names(str(favorite.code)), data, strict=True):
        write_atomically(folder / name, content)


def _names(code: str) -> tuple[str, str, str]:
    return f"{code}.png", f"{code}-large.png", f"{code}.json"
