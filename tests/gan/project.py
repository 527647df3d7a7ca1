"""A tiny dataset, and the command line in this process or in one of its own."""

import contextlib
import hashlib
import io
import json
import os
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
STEADY = RECIPE + "decay = false\n"
"""Trains the same whatever the number of epochs."""

PATIENCE = 300
"""Seconds to wait for a process, however busy the machine is."""


COLORS = {"red": (200, 20, 20), "blue": (20, 20, 200)}
CATEGORIES = ("tote", "laptop bag")
FACETS = [
    {"name": "color", "words": list(COLORS), "counts": [1, 1]},
    {"name": "category", "words": list(CATEGORIES), "counts": [1, 1]},
]


def write_words(folder: Path, numbers: np.ndarray, facets: list[dict[str, object]] = FACETS) -> None:
    """The words of a dataset's pictures, int [n, F]."""
    said = {"version": 1, "facets": facets, "aliases": {"crimson": "red"} if facets is FACETS else {}}
    (folder / "words.json").write_text(json.dumps(said))
    np.save(folder / "words.npy", numbers.astype(np.int16))


def write_dataset(folder: Path, count: int = 32, size: int = 32, seed: int = 0) -> None:
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


def write_named_dataset(folder: Path, count: int = 32) -> None:
    """A dataset with words: red and blue boxes, some high and some wide, and some whose words are unknown."""
    write_dataset(folder, count)
    images = np.load(folder / "images.npy")
    numbers = np.random.default_rng(0).integers(0, 2, (count, 2))
    for image, (color, category) in zip(images, numbers, strict=True):
        image[image[:, :, 0] < 255] = list(COLORS.values())[color]
        if category:
            image[:16] = 255
    np.save(folder / "images.npy", images)
    numbers[::8, 1] = -1
    numbers[::16, 0] = -1
    write_words(folder, numbers)


class Project:
    """A working directory with config.toml, a dataset and runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dataset = folder / "data/dataset"
        self.runs = folder / "data/runs"
        self.write_dataset()
        self.configure()

    def write_dataset(self, count: int = 32, size: int = 32, seed: int = 0) -> None:
        write_dataset(self.dataset, count, size, seed)

    def configure(self, recipe: str = RECIPE, **values: object) -> None:
        """Write config.toml: `values` over defaults that are quick and the same on every machine."""
        quick = {"precision": "fp32", "threads": 1, "checkpoint_seconds": 0, "kid_seconds": 0}
        lines = [f"{name} = {json.dumps(value)}" for name, value in (quick | values).items()]
        (self.folder / "config.toml").write_text("\n".join(["[gan]", *lines, recipe]))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The command line in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "gan", *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def gan(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line in this process, which has imported torch already."""
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
        """Wait until the newest run's events, at least one, satisfy `seen`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            runs = every(self.runs)
            found = events.read(runs[-1].path)[0] if runs else []
            if found and seen(found):
                return runs[-1]
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        raise AssertionError("the trainer wrote no such events")


def told(run: Run) -> list[events.Event]:
    """All events of a run."""
    return events.read(run.path)[0]


def unfinish(run: Run) -> None:
    """As if the run had been killed just before its end."""
    lines = run.events.read_text().splitlines(keepends=True)
    run.events.write_text("".join(line for line in lines if "finished" not in line))
