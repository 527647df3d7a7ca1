"""The studio: where designs are drawn and bred, and where the generators that drew them are kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from bot import codes, words
from bot.codes import Code
from bot.drawing import jobs
from bot.drawing.queue import Line
from bot.drawing.workers import Easel
from bot.errors import Refusal
from bot.store.designs import Bred
from bot.store.store import Store
from gan import run as runs
from gan.events import Epoch
from gan.run_state import still_green

MUTATION = 0.02
"""Share of a child's numbers that are neither parent's."""
VARIATION = 0.1
"""Share of a variation's numbers that are new: visibly kin, and visibly another."""
STEPS = 8
"""Designs on the strip of a morph."""
PICTURES = 200
"""Finished pictures that are remembered, 0.1 MB each: what was just shown is saved, or shown again."""


@dataclass(frozen=True)
class Model:
    """A generator that the studio can draw with."""

    version: str
    epoch: int
    path: Path


class Studio:
    """Draws designs on the easel and keeps every generator that drew one.

    `generators` holds VERSION.safetensors; the newest run's generator joins it when it is first drawn with.
    """

    def __init__(self, easel: Easel, store: Store, run_folder: Path, generators: Path, kept: int) -> None:
        self._easel = easel
        self._quick = Line(easel, "quick")
        self._slow = Line(easel, "slow")
        self._pictures: OrderedDict[Code, jobs.Picture] = OrderedDict()
        self._store = store
        self._runs = run_folder
        self._generators = generators
        self._kept = kept
        self._looking = threading.Lock()
        self._seen: tuple[tuple[Path, int], Model] | None = None

    @property
    def waiting(self) -> int:
        """How many drawings somebody waits for."""
        return len(self._quick) + len(self._slow)

    async def current(self) -> Model:
        """The newest generator. Raises Refusal while there is none, or none that can be read."""
        model = await asyncio.to_thread(self._current)
        if model is None:
            raise Refusal(words.NO_GENERATOR)
        return model

    async def code(self, text: str | None) -> Code:
        """The design that somebody named by code or seed, or a fresh one. Raises Refusal."""
        if text is not None:
            with contextlib.suppress(codes.CodeError):
                # A whole code needs no current generator, so it works before the first run too.
                named = codes.parse(text, "")
                if named.version:
                    return named
        model = await self.current()
        if text is None:
            return codes.fresh(model.version)
        try:
            return codes.parse(text, model.version)
        except codes.CodeError as error:
            raise Refusal(words.not_a_code(text, model.version)) from error

    async def model(self, version: str) -> Model:
        """The kept generator of a version. Raises Refusal if it is not here."""
        path = self._generators / f"{version}.safetensors"
        found = await asyncio.to_thread(_read, path)
        if found is None:
            raise Refusal(words.unknown_generator(version))
        return found

    async def picture(self, code: Code) -> jobs.Picture:
        """One design. Raises Refusal."""
        if code in self._pictures:
            self._pictures.move_to_end(code)
            return self._pictures[code]
        (design,) = await self._designs([code])
        picture = self._pictures[code] = await self._quick.draw(jobs.picture(design))
        while len(self._pictures) > PICTURES:
            self._pictures.popitem(last=False)
        return picture

    async def latent(self, code: Code) -> bytes:
        """What a design is drawn from, float32 [z]. Raises Refusal."""
        (design,) = await self._designs([code])
        return await self._quick.draw(jobs.latent(design))

    async def grid(self, designs: Sequence[Code], columns: int) -> bytes:
        """A numbered grid of designs as PNG. Raises Refusal."""
        return await self._quick.draw(jobs.grid(await self._designs(designs), columns))

    async def breed(self, parents: Sequence[Code], count: int) -> list[Bred]:
        """New children of two designs of one generator, or variations of one. Raises Refusal."""
        kind, mutation = ("child", MUTATION) if len(parents) > 1 else ("variation", VARIATION)
        # Some to spare: of a small latent a variation may change nothing.
        seeds = random.sample(range(codes.FRESH), 8 * count)
        litter = await self._quick.draw(jobs.breed(await self._designs(parents), seeds, count, mutation))
        return [
            Bred(Code.bred(kind, parents, seed), tuple(parents), seed, latent)
            for seed, latent in litter.items()
        ]

    async def morph(
        self, stops: Sequence[Code], frames: int
    ) -> tuple[jobs.Animation, list[Code], list[Bred]]:
        """A loop through designs of one generator, `frames` frames from each to the next. Raises Refusal.

        With it the codes of its strip's STEPS, and those of them that are new designs.
        """
        count, ways = len(stops), STEPS
        if count == 2:
            ways = 2 * (STEPS - 1)  # back it goes the same way, so the strip shows the way there
        # In whole thousandths: a step's code is derived from how far it is.
        spots = [divmod(round(1000 * step * count / ways), 1000) for step in range(STEPS)]
        animation = await self._slow.draw(
            jobs.morph(
                await self._designs(stops), count * (frames - 1), [(arc, t / 1000) for arc, t in spots]
            )
        )
        names, new = [], []
        for (arc, t), latent in zip(spots, animation.latents, strict=True):
            ends = stops[arc % count], stops[(arc + 1) % count]
            names.append(Code.bred("step", ends, t) if t else ends[0])
            if t:
                new.append(Bred(names[-1], ends, t, latent))
        return animation, names, new

    async def family(self, code: Code, parents: Mapping[Code, Sequence[Code]]) -> bytes:
        """The family tree of a design as PNG. Raises Refusal."""
        members = list(dict.fromkeys([code, *parents, *(one for both in parents.values() for one in both)]))
        by_name = {str(child): [str(parent) for parent in both] for child, both in parents.items()}
        designs = await self._designs(members)
        return await self._slow.draw(jobs.family(designs, [str(member) for member in members], by_name))

    async def timelapse(self, run: runs.Run) -> tuple[bytes, int]:
        """The grids of a run so far as GIF, and the epoch of the last. Raises Refusal."""
        grids = await asyncio.to_thread(lambda: sorted(run.grids.glob("epoch-*.png")))
        if not grids:
            raise Refusal(words.NO_GRIDS)
        return await self._slow.draw(jobs.timelapse(grids)), int(grids[-1].stem.removeprefix("epoch-"))

    async def curves(self, epochs: Sequence[Epoch]) -> tuple[bytes, bytes | None]:
        """A run's curves of losses and quality so far as PNG; quality needs two measurements."""
        return await self._slow.draw(jobs.curves(epochs))

    async def _designs(self, of: Sequence[Code]) -> list[jobs.Design]:
        paths = {version: (await self.model(version)).path for version in {code.version for code in of}}
        latents = await self._store.latents(of)
        return [(paths[code.version], latents[code] if code.seed is None else code.seed) for code in of]

    async def warm_up(self) -> None:
        """Start the drawing process, so that the first person does not wait for torch."""
        model = await asyncio.to_thread(self._current)
        await self._easel.draw(jobs.warm_up, model.path if model else None)

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
            self._seen = key, self._keep(model)
        return self._seen[1]

    def _newest_file(self) -> Path | None:
        """The newest run's generator, or the one before it while the newest has only begun to learn.

        So a nightly run that begins anew does not give people fog for bags.
        """
        trained = [run for run in runs.every(self._runs) if run.generator.exists()]
        if len(trained) > 1 and still_green(trained[-1], trained[-2]):
            return trained[-2].generator
        if trained:
            return trained[-1].generator
        kept = list(self._generators.glob("*.safetensors"))
        return max(kept, key=lambda path: path.stat().st_mtime_ns, default=None)

    def _keep(self, model: Model) -> Model:
        kept = self._generators / f"{model.version}.safetensors"
        if not kept.exists():
            self._generators.mkdir(parents=True, exist_ok=True)
            beside = kept.with_suffix(".part")
            beside.unlink(missing_ok=True)
            try:
                # The trainer replaces its file and never writes into it, so a second name is enough.
                os.link(model.path, beside)
            except OSError:
                shutil.copy2(model.path, beside)
            beside.replace(kept)
        return Model(model.version, model.epoch, kept)

    def _prune(self, in_use: set[str]) -> list[str]:
        kept = sorted(self._generators.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
        gone = [path for path in kept[: -self._kept] if path.stem not in in_use]
        for path in gone:
            path.unlink()
        return [path.stem for path in gone]


def _read(path: Path) -> Model | None:
    """A generator file's version and epoch, from its header; None if it is not there."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["bag-dreams"])
        return Model(about["version"], int(about["epoch"]), path)
    except FileNotFoundError:
        return None
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise Refusal(words.broken_generator(path.name)) from error
