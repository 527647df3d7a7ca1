"""Writes the run folder: grids, checkpoints, curves, the timelapse, and every event."""

import time
from pathlib import Path
from typing import Any

from torch import Tensor

from gan import events, networks, quality
from gan.animate import timelapse
from gan.atomic import write_atomically
from gan.checkpoint import save_state
from gan.data import Dataset, evaluation_pictures
from gan.display import Display
from gan.events import Event
from gan.generator import Generator, Shape, save_generator
from gan.grid import grid, png
from gan.run import Run
from gan.run_state import read_epochs

FIXED_SEEDS = range(64)
"""The bags in every grid of every run."""

_MEASURED = 250
"""Real pictures at most, and as many dreamed ones, for a quick KID: a few seconds on one core."""


class RunWriter:
    """The writing side of a run folder; every event is also shown on the display."""

    def __init__(self, run: Run, dataset: Dataset, shape: Shape, display: Display) -> None:
        """The generators' vocabulary is that of the dataset."""
        self.run, self._dataset, self._shape, self._display = run, dataset, shape, display
        self._saved_at = -float("inf")
        self._measured_at = time.monotonic()
        self._best = min(
            (event.kid for event in read_epochs(self.run) if event.kid is not None), default=float("inf")
        )
        self._features: quality.Features | None = None
        self._real: Tensor | None = None

    def emit(self, event: Event) -> None:
        """Append the event to events.jsonl and show it."""
        events.append(self.run.path, event)
        self._display.show(event)

    def draw_grid(self, network: networks.Generator, epoch: int) -> tuple[str, float]:
        """Draw the fixed seeds' bags after this epoch; returns the grid's path inside the run folder and the
        bags' spread.

        The spread is the standard deviation of a pixel from bag to bag, averaged over all pixels, of 255:
        0 if all bags are the same.
        """
        generator = self._drawing(network, epoch)
        images = generator.draw(generator.latents(FIXED_SEEDS))
        self.run.grids.mkdir(exist_ok=True)
        write_atomically(self.run.grid(epoch), png(grid(images, columns=8)))
        return self.run.grid(epoch).relative_to(self.run.path).as_posix(), float(images.std(axis=0).mean())

    def checkpoint_due(self, seconds: float) -> bool:
        """Whether the last checkpoint was at least that long ago."""
        return time.monotonic() - self._saved_at >= seconds

    def checkpoint(self, network: networks.Generator, epoch: int, state: dict[str, Any]) -> None:
        """Write state.pt and generator.safetensors, then emit Checkpoint. Raises OSError."""
        # The larger file first: on a full disk neither changes.
        save_state(self.run, state | {"dataset": self._dataset.content_hash})
        version = self._save(self.run.generator, network, epoch)
        self._saved_at = time.monotonic()
        self.emit(events.Checkpoint(epoch=epoch, version=version))

    def measure_due(self, seconds: float) -> bool:
        """Whether the last KID, or the start of this process, was at least that long ago; never for 0."""
        return 0 < seconds <= time.monotonic() - self._measured_at

    def measure(self, network: networks.Generator, epoch: int) -> float | None:
        """KID × 1000 of the network's dreams; the best network so far is kept as best.safetensors.

        If the packages for it are missing, returns None and says so once: training goes on without KID.
        """
        if self._features is None or self._real is None:
            try:
                self._features = quality.extractor()
            except quality.QualityError as error:
                self._display.note(str(error))
                self._measured_at = float("inf")
                return None
            self._real = self._features(evaluation_pictures(self._dataset, _MEASURED))
        generator = self._drawing(network, epoch)
        dreamed = generator.draw(generator.latents(range(len(self._real))))
        found = quality.kid(self._real, self._features(dreamed))
        if found < self._best:
            self._best = found
            self._save(self.run.best, network, epoch)
        self._measured_at = time.monotonic()
        return found

    def finish(self, epoch: int) -> None:
        """Draw the curves and the timelapse, then emit Finished."""
        from gan import curves  # lazily: matplotlib would delay the first step

        self._display.note("drawing the curves and the timelapse…")
        epochs = read_epochs(self.run)
        write_atomically(self.run.losses, curves.losses(epochs))
        if sum(event.kid is not None for event in epochs) > 1:
            write_atomically(self.run.quality, curves.quality(epochs))
        write_atomically(self.run.timelapse, timelapse(sorted(self.run.grids.glob("epoch-*.png"))))
        self.emit(
            events.Finished(epoch=epoch, timelapse=self.run.timelapse.name, losses=self.run.losses.name)
        )

    def _save(self, path: Path, network: networks.Generator, epoch: int) -> str:
        dataset = self._dataset
        return save_generator(path, network, self._shape, epoch, dataset.content_hash, dataset.vocabulary)

    def _drawing(self, network: networks.Generator, epoch: int) -> Generator:
        return Generator(network, self._shape, epoch, "", self._dataset.vocabulary)
