"""What the user sees while a run trains: a progress bar on a terminal, one line per epoch elsewhere."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from gan import events
from gan.events import Event


class Display:
    """A context manager that shows a run's events and steps."""

    def __init__(self, steps_per_epoch: int, *, silent: bool = False) -> None:
        """`silent` prints nothing: only one of a run's processes speaks."""
        self._steps = steps_per_epoch
        self._terminal = sys.stderr.isatty()
        self._console = Console(stderr=self._terminal, soft_wrap=True, highlight=False, quiet=silent)
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("step {task.completed:.0f}/{task.total:.0f} {task.fields[losses]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._terminal,
        )
        self._task: TaskID = self._bar.add_task("", total=steps_per_epoch, epoch=1, losses="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def note(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line, markup=False)
        self._console.file.flush()

    def step(self, epoch: int, step: int) -> None:
        """Show that `step` steps of the `epoch`-th epoch (the first is 1) are done."""
        self._bar.update(self._task, completed=step, epoch=epoch)

    def show(self, event: Event) -> None:
        """Show an event in words."""
        line = _words(event)
        if isinstance(event, events.Epoch):
            speed = f"{event.images_per_second:.0f} images/s"
            self._bar.update(self._task, losses=f"{_losses(event)} {speed}")
        if line:
            self.note(line)


def _words(event: Event) -> str:
    match event:
        case events.Started():
            where = f"resumes after epoch {event.epoch}" if event.epoch else "starts"
            return (
                f"run {event.run} {where}: {event.images} pictures of {event.image_size} pixels, "
                f"preset {event.preset}, on {event.device}"
            )
        case events.Epoch():
            of = f"/{event.epochs}" if event.epochs else ""
            quality = "" if event.kid is None else f", KID {event.kid:.0f}"
            left = "" if event.seconds_left is None else f", {event.seconds_left / 60:.1f} minutes left"
            return (
                f"epoch {event.epoch}{of}: loss {_losses(event)}, "
                f"{event.images_per_second:.0f} images/s{left}{quality}"
            )
        case events.Finished():
            return (
                f"finished after epoch {event.epoch}: {event.timelapse}, {event.losses}\n"
                "now try: bag-dreams-gan dream --grid, interpolate 1 2, breed 1 2 or evaluate"
            )
        case events.Stopped():
            return f"stopped after epoch {event.epoch}: train again to resume"
        case events.Recovered():
            return (
                f"{event.reason}: resuming from epoch {event.epoch} with {event.rate:g} × the learning rates"
            )
        case events.Checkpoint() | events.Failed():
            return ""


def _losses(event: events.Epoch) -> str:
    words = "" if event.loss_words is None else f" words {event.loss_words:.3f}"
    return f"D {event.loss_d:.3f} G {event.loss_g:.3f}{words}"
