"""The generators: which one is current, which are kept so that codes keep working, which are dropped."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from bot import words
from bot.errors import Refusal
from gan import events, run
from gan.atomic import sync_folder, write_atomically
from gan.header import GeneratorError, read_header


@dataclass(frozen=True)
class Model:
    """A generator that designs can be drawn with."""

    version: str
    epoch: int
    path: Path


class Generators:
    """Keeps every generator that drew a design, as VERSION.safetensors in the folder `kept`.

    The newest run's generator joins them when it is first drawn with. Of those that nobody needs, the newest
    `most` stay.
    """

    def __init__(self, runs: Path, kept: Path, most: int) -> None:
        self._runs = runs
        self._kept = kept
        self._most = most
        self._looking = threading.Lock()
        self._seen: tuple[tuple[Path, int], Model] | None = None

    async def current(self) -> Model:
        """The newest generator. Raises Refusal while there is none, or none that can be read."""
        model = await asyncio.to_thread(self._current)
        if model is None:
            raise Refusal(words.NO_GENERATOR)
        return model

    async def model(self, version: str) -> Model:
        """The kept generator of a version. Raises Refusal if it is not here."""
        found = await asyncio.to_thread(_read, self._kept / f"{version}.safetensors")
        if found is None:
            raise Refusal(words.unknown_generator(version))
        return found

    async def prune(self, in_use: set[str]) -> list[str]:
        """Delete the oldest kept generators beyond the limit, except the ones `in_use`; what was deleted."""
        return await asyncio.to_thread(self._prune, in_use)

    def _current(self) -> Model | None:
        with self._looking:
            return self._look()

    def _look(self) -> Model | None:
        newest = self._newest_file()
        if newest is None:
            return None
        try:
            key = (newest, newest.stat().st_mtime_ns)
        except OSError:
            return None
        if self._seen is None or self._seen[0] != key:
            model = _read(newest)
            if model is None:
                return None
            self._seen = key, self._add(model)
        return self._seen[1]

    def _newest_file(self) -> Path | None:
        """The newest run's generator, or the one before it while the newest has only begun to learn.

        Otherwise a nightly run that starts from scratch would give people fog instead of bags.
        """
        trained = [each for each in run.every(self._runs) if each.generator.exists()]
        if len(trained) > 1 and is_immature(trained[-1], trained[-2]):
            return trained[-2].generator
        if trained:
            return trained[-1].generator
        kept = list(self._kept.glob("*.safetensors"))
        return max(kept, key=lambda path: path.stat().st_mtime_ns, default=None)

    def _add(self, model: Model) -> Model:
        kept = self._kept / f"{model.version}.safetensors"
        if not kept.exists():
            self._kept.mkdir(parents=True, exist_ok=True)
            try:
                # The trainer replaces its file and never writes into it, so a second name is enough.
                os.link(model.path.resolve(), kept)
                sync_folder(self._kept)
            except OSError:  # another file system
                write_atomically(kept, model.path.read_bytes())
        return Model(model.version, model.epoch, kept)

    def _prune(self, in_use: set[str]) -> list[str]:
        kept = sorted(self._kept.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
        gone = [path for path in kept[: -self._most] if path.stem not in in_use]
        for path in gone:
            path.unlink()
        return [path.stem for path in gone]


def _read(path: Path) -> Model | None:
    """A generator file's version and epoch, from its header; None if it is not there."""
    if not path.exists():
        return None
    try:
        header = read_header(path)
    except GeneratorError as error:
        raise Refusal(words.broken_generator(str(error))) from error
    return Model(header.version, header.epoch, path)


def is_immature(newer: run.Run, older: run.Run) -> bool:
    """Whether a run that has not finished has seen less than half the pictures that an older one saw."""
    last = _last_events(newer)
    if any(isinstance(event, events.Finished) for event in last):
        return False
    return 2 * _images_seen(last) < _images_seen(_last_events(older))


def _last_events(of: run.Run) -> list[events.Event]:
    # The end of the file will do.
    return events.read(of.path, max(0, of.events.stat().st_size - 4096))[0]


def _images_seen(last: list[events.Event]) -> int:
    return max((event.images_seen for event in last if isinstance(event, events.Epoch)), default=0)
