"""Chooses the run that `train` starts or resumes, and resolves everything it needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from filelock import FileLock, Timeout

from gan import device as machine
from gan import events, run
from gan.atomic import write_atomically
from gan.data import Dataset
from gan.errors import UserError
from gan.run import Run
from gan.settings import Settings, dumps, load_resolved


class LaunchError(UserError):
    """A run that cannot be started or resumed as asked; the message is one line."""


@dataclass(frozen=True)
class Launch:
    """A run ready to train. `settings` are resolved: precision is bf16 or fp32, recipe.channels and
    recipe.image_size are set.
    """

    run: Run
    settings: Settings
    notes: tuple[str, ...]
    """Remarks on the choice for the user, one line each."""


def prepare(
    settings: Settings,
    dataset: Dataset,
    device: torch.device,
    asked: frozenset[str],
    name: str | None,
    *,
    new: bool,
) -> Launch:
    """The run to train: the newest one if it is unfinished, else a new one. Writes its config.toml.

    `asked` names the settings given on the command line: a resumed run otherwise keeps its own preset,
    recipe, seed, precision and bounds. `name` chooses a run or names a new one; `new` never resumes.
    Raises SettingsError or LaunchError.
    """
    old = _resumable(settings, asked, name, new=new)
    notes: list[str] = []
    if old is None:
        folder = run.new(settings.runs, name)
        chosen = settings
        size = chosen.resolved_recipe.image_size
    else:
        folder = old
        chosen = _resumed_settings(settings, asked, old)
        starts = [event for event in events.read(old.path)[0] if isinstance(event, events.Started)]
        # A run begun by an older version says its size only there.
        size = starts[-1].image_size if starts else chosen.resolved_recipe.image_size
        notes += _resume_notes(old, starts, dataset.at_most(size))
    resolved = _resolved(chosen, device, dataset.at_most(size).image_size)
    folder.grids.mkdir(parents=True, exist_ok=True)
    write_atomically(folder.config, dumps(resolved).encode())
    return Launch(folder, resolved, tuple(notes))


@contextmanager
def locked(folder: Run) -> Iterator[None]:
    """Lock the run for this process; the lock ends with it. Raises LaunchError if another holds it."""
    lock = FileLock(folder.lock, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise LaunchError(f"the run {folder.name} is being trained by another process") from error
    try:
        yield
    finally:
        lock.release()


def _resumable(settings: Settings, asked: frozenset[str], name: str | None, *, new: bool) -> Run | None:
    if name is not None and not run.is_name(name):
        raise LaunchError(f"--run {name}: a run's name must be a folder's name of at most 80 characters")
    if name is None:
        old = None if new else run.newest(settings.runs)
    else:
        old = Run(settings.runs / name)
        if not old.config.exists():
            return None
        if new:
            raise LaunchError(f"the run {name} already exists: drop --new or choose another name")
    if old is None or not old.config.exists():
        return None
    other = "preset" in asked and load_resolved(old.config).preset != settings.preset
    finished = any(_final(event) for event in events.read(old.path)[0])
    if name is not None and (other or finished):
        reason = "has ended" if finished else "has another preset"
        raise LaunchError(f"the run {name} {reason}: choose another name")
    return None if other or finished else old


def _final(event: events.Event) -> bool:
    return isinstance(event, events.Finished) or (isinstance(event, events.Failed) and event.final)


def _resumed_settings(settings: Settings, asked: frozenset[str], old: Run) -> Settings:
    own = load_resolved(old.config)
    names = {"preset", "recipe", "seed", "precision", "epochs", "minutes"} - asked
    return settings.model_copy(update={name: getattr(own, name) for name in names})


def _resume_notes(old: Run, starts: Sequence[events.Started], dataset: Dataset) -> list[str]:
    notes = [f"resuming the run {old.name}"]
    if starts and starts[-1].image_size != dataset.image_size:
        raise LaunchError(
            f"the run {old.name} dreams {starts[-1].image_size}-pixel pictures, but the dataset has "
            f"{dataset.image_size}-pixel ones: rebuild it at that size, or start over with --new"
        )
    if starts and starts[-1].dataset != dataset.content_hash:
        notes.append(f"the dataset has changed since: {starts[-1].images} pictures then, {len(dataset)} now")
    return notes


def _resolved(settings: Settings, device: torch.device, image_size: int) -> Settings:
    recipe = settings.resolved_recipe
    channels = machine.width(recipe.channels, device)
    recipe = recipe.model_copy(update={"channels": channels, "image_size": image_size})
    # Every field counts as set, so that the preset overrides nothing that was resolved.
    recipe = type(recipe).model_construct(_fields_set=set(type(recipe).model_fields), **dict(recipe))
    return settings.model_copy(
        update={"recipe": recipe, "precision": machine.precision(settings.precision, device)}
    )
