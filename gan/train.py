"""The training loop: epochs of steps, and after each epoch a grid, perhaps a checkpoint, and events."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gan import augment, events
from gan.checkpoint import CheckpointError, load_state
from gan.data import Dataset, to_pictures
from gan.display import Display
from gan.distributed import World, batch_share
from gan.errors import UserError, out_of_memory
from gan.generator import noise
from gan.pair import Pair, shape_of
from gan.run import Run
from gan.run_writer import Record
from gan.seeds import derived
from gan.settings import Settings

_CHECK_EVERY = 200
"""Steps between two looks at whether the losses are still numbers; a look waits for the device."""

_COLLAPSED = 0.1
"""Of the widest spread of a run's bags: below it the generator draws one bag only."""

_RECOVERIES = 3


class TrainingError(UserError):
    """A run that does not recover; the message is one line."""


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
    rate: float = 1.0
    """Of the recipe's rates: halved by every recovery."""
    recoveries: int = 0
    spread: float = 0.0
    """The widest that the fixed seeds' bags have had."""


class Trainer:
    """A run in training. `stop()` is asked before every step."""

    def __init__(
        self,
        run: Run,
        settings: Settings,
        dataset: Dataset,
        device: torch.device,
        stop: Callable[[], bool],
        world: World,
    ) -> None:
        """`settings` are resolved: precision is bf16 or fp32, and the recipe has a width.

        Takes up the run's last checkpoint, if it has one. Raises CheckpointError if that is broken or of
        networks of another shape, and WorldError if the batch cannot be shared.
        """
        self.run, self.settings, self.dataset, self.device = run, settings, dataset, device
        self.stop, self.world = stop, world
        self.recipe = settings.resolved_recipe
        self.shape = shape_of(self.recipe, dataset.image_size)
        batch = min(self.recipe.batch, len(dataset))
        self.batch = batch - batch % world.size if batch < self.recipe.batch else batch
        batch_share(self.batch, world)
        self.steps = len(dataset) // self.batch
        """Of an epoch."""
        self._resident = dataset.resident(device)
        self.progress = Progress()
        self._restore()
        self._began = time.monotonic() - self.progress.seconds

    def train(self, display: Display) -> None:
        """Train to the end of the run, or until asked to stop. The last event is Finished or Stopped.

        Raises TrainingError if the losses stop being numbers, or all bags become one, for the fourth time.
        """
        self._display = display
        self._record = Record(self.run, self.dataset, self.shape, display)
        self._began = time.monotonic() - self.progress.seconds
        self._tell(self._started)
        while not self._over():
            wrong = self._epoch()
            if wrong is not None:
                self._recover(wrong)
            elif self._stopping:
                self._tell(lambda: events.Stopped(epoch=self.progress.epoch))
                return
        if self.world.first:
            self._record.finish(self.progress.epoch)

    def _epoch(self) -> str | None:
        """Train the rest of an epoch and tell of it, or stop in it; returns what went wrong, if anything."""
        now, began, images = self.progress, time.monotonic(), 0
        source = torch.Generator(self.device)
        for real in self.dataset.batches(self.batch, self.settings.seed, now.epoch, now.step, self._resident):
            if self._asked_to_stop():
                return self._stop()
            # Every step's draws follow from its number alone: a resumed run needs no generator's state,
            # and however many processes share the batch, it is the same batch.
            source.manual_seed(derived(self.settings.seed, "step", now.steps))
            z = self.world.share(noise(self.batch, self.shape, source))
            mirrored = self.world.share(torch.rand(self.batch, generator=source, device=self.device) < 0.5)
            pictures = to_pictures(self.world.share(real), self.device)
            if self.recipe.flips:
                pictures = augment.flip(pictures, mirrored)
            source.manual_seed(derived(self.settings.seed, "augment", now.steps, self.world.rank))
            now.losses += self.pair.step(
                pictures, z, source, step=now.steps, rate=self._rate(), strength=self._strength()
            )
            now.step += 1
            now.steps += 1
            now.images += self.batch
            images += self.batch
            self._display.step(now.epoch + 1, now.step)
            if now.step % _CHECK_EVERY == 0 and not self._sound():
                return "the losses are no numbers any more"
            if self._out_of_time():
                break

        if not self._sound():
            return "the losses are no numbers any more"
        d, g = (self.world.mean(now.losses) / max(1, now.step)).tolist()
        speed = images / max(time.monotonic() - began, 1e-9)
        return self._end_epoch(d, g, speed)

    def _end_epoch(self, d: float, g: float, speed: float) -> str | None:
        now, record = self.progress, self._record
        now.epoch, now.step, now.losses = now.epoch + 1, 0, torch.zeros_like(now.losses)
        grid, spread, kid = "", 0.0, None
        if self.world.first:
            network = self.pair.drawing()
            grid, spread = record.draw_grid(network, now.epoch)
        (spread,) = self.world.agreed(spread)
        if spread < _COLLAPSED * now.spread:
            return f"the bags have become one (their spread fell from {now.spread:.1f} to {spread:.1f})"
        now.spread = max(now.spread, spread)
        if not self.world.first:
            return None
        if record.measure_due(self.settings.kid_seconds):
            kid = record.measure(network, now.epoch)
        if self._over() or record.checkpoint_due(self.settings.checkpoint_seconds):
            record.checkpoint(network, now.epoch, self._state())
        record.tell(
            events.Epoch(
                epoch=now.epoch,
                epochs=self.settings.epochs or None,
                loss_d=d,
                loss_g=g,
                images_per_second=speed,
                images_seen=now.images,
                seconds=now.seconds,
                seconds_left=self._seconds_left(),
                grid=grid,
                kid=kid,
            )
        )
        return None

    def _stop(self) -> str | None:
        if not self._sound():
            return "the losses are no numbers any more"
        if self.world.first:
            self._record.checkpoint(self.pair.drawing(), self.progress.epoch, self._state())
        return None

    def _recover(self, reason: str) -> None:
        """Back to the last checkpoint with half the rates. Raises TrainingError when that was done enough."""
        failed = self.progress
        if failed.recoveries == _RECOVERIES:
            raise TrainingError(f"{reason}, after {_RECOVERIES} recoveries: try lower rates in [gan.recipe]")
        self._restore()
        now = self.progress
        now.seconds = failed.seconds
        now.rate, now.recoveries = failed.rate / 2, failed.recoveries + 1
        self._tell(lambda: events.Recovered(epoch=now.epoch, reason=reason, rate=now.rate))

    def _restore(self) -> None:
        """The pair and the progress of the last checkpoint, or of the beginning."""
        self.pair = Pair(
            self.recipe,
            self.shape,
            self.device,
            bf16=self.settings.precision == "bf16",
            seed=derived(self.settings.seed, "weights"),
            world=self.world,
        )
        self.progress = Progress()
        state = load_state(self.run)
        if state is not None:
            try:
                self.pair.restore(state["pair"])
                self.progress = Progress(**state["progress"])
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                if out_of_memory(error):
                    raise
                raise CheckpointError(
                    f"{self.run.state} does not fit {self.run.config}: undo what was changed there, "
                    "or begin with --new"
                ) from error
        self.progress.losses = self.progress.losses.to(self.device)

    def _state(self) -> dict[str, object]:
        return {"pair": self.pair.state(), "progress": vars(self.progress)}

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

    def _tell(self, event: Callable[[], events.Event]) -> None:
        if self.world.first:
            self._record.tell(event())

    def _asked_to_stop(self) -> bool:
        """Agree with the other processes on the time, and on whether any was asked to stop."""
        stop, seconds = self.world.agreed(float(self.stop()), time.monotonic() - self._began)
        self.progress.seconds = seconds
        self._stopping = stop > 0
        return self._stopping

    _stopping = False

    def _sound(self) -> bool:
        """Whether all losses of this epoch, and all weights, are numbers; in every process the same."""
        sound = self.progress.losses.isfinite().all() & self.pair.finite()
        return self.world.agreed(float(not sound)) == [0]

    def _out_of_time(self) -> bool:
        return 0 < self.settings.minutes * 60 <= self.progress.seconds

    def _over(self) -> bool:
        return 0 < self.settings.epochs <= self.progress.epoch or self._out_of_time()

    def _done(self) -> float:
        """The share of the run that is behind it, in [0, 1]; 0 if it has no end."""
        now, whole = self.progress, 0.0
        if self.settings.epochs:
            whole = (now.epoch + now.step / self.steps) / self.settings.epochs
        if self.settings.minutes:
            whole = max(whole, now.seconds / (self.settings.minutes * 60))
        return min(1.0, whole)

    def _rate(self) -> float:
        decayed = min(1.0, 2 * (1 - self._done())) if self.recipe.decay else 1.0
        return self.progress.rate * decayed

    def _strength(self) -> float:
        over = self.recipe.augment_epochs
        return min(1.0, (self.progress.epoch + self.progress.step / self.steps) / over) if over else 1.0

    def _seconds_left(self) -> float | None:
        done = self._done()
        return self.progress.seconds * (1 - done) / done if done else None
