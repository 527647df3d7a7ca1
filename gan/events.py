"""The events of a run: one JSON object per line, appended whole. They are how the bot follows a run."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class EventError(ValueError):
    """A line of an events file that is not an event; the message is one line."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    time: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Started(_Event):
    """A process started training; `epoch` is the number of epochs already trained (0: a new run)."""

    event: Literal["started"] = "started"
    run: str
    preset: str
    device: str
    epochs: int | None
    epoch: int
    images: int
    image_size: int
    dataset: str
    """The dataset's content hash."""


class Epoch(_Event):
    """An epoch ended. `grid` is a path inside the run folder; losses are means over the epoch."""

    event: Literal["epoch"] = "epoch"
    epoch: int
    epochs: int | None
    loss_d: float
    loss_g: float
    images_per_second: float
    images_seen: int
    seconds: float
    """Time trained in this run so far, over all resumptions."""
    seconds_left: float | None
    grid: str
    kid: float | None = None
    """KID × 1000 of the averaged generator against held-out pictures; measured in some epochs only."""


class Checkpoint(_Event):
    """generator.safetensors was written with this version."""

    event: Literal["checkpoint"] = "checkpoint"
    epoch: int
    version: str


class Recovered(_Event):
    """Training failed; it resumes from the checkpoint of `epoch`, at `rate` × the recipe's learning rates."""

    event: Literal["recovered"] = "recovered"
    epoch: int
    reason: str
    """One line."""
    rate: float


class Finished(_Event):
    """The run reached its end; `timelapse` and `losses` are paths inside the run folder."""

    event: Literal["finished"] = "finished"
    epoch: int
    timelapse: str
    losses: str


class Stopped(_Event):
    """The run was asked to stop; it can be resumed."""

    event: Literal["stopped"] = "stopped"
    epoch: int


class Failed(_Event):
    """The run ended with an error; its last checkpoint is intact."""

    event: Literal["failed"] = "failed"
    reason: str
    """One line."""
    final: bool = False
    """Whether it would only fail again, so that the next `train` starts a new run."""


Event = Annotated[
    Started | Epoch | Checkpoint | Recovered | Finished | Stopped | Failed, Field(discriminator="event")
]
_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def append(run: Path, event: Event) -> None:
    """Append one event to events.jsonl in the folder `run`, on disk when this returns. Raises OSError."""
    line = event.model_dump_json().encode() + b"\n"
    with (run / "events.jsonl").open("ab") as file:
        # A process killed while writing may have left half a line: end it, or both are lost.
        if file.tell() and not _ends_whole(run / "events.jsonl"):
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read(run: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events after byte `offset` of events.jsonl in the folder `run`, and the offset to read from next.

    A half-written last line is left for the next call; a missing file gives `([], 0)`. An earlier broken line
    (its writer was killed) is skipped. Raises EventError for a line that is valid JSON but not an event.
    """
    try:
        with (run / "events.jsonl").open("rb") as file:
            file.seek(offset)
            whole, newline, _ = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return [], 0
    if not newline:
        return [], offset
    found = [_parse(line) for line in whole.split(b"\n") if line]
    return [event for event in found if event is not None], offset + len(whole) + 1


def _parse(line: bytes) -> Event | None:
    try:
        return _adapter.validate_json(line)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            return None
        raise EventError(f"not an event of a run: {line[:80].decode(errors='replace')}") from error


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
