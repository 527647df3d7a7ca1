"""How the newest training run stands, read from its run folder."""

from __future__ import annotations

from dataclasses import dataclass
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
    ending: events.Finished | events.Stopped | events.Failed | None


def read_progress(runs: Path) -> Progress | None:
    """The newest run in the folder, or None if there is none."""
    newest = run.newest(runs)
    return follow(newest, events.read(newest.path)[0], None) if newest else None


def follow(of: run.Run, new: list[events.Event], before: Progress | None) -> Progress | None:
    """The run after some more of its events."""
    progress = before
    for event in new:
        match event:
            case events.Started():
                epoch = progress.epoch if progress else None
                progress = Progress(of, event, epoch, "running", None)
            case events.Epoch() if progress:
                progress = Progress(of, progress.started, event, "running", None)
            case events.Finished() | events.Stopped() | events.Failed() if progress:
                progress = Progress(of, progress.started, progress.epoch, event.event, event)
    return progress
