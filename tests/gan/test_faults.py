"""Faults in training: each is reported in words, and nothing learned is lost."""

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from gan import events
from gan.data import DatasetError, open_dataset
from gan.display import Display
from gan.distributed import World
from gan.generator import load
from gan.launch import prepare
from gan.run import Run
from gan.settings import load as load_settings
from gan.train import Trainer
from tests.gan.project import told, unfinish


@contextmanager
def limited(what: int, most: int) -> Iterator[None]:
    """The process with a lower limit on a resource."""
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (soft, hard))


def train_with(project, at: int, happen: Callable[[Trainer], object], epochs: int = 2) -> Run:
    """A run in which something happens once: before step `at` (0: the first) of the second epoch."""
    settings = load_settings(project.folder / "config.toml", epochs=epochs, minutes=0.0)
    settings = settings.model_copy(update={"runs": project.runs, "dataset": project.dataset})
    dataset, cpu = open_dataset(project.dataset), torch.device("cpu")
    torch.set_num_threads(1)
    launch = prepare(settings, dataset, cpu, frozenset(), "hurt", new=False)
    done = False

    def before_every_step() -> bool:
        nonlocal done
        if not done and trainer.progress.epoch >= 1 and trainer.progress.step == at:
            done = True
            happen(trainer)
        return False

    trainer = Trainer(launch.run, launch.settings, dataset, cpu, before_every_step, World())
    with Display(trainer.steps, silent=True) as display:
        trainer.train(display)
    return launch.run


def fill(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(value)


def test_weights_that_are_no_numbers_are_recovered_from(project) -> None:
    run = train_with(project, 1, lambda trainer: fill(trainer.adversaries.discriminator, float("nan")))
    names = [event.event for event in told(run) if event.event != "checkpoint"]
    assert names == ["started", "epoch", "recovered", "epoch", "finished"]
    (recovered,) = (event for event in told(run) if isinstance(event, events.Recovered))
    assert (recovered.epoch, recovered.rate) == (1, 0.5)
    assert "no longer finite" in recovered.reason
    state = torch.load(run.state, weights_only=True)
    assert state["progress"]["rate"] == 0.5
    assert all(weight.isfinite().all() for weight in state["pair"]["discriminator"].values())
    assert load(run.generator).epoch == 2


def test_collapse_is_named_and_recovered_from(project) -> None:
    def forget(trainer: Trainer) -> None:
        fill(trainer.adversaries.generator, 0)
        fill(trainer.adversaries.average, 0)

    run = train_with(project, 0, forget)
    (recovered,) = (event for event in told(run) if isinstance(event, events.Recovered))
    assert "all bags look the same" in recovered.reason
    assert told(run)[-1].event == "finished"


def test_losses_that_stay_no_numbers_end_the_run_and_the_next_is_a_new_one(project) -> None:
    project.configure(
        recipe="[gan.recipe]\nchannels = 8\nbatch = 8\nz_size = 16\nrate_g = 1e30\nrate_d = 1e30"
    )
    assert "no longer finite" in project.refused("train", "--epochs", "3", "--run", "wild")
    wild = Run(project.runs / "wild")
    names = [event.event for event in told(wild) if event.event not in {"epoch", "checkpoint"}]
    assert names == ["started", "recovered", "recovered", "recovered", "failed"]
    project.configure()
    assert project.train("--epochs", "1").name != "wild"
    assert "has ended" in project.refused("train", "--run", "wild")


def test_full_disk_keeps_the_last_checkpoint(project) -> None:
    run = project.train("--epochs", "1", "--run", "full")
    version = load(run.generator).version
    unfinish(run)
    # The size limit of a process's files stands in for the disk: a checkpoint no longer fits, an event does.
    with limited(resource.RLIMIT_FSIZE, run.state.stat().st_size // 2):
        line = project.refused("train", "--epochs", "2", "--run", "full")
    assert "File too large" in line
    failed = told(run)[-1]
    assert isinstance(failed, events.Failed)
    assert "File too large" in failed.reason
    assert load(run.generator).version == version
    assert not list(run.path.glob(".*-*"))
    assert project.gan("train", "--epochs", "2", "--run", "full").returncode == 0


def test_configuration_of_a_run_that_does_not_fit_its_state(trained, tmp_path: Path) -> None:
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)
    run = Run(tmp_path / "data/runs/first")
    unfinish(run)
    state = run.state.read_bytes()
    run.config.write_text(run.config.read_text().replace("channels = 8", "channels = 16"))
    line = type(trained)(tmp_path).refused("train")
    assert "state.pt does not fit" in line
    assert "config.toml" in line
    assert run.state.read_bytes() == state


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the address space is read from /proc")
def test_out_of_memory(project) -> None:
    run = project.train("--epochs", "1", "--run", "large")
    version = load(run.generator).version
    unfinish(run)
    config = run.config.read_text().replace("channels = 8", "channels = 4096")
    run.config.write_text(config)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    with limited(resource.RLIMIT_AS, taken + 200 * 2**20):
        line = project.refused("train", "--epochs", "2", "--run", "large")
    assert "out of memory" in line
    failed = told(run)[-1]
    assert isinstance(failed, events.Failed)
    assert "out of memory" in failed.reason
    assert load(run.generator).version == version


def test_dataset_that_vanishes_in_mid_run_is_trained_on_to_the_end(project) -> None:
    def vanish(trainer: Trainer) -> None:
        project.dataset.rename(project.folder / "gone")

    assert told(train_with(project, 1, vanish))[-1].event == "finished"
    assert "no dataset" in project.refused("train")


def test_dataset_that_is_cut_off_in_mid_run(project) -> None:
    def cut(trainer: Trainer) -> None:
        os.truncate(project.dataset / "images.npy", 5000)

    with pytest.raises(DatasetError, match="truncated during the run"):
        train_with(project, 1, cut)
    assert load(Run(project.runs / "hurt").generator).epoch == 1
