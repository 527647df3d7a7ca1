"""Houses to train in, and a few with a run in them that tests share."""

import shutil
from pathlib import Path

import pytest

from tests.gan.project import PATIENCE, STEADY, Project


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end without curves and timelapse, which take half of a short run's time; `trained` has them."""
    monkeypatch.setattr("gan.curves.losses", lambda epochs: b"")
    monkeypatch.setattr("gan.run_writer.timelapse", lambda grids: b"")


@pytest.fixture
def project(tmp_path: Path, sketched: None) -> Project:
    """With a dataset of 32 pictures of 32×32 pixels."""
    return Project(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a finished run of three epochs; not to be changed."""
    project = Project(tmp_path_factory.mktemp("trained"))
    project.write_dataset(count=64)  # or frames of its animations are all but the same
    project.train("--epochs", "3", "--run", "first")
    return project


@pytest.fixture(scope="session")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that measures quality after every epoch, with a run of two; not to be changed."""
    project = Project(tmp_path_factory.mktemp("measuring"))
    project.write_dataset(count=12)
    project.configure(kid_seconds=0.001)
    project.train("--epochs", "2", "--run", "measured")
    return project


@pytest.fixture(scope="session")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("stopped"))
    project.configure(STEADY, epochs=100_000)  # too many to end by itself
    killed = project.start("train", "--run", "stopped")
    project.wait(killed, lambda seen: seen[-1].event == "epoch")
    assert "another process" in project.refused("train")
    killed.kill()
    killed.communicate()
    resumed = project.start("train")
    project.wait(resumed, lambda seen: [event.event for event in seen].count("started") == 2)
    resumed.terminate()
    out, err = resumed.communicate(timeout=PATIENCE)
    assert resumed.returncode == 0, err
    assert "stopped" in out
    return project


@pytest.fixture
def stopped(_stopped: Project, tmp_path: Path, sketched: None) -> Project:
    """With a run that was killed, resumed, and asked to stop."""
    shutil.copytree(_stopped.folder, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path)
