"""The training loop: epochs of steps, and after each epoch a grid, perhaps a checkpoint, and events."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gan import augment, events, networks
from gan.animate import timelapse
from gan.checkpoint import load_state, save_state
from gan.data import Dataset, to_pictures
from gan.display import Display
from gan.events import Event
from gan.generator import Generator, Shape, noise, save_generator
from gan.grid import grid, png
from gan.pair import Pair
from gan.run import Run, write
from gan.seeds import derived
from gan.settings import Settings

FIXED_SEEDS = range(64)
"""The bags that every grid of every run shows."""


@dataclass
class Progress:
    """Where a run is: `step` steps into the epoch after the `epoch` whole ones behind it."""

    epoch: int = 0
    step: int = 0
    steps: int = 0
    """Of all epochs together."""
    images: int = 0
    seconds: float = 0.0
    losses: Tensor = field(default_factory=lambda: torch.zeros(2))
    """Sum over this epoch's steps."""


class Trainer:
    """A run in training. `stop()` is asked before every step."""

    def __init__(
        self,
        run: Run,
        settings: Settings,
        dataset: Dataset,
        device: torch.device,
        stop: Callable[[], bool],
    ) -> None:
        """`settings` are resolved: precision is bf16 or fp32, and the recipe has a width.

        Takes up the run's last checkpoint, if it has one. Raises CheckpointError if that is broken.
        """
        self.run, self.settings, self.dataset, self.device = run, settings, dataset, device
        self.stop = stop
        self.recipe = settings.resolved_recipe
        self.shape = Shape(self.recipe.z_size, self.recipe.z, self.recipe.channels, dataset.image_size)
        self.pair = Pair(
            self.recipe,
            self.shape,
            device,
            bf16=settings.precision == "bf16",
            seed=derived(settings.seed, "weights"),
        )
        self.batch = min(self.recipe.batch, len(dataset))
        self.steps = len(dataset) // self.batch
        """Of an epoch."""
        self.progress = Progress()
        state = load_state(run.state)
        if state is not None:
            self.pair.restore(state["pair"])
            self.progress = Progress(**state["progress"])
        self.progress.losses = self.progress.losses.to(device)
        self._saved_at = -float("inf")
        self._before = self.progress.seconds
        self._began = time.monotonic()

    def train(self, display: Display) -> None:
        """Train to the end of the run, or until asked to stop. The last event is Finished or Stopped."""
        self._display = display
        self._began = time.monotonic()
        self._tell(self._started())
        while not self._over():
            if not self._epoch():
                self._checkpoint(self.pair.drawing())
                self._tell(events.Stopped(epoch=self.progress.epoch))
                return
        self._finish()

    def _epoch(self) -> bool:
        """Train the rest of an epoch and tell of it; False if asked to stop before its end."""
        now, began, images = self.progress, time.monotonic(), 0
        source = torch.Generator(self.device)
        for real in self.dataset.batches(self.batch, self.settings.seed, now.epoch, now.step):
            if self.stop():
                return False
            # Every step's draws follow from its number alone: a resumed run needs no generator's state.
            source.manual_seed(derived(self.settings.seed, "step", now.steps))
            pictures = to_pictures(real, self.device)
            if self.recipe.flips:
                mirrored = torch.rand(len(pictures), generator=source, device=self.device) < 0.5
                pictures = augment.flip(pictures, mirrored)
            now.losses += self.pair.step(
                pictures,
                noise(len(pictures), self.shape, source),
                step=now.steps,
                rate=self._rate(),
            )
            now.step += 1
            self._display.step(now.epoch + 1, now.step)
            now.steps += 1
            now.images += len(pictures)
            images += len(pictures)
            now.seconds = self._seconds()
            if self._out_of_time():
                break

        d, g = (now.losses / max(1, now.step)).tolist()
        speed = images / max(time.monotonic() - began, 1e-9)
        now.epoch, now.step, now.losses = now.epoch + 1, 0, torch.zeros_like(now.losses)
        network = self.pair.drawing()
        self._draw_grid(network)
        if self._checkpoint_due():
            self._checkpoint(network)
        self._tell(
            events.Epoch(
                epoch=now.epoch,
                epochs=self.settings.epochs or None,
                loss_d=d,
                loss_g=g,
                images_per_second=speed,
                images_seen=now.images,
                seconds=self._seconds(),
                seconds_left=self._seconds_left(),
                grid=str(self.run.grid(now.epoch).relative_to(self.run.path)),
            )
        )
        return True

    def _draw_grid(self, network: networks.Generator) -> None:
        generator = Generator(network, self.shape, self.progress.epoch, "")
        images = generator.draw(generator.latents(FIXED_SEEDS))
        self.run.grids.mkdir(exist_ok=True)
        write(self.run.grid(self.progress.epoch), png(grid(images, columns=8)))

    def _checkpoint(self, network: networks.Generator) -> None:
        """Put the generator and the state of the run in place, and tell."""
        now = self.progress
        now.seconds = self._seconds()
        version = save_generator(
            self.run.generator, network, self.shape, now.epoch, self.dataset.content_hash
        )
        save_state(
            self.run.state,
            {"pair": self.pair.state(), "progress": vars(now), "dataset": self.dataset.content_hash},
        )
        self._saved_at = time.monotonic()
        self._tell(events.Checkpoint(epoch=now.epoch, version=version))

    def _finish(self) -> None:
        from gan import curves  # with matplotlib, which would keep the first step waiting

        run, epoch = self.run, self.progress.epoch
        told, _ = events.read(run.path)
        write(run.losses, curves.losses([event for event in told if isinstance(event, events.Epoch)]))
        write(run.timelapse, timelapse(sorted(run.grids.glob("epoch-*.png"))))
        self._tell(events.Finished(epoch=epoch, timelapse=run.timelapse.name, losses=run.losses.name))

    def _checkpoint_due(self) -> bool:
        waited = time.monotonic() - self._saved_at
        return self._over() or waited >= self.settings.checkpoint_seconds

    def _started(self) -> events.Started:
        return events.Started(
            run=self.run.name,
            preset=self.settings.preset,
            device=self.device.type,
            epochs=self.settings.epochs or None,
            epoch=self.progress.epoch,
            images=len(self.dataset),
            image_size=self.dataset.image_size,
            dataset=self.dataset.content_hash,
        )

    def _tell(self, event: Event) -> None:
        events.append(self.run.path, event)
        self._display.show(event)

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _out_of_time(self) -> bool:
        return 0 < self.settings.minutes * 60 <= self._seconds()

    def _over(self) -> bool:
        return 0 < self.settings.epochs <= self.progress.epoch or self._out_of_time()

    def _done(self) -> float:
        """The share of the run that is behind it, in [0, 1]; 0 if it has no end."""
        now, whole = self.progress, 0.0
        if self.settings.epochs:
            whole = (now.epoch + now.step / self.steps) / self.settings.epochs
        if self.settings.minutes:
            whole = max(whole, self._seconds() / (self.settings.minutes * 60))
        return min(1.0, whole)

    def _rate(self) -> float:
        return min(1.0, 2 * (1 - self._done())) if self.recipe.decay else 1.0

    def _seconds_left(self) -> float | None:
        done = self._done()
        return self._seconds() * (1 - done) / done if done else None
