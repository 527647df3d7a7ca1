"""What a run leaves in its folder: grids, checkpoints, curves, the timelapse, and every event."""

import time
from pathlib import Path
from typing import Any

from gan import events, networks
from gan.animate import timelapse
from gan.checkpoint import save_state
from gan.data import Dataset, for_measuring
from gan.display import Display
from gan.events import Event
from gan.files import write_atomically
from gan.generator import Generator, Shape, save_generator
from gan.grid import grid, png
from gan.run import Run

FIXED_SEEDS = range(64)
"""The bags that every grid of every run shows."""

_MEASURED = 250
"""Pictures at most, real and as many dreamed, for a quick KID: some seconds on one core."""


class Record:
    """The writing side of a run folder."""

    def __init__(self, run: Run, dataset: Dataset, shape: Shape, display: Display) -> None:
        self.run, self._dataset, self._shape, self._display = run, dataset, shape, display
        self._saved_at = -float("inf")
        self._measured_at = time.monotonic()
        self._best = min(
            (event.kid for event in self._epochs() if event.kid is not None), default=float("inf")
        )
        self._features: Any = None
        self._real: Any = None

    def tell(self, event: Event) -> None:
        """Append the event and show it."""
        events.append(self.run.path, event)
        self._display.show(event)

    def draw_grid(self, network: networks.Generator, epoch: int) -> tuple[str, float]:
        """The fixed seeds' bags after this epoch: the grid's path inside the run folder, and their spread.

        The spread is the mean deviation of a pixel from bag to bag, in shades of 255: 0 if all are one.
        """
        generator = Generator(network, self._shape, epoch, "")
        images = generator.draw(generator.latents(FIXED_SEEDS))
        self.run.grids.mkdir(exist_ok=True)
        write_atomically(self.run.grid(epoch), png(grid(images, columns=8)))
        return str(self.run.grid(epoch).relative_to(self.run.path)), float(images.std(axis=0).mean())

    def checkpoint_due(self, seconds: float) -> bool:
        """Whether the last checkpoint is so long ago."""
        return time.monotonic() - self._saved_at >= seconds

    def checkpoint(self, network: networks.Generator, epoch: int, state: dict[str, Any]) -> None:
        """Put the generator and the state of the run in place, and tell."""
        # The larger first: on a full disk neither changes.
        save_state(self.run, state | {"dataset": self._dataset.content_hash})
        version = self._save(self.run.generator, network, epoch)
        self._saved_at = time.monotonic()
        self.tell(events.Checkpoint(epoch=epoch, version=version))

    def measure_due(self, seconds: float) -> bool:
        """Whether the last measurement of quality, or the process's begin, is so long ago; never for 0."""
        return 0 < seconds <= time.monotonic() - self._measured_at

    def measure(self, network: networks.Generator, epoch: int) -> float | None:
        """KID × 1000 of the network's dreams; the best are kept as best.safetensors.

        None, said once, if the packages for it are missing: no reason to lose a night.
        """
        from gan import quality  # with its feature network, which a run without measurements does not need

        if self._features is None:
            try:
                self._features = quality.extractor()
            except quality.QualityError as error:
                self._display.note(str(error))
                self._measured_at = float("inf")
                return None
            self._real = self._features(for_measuring(self._dataset, _MEASURED))
        generator = Generator(network, self._shape, epoch, "")
        dreamed = generator.draw(generator.latents(range(len(self._real))))
        found = quality.kid(self._real, self._features(dreamed))
        if found < self._best:
            self._best = found
            self._save(self.run.best, network, epoch)
        self._measured_at = time.monotonic()
        return found

    def finish(self, epoch: int) -> None:
        """Draw the curves and the timelapse, and tell."""
        from gan import curves  # with matplotlib, which would keep the first step waiting

        told = self._epochs()
        write_atomically(self.run.losses, curves.losses(told))
        if sum(event.kid is not None for event in told) > 1:
            write_atomically(self.run.quality, curves.quality(told))
        write_atomically(self.run.timelapse, timelapse(sorted(self.run.grids.glob("epoch-*.png"))))
        self.tell(
            events.Finished(epoch=epoch, timelapse=self.run.timelapse.name, losses=self.run.losses.name)
        )

    def _epochs(self) -> list[events.Epoch]:
        return [event for event in events.read(self.run.path)[0] if isinstance(event, events.Epoch)]

    def _save(self, path: Path, network: networks.Generator, epoch: int) -> str:
        return save_generator(path, network, self._shape, epoch, self._dataset.content_hash)
