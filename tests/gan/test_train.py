"""The trainer as the bot sees it: a process and the run folder it writes."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan import events
from gan.adversaries import Adversaries
from gan.data import open_dataset
from gan.generator import load
from gan.run import Run, every
from tests.gan.project import (
    FACETS,
    PATIENCE,
    RECIPE,
    STEADY,
    told,
    unfinish,
    write_named_dataset,
    write_words,
)


def weights(run: Run) -> dict[str, torch.Tensor]:
    state = torch.load(run.state, weights_only=True)["pair"]
    return {
        f"{part}.{name}": value
        for part in ("generator", "discriminator", "average")
        for name, value in state[part].items()
    }


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def ends_alike(run: Run, other: Run) -> None:
    """Both end after the same epoch with the same bits."""
    one, two = told(run)[-1], told(other)[-1]
    assert isinstance(one, events.Finished)
    assert isinstance(two, events.Finished)
    assert one.epoch == two.epoch
    assert same(weights(run), weights(other))
    assert load(run.generator).version == load(other.generator).version
    assert run.grid(one.epoch).read_bytes() == other.grid(two.epoch).read_bytes()


def epochs(run: Run) -> list[int]:
    return [event.epoch for event in told(run) if isinstance(event, events.Epoch)]


def test_run_folder_is_complete(trained) -> None:
    run = Run(trained.runs / "first")
    started, *middle, finished = told(run)
    assert isinstance(started, events.Started)
    assert (started.run, started.preset, started.epoch, started.epochs) == ("first", "dream", 0, 3)
    assert started.image_size == 32
    assert isinstance(finished, events.Finished)
    assert finished.epoch == 3
    assert [event.event for event in middle] == ["checkpoint", "epoch"] * 3
    last = middle[-1]
    assert isinstance(last, events.Epoch)
    assert (last.epoch, last.epochs, last.grid) == (3, 3, "grids/epoch-0003.png")
    assert last.images_seen == 3 * (started.images // 8) * 8
    assert last.images_per_second > 0
    assert last.seconds_left == 0
    checkpoint = middle[-2]
    assert isinstance(checkpoint, events.Checkpoint)
    generator = load(run.generator)
    assert (generator.version, generator.epoch) == (checkpoint.version, 3)
    with Image.open(run.path / last.grid) as grid:
        assert grid.size == (8 * 34 + 2, 8 * 34 + 2)
    with Image.open(run.timelapse) as moving:
        assert moving.n_frames == 2 * 8 + 1
    with Image.open(run.losses) as curve:
        assert curve.format == "PNG"
    config = tomllib.loads(run.config.read_text())["gan"]
    assert config["recipe"]["channels"] == 8
    assert config["recipe"]["gamma"] == 0.1


def test_killed_and_stopped_run_ends_with_the_weights_of_an_undisturbed_one(stopped) -> None:
    run = Run(stopped.runs / "stopped")
    last = str(told(run)[-1].epoch + 1)
    stopped.train("--epochs", last)
    stopped.configure(STEADY)
    ends_alike(run, stopped.train("--epochs", last, "--run", "undisturbed"))


@pytest.mark.parametrize("words", [False, True])
def test_stopped_run_resumes_its_decay_in_mid_epoch(
    project, monkeypatch: pytest.MonkeyPatch, words: bool
) -> None:
    if words:
        write_named_dataset(project.dataset)
    project.configure(checkpoint_seconds=1000)
    step = Adversaries.step

    def stop_in_fifth_step(*args: Any, **options: Any) -> torch.Tensor:
        if options["step"] == 4:
            signal.raise_signal(signal.SIGINT)
        return step(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Adversaries, "step", stop_in_fifth_step)
        run = project.train("--epochs", "3", "--run", "disturbed")
    assert [event.event for event in told(run)] == ["started", "checkpoint", "epoch", "checkpoint", "stopped"]
    assert 0 < torch.load(run.state, weights_only=True)["progress"]["step"] < 3
    project.train("--epochs", "3")
    ends_alike(run, project.train("--epochs", "3", "--run", "undisturbed"))


def test_signal_stops_with_a_checkpoint_and_the_next_run_resumes(stopped) -> None:
    run = Run(stopped.runs / "stopped")
    checkpoint, last = told(run)[-2:]
    assert isinstance(checkpoint, events.Checkpoint)
    assert isinstance(last, events.Stopped)
    assert last.epoch >= 1

    stopped.train("--epochs", str(last.epoch + 1))
    started = [event.epoch for event in told(run) if isinstance(event, events.Started)]
    assert started[0] == 0
    assert started[2:] == [last.epoch]
    assert epochs(run)[-1] == last.epoch + 1


def test_finished_run_is_followed_by_a_new_one(project) -> None:
    first = project.train("--epochs", "1")
    second = project.train("--epochs", "1")
    assert second.name != first.name
    assert told(second)[0].event == "started"


def test_new_leaves_an_unfinished_run_alone(stopped) -> None:
    old = Run(stopped.runs / "stopped")
    before = told(old)
    new = stopped.train("--epochs", "1", "--new")
    assert new.name != old.name
    assert told(old) == before


def test_bag_dreams_preset_trains(project) -> None:
    run = project.train("--preset", "bag-dreams", "--epochs", "1")
    recipe = tomllib.loads(run.config.read_text())["gan"]["recipe"]
    assert (recipe["loss"], recipe["norm"], recipe["channels"]) == ("bce", "batch", 8)
    assert load(run.generator).draw(load(run.generator).latents([1])).shape == (1, 32, 32, 3)


def test_minutes_bound_the_run(project) -> None:
    run = project.train("--minutes", "0.002")
    last = told(run)[-1]
    assert isinstance(last, events.Finished)
    assert last.epoch >= 1


def test_changed_dataset_is_told_and_resumed(stopped) -> None:
    run = Run(stopped.runs / "stopped")
    stopped.write_dataset(count=80, seed=1)
    done = stopped.gan("train", "--epochs", str(epochs(run)[-1] + 1))
    assert done.returncode == 0, done.stderr
    assert "dataset has changed" in done.stdout
    assert told(run)[-1].event == "finished"


def test_run_of_an_older_version_keeps_its_size_when_the_pictures_grow(stopped) -> None:
    run = Run(stopped.runs / "stopped")
    config = run.config.read_text()
    assert "image_size = 32\n" in config
    run.config.write_text(config.replace("image_size = 32\n", ""))  # as it was before sizes could differ
    stopped.write_dataset(size=64)
    stopped.train("--epochs", str(epochs(run)[-1] + 1))
    assert {event.image_size for event in told(run) if isinstance(event, events.Started)} == {32}
    assert load(run.generator).image_size == 32


def test_dataset_of_smaller_pictures_is_refused(project) -> None:
    project.write_dataset(size=64)
    run = project.train("--epochs", "1")
    unfinish(run)
    before = told(run)
    project.write_dataset(size=32)
    line = project.refused("train")
    assert "32-pixel" in line
    assert "64-pixel" in line
    assert told(run) == before


@pytest.mark.parametrize(("preset", "size"), [("dream", 128), ("dcgan", 64)])
def test_presets_of_the_originals_halve_large_pictures(project, preset: str, size: int) -> None:
    project.write_dataset(count=16, size=128)
    run = project.train("--preset", preset, "--epochs", "1")
    (started,) = (event for event in told(run) if isinstance(event, events.Started))
    assert started.image_size == load(run.generator).image_size == size


def test_missing_dataset(project) -> None:
    project.configure(dataset="nowhere")
    assert "no dataset at nowhere" in project.refused("train")
    assert not project.runs.exists()


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ('{"version": 1, "image_size": 32, "count": 0, "content_hash": "x"}', "is empty"),
        ('{"version": 9, "image_size": 32, "count": 64, "content_hash": "x"}', "version 9"),
        ('{"version": 1, "image_size": 48, "count": 64, "content_hash": "x"}', "48-pixel"),
        ('{"version": 1, "image_size": 32, "count": 63, "content_hash": "x"}', "manifest says"),
        ('{"version": 1', "broken"),
    ],
)
def test_broken_manifest(project, manifest: str, words: str) -> None:
    (project.dataset / "manifest.json").write_text(manifest)
    assert words in project.refused("train")


def test_truncated_images(project) -> None:
    images = project.dataset / "images.npy"
    images.write_bytes(images.read_bytes()[:5000])
    assert "images.npy cannot be read" in project.refused("train")


def test_truncated_state(stopped) -> None:
    run = Run(stopped.runs / "stopped")
    epoch = epochs(run)[-1]
    run.state.write_bytes(run.state.read_bytes()[:1000])
    assert stopped.gan("train", "--epochs", str(epoch + 1)).returncode == 0  # from the one before
    shutil.copytree(run.path, stopped.runs / "other")
    other = Run(stopped.runs / "other")
    unfinish(other)
    for state in (other.state, other.previous_state):
        state.write_bytes(state.read_bytes()[:1000])
    assert "truncated" in stopped.refused("train", "--run", "other")


@pytest.mark.slow
def test_two_processes_train_one_run_and_one_resumes_it(project) -> None:
    write_named_dataset(project.dataset)
    # The two dashes keep torchrun from reading the trainer's options as its own.
    command = "-m torch.distributed.run --standalone --nproc-per-node=2 -m -- gan train --epochs 1 --run both"
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    (run,) = every(project.runs)
    assert run.name == "both"
    assert [event.event for event in told(run)] == ["started", "checkpoint", "epoch", "finished"]
    one = project.train("--epochs", "1", "--run", "alone")
    ours, theirs = (told(each)[2] for each in (run, one))
    assert ours.images_seen == theirs.images_seen
    # Batch norm sees half of each batch there, so the losses are near each other and not the same.
    assert abs(ours.loss_d - theirs.loss_d) < 0.2
    assert abs(ours.loss_words - theirs.loss_words) < 0.2

    unfinish(run)
    assert project.gan("train", "--epochs", "2", "--run", run.name).returncode == 0
    assert told(run)[-1].epoch == 2


@pytest.mark.parametrize("preset", ["dcgan", "sagan"])
def test_other_presets_train(project, preset: str) -> None:
    run = project.train("--preset", preset, "--epochs", "1")
    assert load(run.generator).draw(load(run.generator).latents([1])).shape == (1, 32, 32, 3)


def test_words_of_the_pictures_are_learned(project) -> None:
    write_named_dataset(project.dataset)
    run = project.train("--epochs", "8")
    losses = [event.loss_words for event in told(run) if isinstance(event, events.Epoch)]
    assert losses[-1] < losses[0] - 0.1
    generator = load(run.generator)
    assert generator.vocabulary == open_dataset(project.dataset).vocabulary
    red, blue = generator.draw(torch.cat([generator.latents([3], [color]) for color in ("red", "blue")]))
    assert not np.array_equal(red, blue)
    assert f"{losses[0]:.3f}" in project.gan("train", "--epochs", "1").stdout  # a new run begins the same


def test_brands_do_not_steer_dreams(project) -> None:
    write_named_dataset(project.dataset)
    known = np.load(project.dataset / "words.npy")
    facets = [*FACETS, {"name": "brand", "words": ["Aldo", "Coach"], "counts": [9, 9]}]
    write_words(project.dataset, np.column_stack([known, np.arange(len(known)) % 2]), facets)
    vocabulary = load(project.train("--epochs", "1").generator).vocabulary
    assert vocabulary is not None
    assert [facet.name for facet in vocabulary.facets] == ["color", "category"]
    assert all(len(numbers) == 3 for numbers in vocabulary.sets)


@pytest.mark.parametrize(("preset", "recipe"), [("bag-dreams", RECIPE), ("dream", f"{RECIPE}words = 0")])
def test_runs_without_words_leave_them_alone(project, preset: str, recipe: str) -> None:
    write_named_dataset(project.dataset)
    project.configure(recipe)
    run = project.train("--epochs", "1", "--preset", preset)
    assert [event.loss_words for event in told(run) if isinstance(event, events.Epoch)] == [None]
    assert load(run.generator).vocabulary is None


def test_a_run_keeps_the_words_it_started_with(project) -> None:
    write_named_dataset(project.dataset)
    run = project.train("--epochs", "1", "--run", "mine")
    before = load(run.generator).vocabulary
    unfinish(run)
    facets = [{"name": "color", "words": ["blue", "green", "red"], "counts": [9, 9, 9]}]
    write_words(project.dataset, np.full((32, 1), 2), facets)
    assert epochs(project.train("--epochs", "2", "--run", "mine")) == [1, 2]
    assert load(run.generator).vocabulary == before
    assert told(run)[-2].loss_words > 0

    unfinish(run)
    (project.dataset / "words.json").unlink()
    assert epochs(project.train("--epochs", "3", "--run", "mine")) == [1, 2, 3]
    assert told(run)[-2].loss_words == 0


def test_run_of_before_words_goes_on(project) -> None:
    run = project.train("--epochs", "1", "--run", "old")
    unfinish(run)
    config = run.config.read_text().replace("epochs = 1", "epochs = 2")
    run.config.write_text("".join(line for line in config.splitlines(True) if not line.startswith("words")))
    state = torch.load(run.state, weights_only=True)
    del state["vocabulary"]
    state["progress"]["losses"] = state["progress"]["losses"][:2].clone()
    torch.save(state, run.state)
    write_named_dataset(project.dataset)
    assert epochs(project.train("--run", "old")) == [1, 2]
    assert load(run.generator).vocabulary is None


def test_run_of_before_residual_blocks_goes_on(project) -> None:
    project.configure("[gan.recipe]\nchannels = 8\nbatch = 8\nz_size = 16\nblocks = 0")
    run = project.train("--epochs", "1", "--run", "old")
    unfinish(run)
    run.config.write_text(
        run.config.read_text().replace("blocks = 0\n", "").replace("epochs = 1", "epochs = 2")
    )
    project.configure()
    assert epochs(project.train("--run", "old")) == [1, 2]
    assert load(run.generator).shape.blocks == 0


def test_augmentation_statistics_and_other_upsampling_train(project) -> None:
    more = "augment = ['color', 'translation', 'cutout']\naugment_epochs = 1\nstatistics = true"
    recipe = f"[gan.recipe]\nchannels = 8\nbatch = 8\nz_size = 16\nupsampling = 'bilinear'\n{more}"
    project.configure(recipe=recipe)
    assert told(project.train("--epochs", "1"))[-1].event == "finished"


def test_unknown_preset(project) -> None:
    line = project.refused("train", "--preset", "banana")
    assert "banana" in line
    assert "bag-dreams" in line


def test_bounds_must_be_numbers_above_zero(project) -> None:
    assert "epochs" in project.refused("train", "--epochs", "-1")
    assert "epochs" in project.refused("train", "--epochs", "many")


def test_run_name_is_one_folder(project) -> None:
    assert "folder's name" in project.refused("train", "--run", "../elsewhere")
