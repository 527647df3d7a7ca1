"""The training loop: epochs of steps; after each epoch a grid, an event and, when due, a checkpoint."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from torch import Tensor
from torch.nn.functional import pad

from gan import augment, events
from gan.adversaries import Adversaries, shape_of
from gan.checkpoint import CheckpointError, load_state
from gan.data import Dataset, to_pictures
from gan.display import Display
from gan.distributed import World
from gan.errors import UserError, out_of_memory
from gan.generator import noise
from gan.run import Run
from gan.run_writer import RunWriter
from gan.seeds import derived
from gan.settings import Settings
from gan.word_inputs import told
from gan.words import Vocabulary

_CHECK_EVERY = 200
"""Steps between checks that the losses are still finite; each check waits for the device."""

_COLLAPSED = 0.1
"""Share of the widest spread of a run's bags, below which the generator counts as collapsed."""

_RECOVERIES = 3
"""Recoveries before a run fails."""

_DIVERGED = "the losses are no longer finite numbers"


class TrainingError(UserError):
    """A run that did not recover; the message is one line."""


def _three(losses: Tensor) -> Tensor:
    if losses.shape == (2,):  # of a run from before there were words
        losses = pad(losses, (0, 1))
    if losses.shape != (3,) or losses.dtype != torch.float32:
        raise ValueError("must be float [3]")
    return losses


@dataclass
class TrainingProgress:
    """How far a run is; saved in state.pt under these names, and checked when it is read from there."""

    __pydantic_config__: ClassVar = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    epoch: events.Epochs = 0
    """Whole epochs trained."""
    step: events.Count = 0
    """Steps into the current epoch."""
    steps: events.Count = 0
    """Steps of all epochs together."""
    images: events.Count = 0
    """Pictures seen, over all processes."""
    seconds: Annotated[events.Number, Field(ge=0)] = 0.0
    """Time trained, over all resumptions."""
    losses: Annotated[Tensor, AfterValidator(_three)] = field(default_factory=lambda: torch.zeros(3))
    """The losses (D, G, words) summed over this epoch's steps, float [3] on the device."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor on the recipe's learning rates, in (0, 1]: halved by every recovery."""
    recoveries: Annotated[int, Field(ge=0, le=_RECOVERIES)] = 0
    spread: Annotated[events.Number, Field(ge=0)] = 0.0
    """The widest spread of the fixed seeds' bags so far; see `RunWriter.draw_grid`."""


_progress = TypeAdapter(TrainingProgress)


class Trainer:
    """A run in training. It stops before the next step once `stop()` returns true."""

    def __init__(
        self,
        run: Run,
        settings: Settings,
        dataset: Dataset,
        device: torch.device,
        stop: Callable[[], bool],
        world: World,
    ) -> None:
        """Resume from the run's last checkpoint, if it has one. `settings` are resolved, as in `Launch`.

        A run keeps the words it started with, also if the dataset has others by now.

        Raises CheckpointError if the checkpoint is broken or of networks of another shape, and
        DistributedError if the batch cannot be split evenly over the processes.
        """
        self.run, self.settings, self.device = run, settings, device
        self.stop, self.world = stop, world
        self.recipe = settings.resolved_recipe
        self.dataset = dataset.at_most(self.recipe.image_size).speaking(self._vocabulary(dataset))
        self.shape = shape_of(self.recipe, self.dataset.image_size, self.dataset.vocabulary)
        batch = min(self.recipe.batch, len(dataset))
        self.batch = batch - batch % world.size if batch < self.recipe.batch else batch
        world.check_batch(self.batch)
        self.steps = len(dataset) // self.batch
        """Steps per epoch."""
        self._resident = self.dataset.resident(device)
        self._stopping = False
        self.progress = TrainingProgress()
        self._restore()

    def train(self, display: Display) -> None:
        """Train until the run ends or is asked to stop. The last event is Finished or Stopped.

        Raises TrainingError if the run diverges or collapses for the fourth time, and OSError.
        """
        self._display = display
        self._writer = RunWriter(self.run, self.dataset, self.shape, display)
        self._started_at = time.monotonic() - self.progress.seconds
        self._emit(self._started)
        while not self._over():
            wrong = self._epoch()
            if wrong is not None:
                self._recover(wrong)
            elif self._stopping:
                self._emit(lambda: events.Stopped(epoch=self.progress.epoch))
                return
        if self.world.first:
            self._writer.finish(self.progress.epoch)

    def _epoch(self) -> str | None:
        """Train the rest of an epoch, or until asked to stop; returns what went wrong, if anything."""
        now, began, images = self.progress, time.monotonic(), 0
        source = torch.Generator(self.device)
        for real, numbers in self.dataset.batches(
            self.batch, self.settings.seed, now.epoch, now.step, self._resident
        ):
            if self._asked_to_stop():
                return self._stop()
            # Each step's random numbers follow from its number alone, so a resumed run needs no saved random
            # state, and the global batch is the same for any number of processes.
            source.manual_seed(derived(self.settings.seed, "step", now.steps))
            z = noise(self.batch, self.shape, source)
            mirrored = self.world.shard(torch.rand(self.batch, generator=source, device=self.device) < 0.5)
            numbers = numbers.to(self.device)
            if self.dataset.vocabulary:
                z = torch.cat([z, told(numbers, self.dataset.vocabulary.sizes, source)], dim=1)
            pictures = to_pictures(self.world.shard(real), self.device)
            if self.recipe.flips:
                pictures = augment.flip(pictures, mirrored)
            source.manual_seed(derived(self.settings.seed, "augment", now.steps, self.world.rank))
            now.losses += self.adversaries.step(
                pictures,
                self.world.shard(numbers),
                self.world.shard(z),
                source,
                step=now.steps,
                rate=self._rate(),
                strength=self._strength(),
            )
            now.step += 1
            now.steps += 1
            now.images += self.batch
            images += self.batch
            self._display.step(now.epoch + 1, now.step)
            if now.step % _CHECK_EVERY == 0 and not self._finite():
                return _DIVERGED
            if self._out_of_time():
                break

        if not self._finite():
            return _DIVERGED
        losses = (self.world.all_mean(now.losses) / max(1, now.step)).tolist()
        speed = images / max(time.monotonic() - began, 1e-9)
        return self._end_epoch(losses, speed)

    def _end_epoch(self, losses: list[float], speed: float) -> str | None:
        now, writer = self.progress, self._writer
        now.epoch, now.step, now.losses = now.epoch + 1, 0, torch.zeros_like(now.losses)
        grid, spread, kid = "", 0.0, None
        if self.world.first:
            network = self.adversaries.drawing()
            grid, spread = writer.draw_grid(network, now.epoch)
        (spread,) = self.world.all_max(spread)
        if spread < _COLLAPSED * now.spread:
            return f"all bags look the same (their spread fell from {now.spread:.1f} to {spread:.1f})"
        now.spread = max(now.spread, spread)
        if not self.world.first:
            return None
        if writer.measure_due(self.settings.kid_seconds):
            kid = writer.measure(network, now.epoch)
        if self._over() or writer.checkpoint_due(self.settings.checkpoint_seconds):
            writer.checkpoint(network, now.epoch, self._state())
        writer.emit(
            events.Epoch(
                epoch=now.epoch,
                epochs=self.settings.epochs or None,
                loss_d=losses[0],
                loss_g=losses[1],
                loss_words=losses[2] if self.dataset.vocabulary else None,
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
        if not self._finite():
            return _DIVERGED
        if self.world.first:
            self._writer.checkpoint(self.adversaries.drawing(), self.progress.epoch, self._state())
        return None

    def _recover(self, reason: str) -> None:
        """Go back to the last checkpoint and halve the rates. Raises TrainingError the fourth time."""
        failed = self.progress
        if failed.recoveries == _RECOVERIES:
            raise TrainingError(f"{reason}, after {_RECOVERIES} recoveries: lower the rates in [gan.recipe]")
        self._restore()
        now = self.progress
        now.seconds = failed.seconds
        now.rate, now.recoveries = failed.rate / 2, failed.recoveries + 1
        self._emit(lambda: events.Recovered(epoch=now.epoch, reason=reason, rate=now.rate))

    def _restore(self) -> None:
        """Networks and progress as of the last checkpoint, or as of the start."""
        self.adversaries = Adversaries(
            self.recipe,
            self.shape,
            self.device,
            bf16=self.settings.precision == "bf16",
            seed=derived(self.settings.seed, "weights"),
            world=self.world,
            vocabulary=self.dataset.vocabulary,
        )
        self.progress = TrainingProgress()
        state = load_state(self.run)
        if state is not None:
            try:
                self.adversaries.restore(state["pair"])
                self.progress = _progress.validate_python(state["progress"])
            except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
                if out_of_memory(error):
                    raise
                raise self._unfitting() from error
        self.progress.losses = self.progress.losses.to(self.device)

    def _vocabulary(self, dataset: Dataset) -> Vocabulary | None:
        """The words to train with: those of the run's last checkpoint; of a new run, those of the dataset."""
        state = load_state(self.run)
        if state is None:
            known = dataset.vocabulary if self.recipe.words else None
            return known.only(self.recipe.facets) if known else None
        try:
            saved = state.get("vocabulary")
            return None if saved is None else Vocabulary.model_validate_json(saved)
        except (AttributeError, ValueError) as error:
            raise self._unfitting() from error

    def _unfitting(self) -> CheckpointError:
        return CheckpointError(
            f"{self.run.state} does not fit {self.run.config}: undo your changes there, "
            "or start over with --new"
        )

    def _state(self) -> dict[str, object]:
        vocabulary = self.dataset.vocabulary
        return {
            "pair": self.adversaries.state(),
            "progress": vars(self.progress),
            "vocabulary": vocabulary.model_dump_json() if vocabulary else None,
        }

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

    def _emit(self, event: Callable[[], events.Event]) -> None:
        if self.world.first:
            self._writer.emit(event())

    def _asked_to_stop(self) -> bool:
        """Whether any process was asked to stop. Also advances the time trained, the same in all of them."""
        stop, seconds = self.world.all_max(float(self.stop()), time.monotonic() - self._started_at)
        self.progress.seconds = seconds
        self._stopping = stop > 0
        return self._stopping

    def _finite(self) -> bool:
        """Whether this epoch's losses and all weights are finite, in every process."""
        finite = self.progress.losses.isfinite().all() & self.adversaries.finite()
        return self.world.all_max(float(not finite)) == [0]

    def _out_of_time(self) -> bool:
        return 0 < self.settings.minutes * 60 <= self.progress.seconds

    def _over(self) -> bool:
        return 0 < self.settings.epochs <= self.progress.epoch or self._out_of_time()

    def _done(self) -> float:
        """The share of the run that is done, in [0, 1]; 0 if it has no bound."""
        now, done = self.progress, 0.0
        if self.settings.epochs:
            done = (now.epoch + now.step / self.steps) / self.settings.epochs
        if self.settings.minutes:
            done = max(done, now.seconds / (self.settings.minutes * 60))
        return min(1.0, done)

    def _rate(self) -> float:
        decayed = min(1.0, 2 * (1 - self._done())) if self.recipe.decay else 1.0
        return self.progress.rate * decayed

    def _strength(self) -> float:
        over = self.recipe.augment_epochs
        return min(1.0, (self.progress.epoch + self.progress.step / self.steps) / over) if over else 1.0

    def _seconds_left(self) -> float | None:
        done = self._done()
        return self.progress.seconds * (1 - done) / done if done else None
