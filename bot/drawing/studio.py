"""The studio: draws designs, breeds them and animates what lies between them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from bot import codes, words
from bot.codes import Code
from bot.drawing import jobs
from bot.drawing.generators import Generators, Model
from bot.drawing.queue import DrawQueue
from bot.drawing.workers import DrawingPool, Lane
from bot.errors import Refusal
from bot.store.designs import Bred
from bot.store.store import Store
from gan import run as runs
from gan.events import Epoch
from gan.neighbors import NearestPhoto
from gan.seeds import derived
from scraper.decode import PictureError

MUTATION = 0.02
"""Share of a child's numbers that are neither parent's."""
VARIATION = 0.1
"""Share of a variation's numbers that are new: visibly kin, and visibly another."""
STEPS = 8
"""Designs on the strip of a morph."""
PICTURES = 200
"""Finished pictures that are remembered, 0.1 MB each: what was just shown is saved, or shown again."""
log = logging.getLogger(__name__)


_WORDS_AFTER = re.compile(r"\s+(?=[^\W\d_])")
"""Between a seed and its words: “42 red tote” is the code `42-red-tote`."""


class Studio:
    """Draws and breeds designs. What it is asked for goes through a queue per lane of the drawing pool."""

    def __init__(
        self, pool: DrawingPool, store: Store, generators: Generators, dataset: Path | None = None
    ) -> None:
        self._pool = pool
        self._quick = DrawQueue(pool, "quick")
        self._slow = DrawQueue(pool, "slow")
        self._pictures: OrderedDict[Code, jobs.Picture] = OrderedDict()
        self._store = store
        self._dataset = dataset
        self.generators = generators

    @property
    def hung(self) -> Set[Lane]:
        """Lanes whose process took too long over its last call."""
        return self._pool.hung

    def refuse_all(self) -> None:
        """Tell everybody who waits for a drawing that the bot is about to end."""
        self._quick.refuse_all()
        self._slow.refuse_all()

    @property
    def waiting(self) -> int:
        """How many drawings somebody waits for."""
        return len(self._quick) + len(self._slow)

    async def current(self) -> Model:
        """The generator that new designs are drawn with. Raises Refusal while there is none."""
        return await self.generators.current()

    async def model(self, version: str) -> Model:
        """The kept generator of a version. Raises Refusal if it is not here."""
        return await self.generators.model(version)

    async def code(self, text: str | None) -> Code:
        """The design that somebody named by code or seed, or a fresh one. Raises Refusal."""
        if text is None:
            return codes.fresh((await self.current()).version)
        joined = _WORDS_AFTER.sub("-", text.strip())
        named: Code | None = None
        with contextlib.suppress(codes.CodeError):
            # A whole code needs no current generator, so it works before the first run too.
            named = codes.parse(joined, "")
        if named is None or not named.version:
            model = await self.current()
            try:
                named = codes.parse(joined, model.version)
            except codes.CodeError as error:
                raise Refusal(words.not_a_code(text, model.version)) from error
        if named.seed is None or not named.words:
            return named
        # Typed in any order, by any names: a design has one code.
        model = await self.model(named.version)
        return model.code(named.seed, model.understand(named.words))

    async def words(self, of: Sequence[Code]) -> list[dict[str, str]]:
        """By facet the words that each design is drawn with, also those by its seed. Raises Refusal."""
        models = await self._models(of)
        latents = await self._store.latents(of)
        return [models[code.version].words(code, latents.get(code)) for code in of]

    async def reworded(self, code: Code, choices: Sequence[Sequence[str]]) -> tuple[list[Code], list[Bred]]:
        """The same design in other words, once for each choice; of facets not spoken of it keeps its own.

        Their codes, and those of them that are new designs. Raises Refusal.
        """
        model = await self.model(code.version)
        if model.vocabulary is None:
            raise Refusal(words.no_words(" ".join(choices[0])))
        if code.seed is not None:
            facet, own = model.vocabulary.facet, model.understand(code.words)
            spoken = [{facet(word).name for word in said} for said in choices]
            return [
                model.code(code.seed, [*said, *(word for word in own if facet(word).name not in facets)])
                for said, facets in zip(choices, spoken, strict=True)
            ], []
        latent = (await self._store.latents([code]))[code]
        names, new = [], []
        for said in choices:
            changed, seed = model.reworded(latent, said), derived(model.vocabulary.in_code(said))
            names.append(Code.bred("words", [code], seed) if changed != latent else code)
            if changed != latent:
                new.append(Bred(names[-1], (code,), seed, changed))
        return names, new

    async def picture(self, code: Code) -> jobs.Picture:
        """One design. Raises Refusal."""
        if code in self._pictures:
            self._pictures.move_to_end(code)
            return self._pictures[code]
        (design,) = await self.designs([code])
        return self._remember(code, await self._quick.draw(jobs.picture(design)))

    def _remember(self, code: Code, picture: jobs.Picture) -> jobs.Picture:
        self._pictures[code] = picture
        while len(self._pictures) > PICTURES:
            self._pictures.popitem(last=False)
        return picture

    async def nearest(self, code: Code) -> NearestPhoto | None:
        """The photo of today's dataset that a design resembles most; None if there is none, or a broken one.

        Raises Refusal. The design's generator may have learned from an older dataset, which is gone.
        """
        if self._dataset is None:
            return None
        picture = await self.picture(code)
        try:
            return await self._quick.draw(jobs.nearest(picture, self._dataset))
        except OSError as error:
            log.warning("no bag can be compared with the photos: %s", error)
            return None

    async def latent(self, code: Code) -> bytes:
        """What a design is drawn from, float32 [z + w]. Raises Refusal."""
        (design,) = await self.designs([code])
        return await self._quick.draw(jobs.latent(design))

    async def grid(self, designs: Sequence[Code], columns: int) -> bytes:
        """A numbered grid of designs as PNG. Raises Refusal."""
        return await self._quick.draw(jobs.grid(await self.designs(designs), columns))

    async def breed(self, parents: Sequence[Code], count: int) -> list[Bred]:
        """New children of two designs of one generator, or variations of one. Raises Refusal."""
        kind, mutation = ("child", MUTATION) if len(parents) > 1 else ("variation", VARIATION)
        # Some to spare: of a small latent a variation may change nothing.
        seeds = random.sample(range(codes.FRESH), 8 * count)
        litter = await self._quick.draw(jobs.breed(await self.designs(parents), seeds, count, mutation))
        return [
            Bred(Code.bred(kind, parents, seed), tuple(parents), seed, latent)
            for seed, latent in litter.items()
        ]

    async def like(self, photo: bytes) -> tuple[Bred, jobs.Likeness]:
        """The new design that is most like the bag on a photo, a file's bytes. Raises Refusal."""
        model = await self.current()
        try:
            found = await self._slow.draw(jobs.like(model.path, photo))
        except PictureError as error:
            raise Refusal(words.photo_refused(str(error))) from error
        # Of the latent, so that the same photo gives the same code, and the code tells nothing of the photo.
        seed = int.from_bytes(hashlib.sha256(found.latent).digest()[:7])
        code = Code.bred("photo", (), seed, model.version)
        self._remember(code, found.picture)
        return Bred(code, (), seed, found.latent), found

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
            jobs.morph(await self.designs(stops), count * (frames - 1), [(arc, t / 1000) for arc, t in spots])
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
        designs = await self.designs(members)
        return await self._slow.draw(jobs.family(designs, [str(member) for member in members], by_name))

    async def timelapse(self, run: runs.Run) -> tuple[bytes, int]:
        """The grids of a run so far as GIF, and the epoch of the last. Raises Refusal."""
        grids = await asyncio.to_thread(lambda: sorted(run.grids.glob("epoch-[0-9]*[0-9].png")))
        if not grids:
            raise Refusal(words.NO_GRIDS)
        return await self._slow.draw(jobs.timelapse(grids)), int(grids[-1].stem.removeprefix("epoch-"))

    async def curves(self, epochs: Sequence[Epoch]) -> tuple[bytes, bytes | None]:
        """A run's curves of losses and quality so far as PNG; quality needs two measurements."""
        return await self._slow.draw(jobs.curves(epochs))

    async def designs(self, of: Sequence[Code]) -> list[jobs.Design]:
        """What it takes to draw designs. Raises Refusal."""
        models = await self._models(of)
        latents = await self._store.latents(of)
        return [(models[code.version].path, _source(models[code.version], code, latents)) for code in of]

    async def _models(self, of: Sequence[Code]) -> dict[str, Model]:
        return {version: await self.model(version) for version in {code.version for code in of}}

    async def warm_up(self) -> None:
        """Start the drawing process, so that the first person does not wait for torch."""
        try:
            path = (await self.generators.current()).path
        except Refusal:
            path = None
        await self._pool.draw(jobs.warm_up, path)


def _source(model: Model, code: Code, latents: Mapping[Code, bytes]) -> jobs.Source:
    if code.seed is None:
        return latents[code]
    if not code.words:
        return code.seed
    model.understand(code.words)  # an older generator may not
    return code.seed, code.words
