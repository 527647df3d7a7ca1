"""state.pt: everything that a killed run needs to continue, bit for bit."""

import io
from typing import Any

import torch

from gan.atomic import write_atomically
from gan.errors import UserError, out_of_memory
from gan.run import Run


class CheckpointError(UserError):
    """A state that cannot be resumed; the message is one line."""


def save_state(run: Run, state: dict[str, Any]) -> None:
    """Write tensors and plain values atomically, keeping the previous state too. Raises OSError."""
    file = io.BytesIO()
    torch.save(state, file)
    write_atomically(run.state, file.getvalue(), keep=run.previous_state)


def load_state(run: Run) -> dict[str, Any] | None:
    """The run's last intact state, on the CPU; None if there is none yet. Loading it executes no code.

    Raises CheckpointError if there are states but none is intact.
    """
    broken = None
    for path in (run.state, run.previous_state):
        try:
            with path.open("rb") as file:
                state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            continue
        except Exception as error:  # torch raises whatever a damaged or crafted file leads to
            if out_of_memory(error):
                raise
            broken = error
        else:
            return state
    if broken is not None:
        raise CheckpointError(
            f"{run.state} is not the state of a run, or is truncated: start over with --new"
        ) from broken
    return None
