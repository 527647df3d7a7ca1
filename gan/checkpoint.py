"""state.pt: everything that a killed run needs to go on, bit by bit."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from gan.errors import UserError
from gan.run import write


class CheckpointError(UserError):
    """A state that cannot be resumed; the message is one line."""


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Put tensors and plain values in place at once: a kill leaves the old state or the new one."""
    file = io.BytesIO()
    torch.save(state, file)
    write(path, file.getvalue())


def load_state(path: Path) -> dict[str, Any] | None:
    """The state in the file `path`, on the CPU; None if there is none yet. It can hold no code that runs.

    Raises CheckpointError if the file is not whole.
    """
    try:
        with path.open("rb") as file:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} is no state of a run, or is truncated: begin with --new") from error
    return state
