"""The state of a training run, read from its events. Imports no torch."""

from dataclasses import dataclass, replace
from pathlib import Path

from gan import events, run
from gan.run import Run


@dataclass(frozen=True)
class Progress:
    """What a run's events so far amount to."""

    run: Run
    started: events.Started
    """The latest one, if the run was resumed."""
    epoch: events.Epoch | None
    """The last one trained; None before the first."""
    state: str
    """running, finished, stopped or failed; a killed run still reads as running."""
    ending: events.Finished | events.Stopped | events.Failed | None = None
    """None while the run is running."""
    reached: int = 0
    """The highest epoch so far: a recovery goes back to an earlier one."""
    recovered: tuple[tuple[int, events.Recovered], ...] = ()
    """The recoveries, each with the highest epoch reached by then."""


def read_progress(runs: Path) -> Progress | None:
    """The state of the newest run in the folder `runs`; None if there is none or it has not started."""
    newest = run.newest(runs)
    return follow(newest, events.read(newest.path)[0], None) if newest else None


def follow(of: Run, new: list[events.Event], before: Progress | None) -> Progress | None:
    """The state of a run that was `before`, after some more of its events; None until it has started."""
    progress = before
    for event in new:
        match event:
            case events.Started() if progress is None:
                progress = Progress(of, event, None, "running")
            case _ if progress is None:
                pass
            case events.Started():
                progress = replace(progress, started=event, state="running", ending=None)
            case events.Epoch():
                reached = max(progress.reached, event.epoch)
                progress = replace(progress, epoch=event, reached=reached, state="running", ending=None)
            case events.Recovered():
                recovered = (*progress.recovered, (progress.reached, event))
                progress = replace(progress, recovered=recovered)
            case events.Finished() | events.Stopped() | events.Failed():
                progress = replace(progress, state=event.event, ending=event)
    return progress


def read_epochs(of: Run) -> list[events.Epoch]:
    """A run's Epoch events, in the order in which they happened."""
    return [event for event in events.read(of.path)[0] if isinstance(event, events.Epoch)]
