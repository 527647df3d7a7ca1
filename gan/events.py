"""The events of a run: one JSON object per line, appended whole. They are how the bot follows a run.

A run folder may come from another machine, so what is read is not trusted: see `read`.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from gan.run import Run

_LONGEST = 2**16
"""Bytes of a line; a longer one is no event."""

Epochs = Annotated[int, Field(ge=0, lt=2**31)]
"""A number of epochs, which the bot's store keeps in four bytes."""
Count = Annotated[int, Field(ge=0, lt=2**53)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, Field(pattern=r"^[\w.-]{1,50}$")]
"""A name that can be shown as it is."""
FileName = Annotated[str, Field(pattern=r"^(\w[\w.-]*/)*\w[\w.-]*$", max_length=200)]
"""A path inside the run folder, in POSIX form: neither absolute nor with `..` in it."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


class Started(_Event):
    """A process started training; `epoch` is the number of epochs already trained (0: a new run)."""

    event: Literal["started"] = "started"
    run: str
    preset: Word
    device: Word
    epochs: Count | None
    epoch: Epochs
    images: Count
    image_size: Count
    dataset: str
    """The dataset's content hash."""


class Epoch(_Event):
    """An epoch ended. `grid` is a path inside the run folder; losses are means over the epoch."""

    event: Literal["epoch"] = "epoch"
    epoch: Epochs
    epochs: Count | None
    loss_d: Number
    loss_g: Number
    images_per_second: Number
    images_seen: Count
    seconds: Number
    """Time trained in this run so far, over all resumptions."""
    seconds_left: Number | None
    grid: FileName
    loss_words: Number | None = None
    """The discriminator's loss on the words of real pictures; None if no words steer the dreams."""
    kid: float | None = None
    """KID × 1000 of the averaged generator against held-out pictures; measured in some epochs only."""


class Checkpoint(_Event):
    """generator.safetensors was written with this version."""

    event: Literal["checkpoint"] = "checkpoint"
    epoch: Epochs
    version: str


class Recovered(_Event):
    """Training failed; it resumes from the checkpoint of `epoch`, at `rate` × the recipe's learning rates."""

    event: Literal["recovered"] = "recovered"
    epoch: Epochs
    reason: str
    """One line."""
    rate: Number


class Finished(_Event):
    """The run reached its end; `timelapse` and `losses` are paths inside the run folder."""

    event: Literal["finished"] = "finished"
    epoch: Epochs
    timelapse: FileName
    losses: FileName


class Stopped(_Event):
    """The run was asked to stop; it can be resumed."""

    event: Literal["stopped"] = "stopped"
    epoch: Epochs


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

    A half-written last line is left for the next call; a missing file gives `([], 0)`. From an offset within
    a line, the rest of that line is skipped. What is not an event is passed over, with one line in the log
    for each reason: a broken line (its writer was killed), an event or a field of a kind that this version
    does not know, a value out of range. Raises OSError.
    """
    found: list[Event] = []
    try:
        with (run / "events.jsonl").open("rb") as file:
            if offset:
                file.seek(offset - 1)
                offset += max(0, len(file.readline(_LONGEST)) - 1)
            # A longer line comes in pieces, none of which is an event.
            while (line := file.readline(_LONGEST)).endswith(b"\n") or len(line) == _LONGEST:
                offset += len(line)
                event = _parse(Run(run), line)
                if event is not None:
                    found.append(event)
    except FileNotFoundError:
        return [], 0
    return found, offset


def _parse(run: Run, line: bytes) -> Event | None:
    try:
        told = from_json(line)
    except ValueError:
        if line.strip():
            run.passed_over("a line of its events that is not JSON")
        return None
    try:
        event = _adapter.validate_python(told)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        if wrong["type"].startswith("union_tag") or not isinstance(told, dict):
            run.passed_over("an event of an unknown kind", str(told)[:80])
        else:
            run.passed_over("an event", f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}")
        return None
    if unknown := told.keys() - type(event).model_fields.keys():
        run.passed_over("an unknown field of an event", f"{event.event}.{min(unknown)[:80]}")
    return event


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
