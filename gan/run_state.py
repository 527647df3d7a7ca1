"""How the newest training run stands, read from its run folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gan import events, run


@dataclass(frozen=True)
class Progress:
    """A run as its events tell it."""

    run: run.Run
    started: events.Started
    epoch: events.Epoch | None
    state: str
    """running, finished, stopped or failed"""
    ending: events.Finished | events.Stopped | events.Failed | None = None
    reached: int = 0
    """The highest epoch so far: who recovers goes back some."""
    recovered: tuple[tuple[int, events.Recovered], ...] = ()
    """What went wrong, each with the highest epoch reached by then."""


def read_progress(runs: Path) -> Progress | None:
    """The newest run in the folder, or None if there is none."""
    newest = run.newest(runs)
    return follow(newest, events.read(newest.path)[0], None) if newest else None


def follow(of: run.Run, new: list[events.Event], before: Progress | None) -> Progress | None:
    """The run after some more of its events."""
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


def read_epochs(of: run.Run) -> list[events.Epoch]:
    """The epochs of a run so far."""
    return [event for event in events.read(of.path)[0] if isinstance(event, events.Epoch)]


def still_green(newer: run.Run, older: run.Run) -> bool:
    """Whether a run that has not finished has seen less than half the pictures that an older one saw."""
    last = _last_events(newer)
    if any(isinstance(event, events.Finished) for event in last):
        return False
    return 2 * _images_seen(last) < _images_seen(_last_events(older))


def _last_events(of: run.Run) -> list[events.Event]:
    # The end of the file will do; a line that is cut in two is no event and passed over.
    return events.read(of.path, max(0, of.events.stat().st_size - 4096))[0]


def _images_seen(last: list[events.Event]) -> int:
    return max((event.images_seen for event in last if isinstance(event, events.Epoch)), default=0)
