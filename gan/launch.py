"""Which run a `train` takes up or begins, with everything it needs resolved."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from gan import device as machine
from gan import events, run
from gan.data import Dataset
from gan.errors import UserError
from gan.files import write_atomically
from gan.run import Run
from gan.settings import Settings, dumps, load_resolved


class LaunchError(UserError):
    """A run that cannot be begun or resumed as asked; the message is one line."""


@dataclass(frozen=True)
class Launch:
    """A run ready to train. `settings` are resolved: precision is bf16 or fp32, the recipe has a width."""

    run: Run
    settings: Settings
    notes: tuple[str, ...]
    """What a person should know about the choice, a line each."""


def prepare(
    settings: Settings,
    dataset: Dataset,
    device: torch.device,
    asked: frozenset[str],
    name: str | None,
    *,
    new: bool,
) -> Launch:
    """The run to train: the newest one if it is unfinished, else a new one; written down in its config.toml.

    `asked` names the settings given on the command line: a resumed run keeps its own preset, recipe, seed
    and bounds but for those. `name` chooses a run or names a new one; `new` never resumes.
    Raises SettingsError or LaunchError, each in one line.
    """
    old = _resumable(settings, asked, name, new=new)
    notes: list[str] = []
    if old is None:
        folder = run.new(settings.runs, name)
        kept = settings
    else:
        folder = old
        kept = _kept(settings, asked, old)
        notes += _fitting(old, dataset)
    resolved = _resolved(kept, device)
    folder.grids.mkdir(parents=True, exist_ok=True)
    write_atomically(folder.config, dumps(resolved).encode())
    return Launch(folder, resolved, tuple(notes))


@contextmanager
def alone(folder: Run) -> Iterator[None]:
    """Hold the run for this process; a killed holder lets go. Raises LaunchError if another has it."""
    with (folder.path / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LaunchError(f"the run {folder.name} is being trained by another process") from error
        yield


def _resumable(settings: Settings, asked: frozenset[str], name: str | None, *, new: bool) -> Run | None:
    if name is not None and Path(name).name != name:
        raise LaunchError(f"--run {name}: a run's name is one folder's name")
    if name is None:
        old = None if new else run.newest(settings.runs)
    else:
        old = Run(settings.runs / name)
        if not old.config.exists():
            return None
        if new:
            raise LaunchError(f"there is a run {name} already: leave --new off, or choose another name")
    if old is None or not old.config.exists():
        return None
    other = "preset" in asked and load_resolved(old.config).preset != settings.preset
    finished = any(_final(event) for event in events.read(old.path)[0])
    if name is not None and (other or finished):
        reason = "is over" if finished else "has another preset"
        raise LaunchError(f"the run {name} {reason}: choose another name")
    return None if other or finished else old


def _final(event: events.Event) -> bool:
    return isinstance(event, events.Finished) or (isinstance(event, events.Failed) and event.final)


def _kept(settings: Settings, asked: frozenset[str], old: Run) -> Settings:
    own = load_resolved(old.config)
    names = {"preset", "recipe", "seed", "precision", "epochs", "minutes"} - asked
    return settings.model_copy(update={name: getattr(own, name) for name in names})


def _fitting(old: Run, dataset: Dataset) -> list[str]:
    told = [event for event in events.read(old.path)[0] if isinstance(event, events.Started)]
    notes = [f"resuming the run {old.name}"]
    if told and told[-1].image_size != dataset.image_size:
        raise LaunchError(
            f"the run {old.name} dreams {told[-1].image_size}-pixel pictures, but the dataset has "
            f"{dataset.image_size}-pixel ones: build that size again, or begin with --new"
        )
    if told and told[-1].dataset != dataset.content_hash:
        notes.append(f"the dataset has changed since: {told[-1].images} pictures then, {len(dataset)} now")
    return notes


def _resolved(settings: Settings, device: torch.device) -> Settings:
    recipe = settings.resolved_recipe
    recipe = recipe.model_copy(update={"channels": machine.width(recipe.channels, device)})
    # Every field counts as set, so that nothing of the preset is laid over what was resolved.
    recipe = type(recipe).model_construct(_fields_set=set(type(recipe).model_fields), **dict(recipe))
    return settings.model_copy(
        update={"recipe": recipe, "precision": machine.precision(settings.precision, device)}
    )
