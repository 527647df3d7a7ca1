"""A tiny dataset and a trainer in a process of its own, as the bot starts it."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan import events
from gan.__main__ import main
from gan.run import Run, every

RECIPE = "[gan.recipe]\nchannels = 8\nbatch = 8\nz_size = 16\n"


def write_dataset(folder: Path, count: int = 64, size: int = 32, seed: int = 0) -> None:
    """A dataset folder of colored boxes on white."""
    random = np.random.default_rng(seed)
    images = np.full((count, size, size, 3), 255, np.uint8)
    for image in images:
        left, top = random.integers(2, size // 3, 2)
        image[top:-4, left:-left] = random.integers(0, 200, 3)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", images)
    (folder / "items.jsonl").write_text("{}\n" * count)
    content_hash = hashlib.sha256(images.tobytes()).hexdigest()
    manifest = {"version": 1, "image_size": size, "count": count, "content_hash": content_hash}
    (folder / "manifest.json").write_text(json.dumps(manifest))


class House:
    """A working directory with config.toml, a dataset and runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dataset = folder / "data/dataset"
        self.runs = folder / "data/runs"
        self.write_dataset()
        self.configure()

    def write_dataset(self, count: int = 64, size: int = 32, seed: int = 0) -> None:
        write_dataset(self.dataset, count, size, seed)

    def configure(self, recipe: str = RECIPE, **values: object) -> None:
        """config.toml with `values` over what is quick and the same on every machine."""
        quick = {"precision": "fp32", "threads": 1, "checkpoint_seconds": 0, "kid_seconds": 0}
        lines = [f"{name} = {json.dumps(value)}" for name, value in (quick | values).items()]
        (self.folder / "config.toml").write_text("\n".join(["[gan]", *lines, recipe]))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gan", *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def gan(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line in this process, which has torch imported already."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["gan", *arguments])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as left:
                main()
        code = left.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def train(self, *arguments: str) -> Run:
        """Train to the end of the run; returns the newest run."""
        done = self.gan("train", *arguments)
        assert done.returncode == 0, done.stderr
        return every(self.runs)[-1]

    def refused(self, *arguments: str) -> str:
        """The one line that a command leaves on stderr with code 2."""
        done = self.gan(*arguments)
        assert done.returncode == 2, (done.returncode, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    def wait(self, process: subprocess.Popen[str], seen: Callable[[list[events.Event]], bool]) -> Run:
        """Until the newest run's events, at least one, satisfy `seen`."""
        for _ in range(6000):
            runs = every(self.runs)
            found = events.read(runs[-1].path)[0] if runs else []
            if found and seen(found):
                return runs[-1]
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        raise AssertionError("the trainer told nothing in a minute")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """With a dataset of 64 pictures of 32 pixels."""
    return House(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house with a finished run of three epochs; not to be changed."""
    house = House(tmp_path_factory.mktemp("trained"))
    house.train("--epochs", "3", "--run", "first")
    return house


@pytest.fixture(scope="session")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house that measures quality after every epoch, with a run of two; not to be changed."""
    house = House(tmp_path_factory.mktemp("measuring"))
    house.write_dataset(count=24)
    house.configure(kid_seconds=0.001)
    house.train("--epochs", "2", "--run", "measured")
    return house


@pytest.fixture(scope="session")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("stopped"))
    process = house.start("train", "--epochs", "100000", "--run", "stopped")
    house.wait(process, lambda seen: seen[-1].event == "epoch")
    assert "another process" in house.refused("train")
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "stopped" in out
    return house


@pytest.fixture
def stopped(_stopped: House, tmp_path: Path) -> House:
    """With a run that was asked to stop after an epoch at least."""
    shutil.copytree(_stopped.folder, tmp_path, dirs_exist_ok=True)
    return House(tmp_path)
