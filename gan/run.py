"""The run folder, where a training run keeps everything: its paths, and finding runs. Imports no torch."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic_core import from_json

_told: set[tuple[Path, str]] = set()
log = logging.getLogger(__name__)


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

    @property
    def lock(self) -> Path:
        """Locked by the process that trains the run."""
        return self.path / ".lock"

    @property
    def is_locked(self) -> bool:
        """Whether a process trains the run just now."""
        try:
            if self.lock.exists():
                with FileLock(self.lock, blocking=False):
                    pass
        except Timeout:
            return True
        except OSError:  # of another machine's run, which nobody trains here
            return False
        return False

    def has(self, file: Path) -> bool:
        """Whether a path is that of a plain file of the run.

        A link in a folder that somebody else made may lead anywhere, and what the bot reads, people see.
        """
        try:
            real = file.resolve()
            inside = real.is_relative_to(self.path.resolve())
            if not inside:
                self.passed_over("a link that leads out of its folder", file.name)
            return inside and real.is_file()
        except (OSError, RuntimeError):  # unreadable, or links in a circle
            return False

    def read(self, file: Path, most: int) -> bytes | None:
        """The content of a file of the run; None if it `has` none there, or one of more than `most` bytes."""
        return file.read_bytes() if self.has(file) and file.stat().st_size <= most else None

    def passed_over(self, what: str, example: str = "") -> None:
        """Log, once per process, that something in the run folder is passed over."""
        if (self.path, what) not in _told:
            _told.add((self.path, what))
            log.warning("run %r: passed over %s%s", self.name, what, f" ({example!r})" if example else "")


def is_name(name: str) -> bool:
    """Whether a run can have the name: a folder's, printable, and short enough for Discord's buttons."""
    return Path(name).name == name and name.isprintable() and len(name) <= 80


def newest(runs: Path) -> Run | None:
    """The run in the folder `runs` that started last; None if there is none."""
    return next(reversed(every(runs)), None)


def every(runs: Path) -> list[Run]:
    """The runs in the folder `runs`, in the order in which they started.

    Folders whose events can't be read are passed over, and so are those without a proper name (`is_name`).
    """
    started = [
        (time, run) for path in runs.glob("*/events.jsonl") if (time := _started(run := Run(path.parent)))
    ]
    return [run for _, run in sorted(started, key=lambda each: (each[0], each[1].name))]


def _started(run: Run) -> datetime | None:
    """When a run started, as far as it says so; None if its events can't be read."""
    # By the time of the first event: names need not sort, and copying changes file times.
    try:
        if not run.events.is_file():
            return None
        if not is_name(run.name):
            run.passed_over("all of it, for its name")
            return None
        with run.events.open("rb") as file:
            first = file.readline(4096)
    except OSError as error:
        run.passed_over("its events", error.strerror or "")
        return None
    try:
        return datetime.fromisoformat(from_json(first)["time"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


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
