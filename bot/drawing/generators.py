"""The generators: which one is current, which are kept so that codes keep working, which are dropped."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from bot import words
from bot.codes import LONGEST, Code
from bot.errors import Refusal
from gan import events, run
from gan.atomic import sync_folder, write_atomically
from gan.header import GeneratorError, Header, read_header
from gan.words import Said, Vocabulary, WordError, slug


@dataclass(frozen=True)
class Model:
    """A generator that designs can be drawn with."""

    version: str
    epoch: int
    path: Path
    vocabulary: Vocabulary | None = None
    """The words that steer it; None if none do."""

    def understand(self, text: str) -> tuple[str, ...]:
        """The words of its vocabulary that a text says, in its order.

        Raises Refusal if it knows no words, for one that is none of them, and for two of one facet.
        """
        if self.vocabulary is None:
            raise Refusal(words.no_words(text))
        try:
            said = self.vocabulary.said(text)
        except WordError as error:
            raise Refusal(words.two_words(str(error))) from error
        if said.unknown:
            unknown = said.unknown[0]
            raise Refusal(words.unknown_word(unknown, self.vocabulary.nearest(unknown), self._lists()))
        return said.words

    def unknown(self, text: str) -> tuple[str, ...]:
        """What a text says that is none of its words, by slugs (see `gan.words.slug`)."""
        if self.vocabulary is None:
            return tuple(filter(None, slug(text).split("-")))
        try:
            return self.vocabulary.said(text).unknown
        except WordError:  # of two that it knows
            return ()

    def recognize(self, theme: str) -> Said:
        """What words as in a code, of this or another generator, say to this one."""
        try:
            return self.vocabulary.said(theme.replace("-", " ")) if self.vocabulary else Said((), (theme,))
        except WordError:  # here two of them are of one facet
            return Said((), (theme,))

    def by_facet(self, said: Sequence[str]) -> dict[str, str]:
        """Words of its vocabulary by their facets' names."""
        return {self.vocabulary.facet(word).name: word for word in said} if self.vocabulary else {}

    def code(self, seed: int, said: Sequence[str] = ()) -> Code:
        """The design of a seed with words, in any order. Raises Refusal if they make too long a code."""
        if self.vocabulary is None or not said:
            return Code.seeded(self.version, seed)
        code = Code.seeded(self.version, seed, self.vocabulary.in_code(said))
        if len(str(code)) > LONGEST:
            raise Refusal(words.TOO_MANY_WORDS)
        return code

    def words(self, code: Code, latent: bytes | None) -> dict[str, str]:
        """By facet the words that a design is drawn with: those of its code and the seed, or of its latent.

        Raises Refusal for a code with words that it does not know.
        """
        if self.vocabulary is None:
            return {}
        if latent is None:
            found = self.vocabulary.filled(code.seed or 0, self.understand(code.words))
        else:
            found = self.vocabulary.told(
                np.frombuffer(latent, np.float32)[-len(self.vocabulary.words) :].tolist()
            )
        return self.by_facet(found)

    def reworded(self, latent: bytes, said: Sequence[str]) -> bytes:
        """A latent float32 [z + w] with other words; those of facets not spoken of stay as they are."""
        inputs = np.frombuffer(latent, np.float32).copy()
        facets = self.vocabulary.facets if self.vocabulary else ()
        at = len(inputs) - sum(len(facet.words) for facet in facets)
        for facet in facets:
            if not set(said).isdisjoint(facet.words):
                inputs[at : at + len(facet.words)] = [word in said for word in facet.words]
            at += len(facet.words)
        return inputs.tobytes()

    def _lists(self) -> dict[str, tuple[str, ...]]:
        return {facet.name: facet.words for facet in self.vocabulary.facets} if self.vocabulary else {}


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
        return replace(model, path=kept)

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
        about = path.stat()
        header = _header(path, about.st_mtime_ns, about.st_size)
    except GeneratorError as error:
        raise Refusal(words.broken_generator(str(error))) from error
    return Model(header.version, header.epoch, path, header.vocabulary)


@lru_cache(maxsize=16)
def _header(path: Path, _mtime_ns: int, _size: int) -> Header:
    """A file's header, read once: thousands of sets of words take a while to check."""
    return read_header(path)


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
