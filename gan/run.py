"""The run folder, where a training run keeps everything: its paths, and finding runs. Imports no torch."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """The paths in a run folder; `path` need not exist."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def grids(self) -> Path:
        return self.path / "grids"

    def grid(self, epoch: int) -> Path:
        """The picture of the 64 fixed seeds after an epoch (the first is 1)."""
        return self.grids / f"epoch-{epoch:04d}.png"

    @property
    def generator(self) -> Path:
        return self.path / "generator.safetensors"

    @property
    def state(self) -> Path:
        return self.path / "state.pt"

    @property
    def previous_state(self) -> Path:
        """The checkpoint before the last one, in case that one is damaged."""
        return self.path / "state-previous.pt"

    @property
    def best(self) -> Path:
        """The generator with the lowest KID so far; exists once KID was measured."""
        return self.path / "best.safetensors"

    @property
    def losses(self) -> Path:
        return self.path / "losses.png"

    @property
    def quality(self) -> Path:
        """The curve of KID; exists if a finished run measured it twice."""
        return self.path / "quality.png"

    @property
    def timelapse(self) -> Path:
        return self.path / "timelapse.gif"


def newest(runs: Path) -> Run | None:
    """The run in the folder `runs` that started last; None if there is none."""
    return next(reversed(every(runs)), None)


def every(runs: Path) -> list[Run]:
    """The runs in the folder `runs`, in the order in which they started."""
    return sorted((Run(path.parent) for path in runs.glob("*/events.jsonl")), key=_started)


def _started(run: Run) -> tuple[str, str]:
    # By the time of the first event: names need not sort, and copying changes file times.
    with run.events.open("rb") as file:
        first = file.readline()
    try:
        return str(json.loads(first)["time"]), run.name
    except (ValueError, KeyError, TypeError):
        return "", run.name


def new(runs: Path, name: str | None = None) -> Run:
    """A new run in the folder `runs`, not yet created; without a name, it is named after the time (UTC)."""
    if name is not None:
        return Run(runs / name)
    base = datetime.now(UTC).strftime("%Y-%m-%d-%H%M")
    run, number = Run(runs / base), 1
    while run.path.exists():
        number += 1
        run = Run(runs / f"{base}-{number}")
    return run
