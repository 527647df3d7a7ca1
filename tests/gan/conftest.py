"""Houses to train in, and a few with a run in them that tests share."""

import shutil
from pathlib import Path

import pytest

from tests.gan.house import PATIENCE, STEADY, House


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end without curves and timelapse, which take half of a short run's time; `trained` has them."""
    monkeypatch.setattr("gan.curves.losses", lambda epochs: b"")
    monkeypatch.setattr("gan.run_writer.timelapse", lambda grids: b"")


@pytest.fixture
def house(tmp_path: Path, sketched: None) -> House:
    """With a dataset of 32 pictures of 32×32 pixels."""
    return House(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house with a finished run of three epochs; not to be changed."""
    house = House(tmp_path_factory.mktemp("trained"))
    house.write_dataset(count=64)  # or frames of its animations are all but the same
    house.train("--epochs", "3", "--run", "first")
    return house


@pytest.fixture(scope="session")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house that measures quality after every epoch, with a run of two; not to be changed."""
    house = House(tmp_path_factory.mktemp("measuring"))
    house.write_dataset(count=12)
    house.configure(kid_seconds=0.001)
    house.train("--epochs", "2", "--run", "measured")
    return house


@pytest.fixture(scope="session")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("stopped"))
    house.configure(STEADY, epochs=100_000)  # too many to end by itself
    killed = house.start("train", "--run", "stopped")
    house.wait(killed, lambda seen: seen[-1].event == "epoch")
    assert "another process" in house.refused("train")
    killed.kill()
    killed.communicate()
    resumed = house.start("train")
    house.wait(resumed, lambda seen: [event.event for event in seen].count("started") == 2)
    resumed.terminate()
    out, err = resumed.communicate(timeout=PATIENCE)
    assert resumed.returncode == 0, err
    assert "stopped" in out
    return house


@pytest.fixture
def stopped(_stopped: House, tmp_path: Path, sketched: None) -> House:
    """With a run that was killed, resumed, and asked to stop."""
    shutil.copytree(_stopped.folder, tmp_path, dirs_exist_ok=True)
    return House(tmp_path)
