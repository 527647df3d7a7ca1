"""Generators, states and datasets from somebody else: what can't be used is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from gan.generator import GeneratorError, Shape, load, save_generator, version_of
from tests.gan.project import unfinish

Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generator's file."""
    path = tmp_path_factory.mktemp("good") / "generator.safetensors"
    torch.manual_seed(0)
    shape = Shape(z_size=16, z="normal", channels=8, image_size=32)
    save_generator(path, shape.network(), shape, 1, "0" * 64)
    return path


def about(path: Path) -> dict[str, object]:
    """What the file says of itself."""
    with safe_open(path, "pt") as file:
        found: dict[str, object] = json.loads(file.metadata()["bag-dreams"])
    return found


def refused(path: Path) -> str:
    with pytest.raises(GeneratorError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("version", value)
            for value in ("../../x", "/etc/x", "a", "K5QN30", "k5qn30\n", "", 7, None, ["a"])
        ),
        ("version", "a" * 10**6),
        *(("epoch", value) for value in (-1, 1.5, "one", None, 10**40, float("nan"), True)),
        *(("architecture", value) for value in ("bag-dreams-1", 2, None, "x" * 10**6)),
        *(("shape", value) for value in (None, [], "32", {}, 3)),
    ],
)
def test_a_header_with_a_wrong_value(tmp_path: Path, good: Path, key: str, value: object) -> None:
    path = tmp_path / "generator.safetensors"
    save_file(load_file(good), path, {"bag-dreams": json.dumps(about(good) | {key: value})})
    assert str(path) in refused(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("z_size", value) for value in (0, -1, 10**12, 10**40, 2.5, "16", None, True, 17)),
        *(("channels", value) for value in (0, 10**9, [8], 16)),
        *(("image_size", value) for value in (0, 31, 2**40, "32", [32], 64)),
        *(("blocks", value) for value in (-1, 10**9, 1.0, 1)),
        *(("z", value) for value in ("pink", None, 3)),
        *(("upsampling", value) for value in ("none", {}, "blurred\n")),
        *(("attention", value) for value in ("yes", 1, True)),
        ("unheard-of", 1),
    ],
)
def test_a_shape_that_can_not_be_or_is_not_that_of_the_weights(
    tmp_path: Path, good: Path, key: str, value: object
) -> None:
    path = tmp_path / "generator.safetensors"
    said = about(good)
    shape = said["shape"]
    assert isinstance(shape, dict)
    save_file(load_file(good), path, {"bag-dreams": json.dumps(said | {"shape": shape | {key: value}})})
    refused(path)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "3", "[" * 100_000, '{"a":' * 10_000, "\\ud800"])
def test_a_header_that_is_none(tmp_path: Path, good: Path, text: str) -> None:
    path = tmp_path / "generator.safetensors"
    save_file(load_file(good), path, {"bag-dreams": text})
    refused(path)


def first(weights: Weights) -> str:
    return next(name for name, value in weights.items() if value.dim() == 4)


def one(value: float) -> Callable[[Weights], None]:
    """Changes a single weight."""

    def change(weights: Weights) -> None:
        weights[first(weights)].view(-1)[0] = value

    return change


def negative_variance(weights: Weights) -> None:
    next(value for name, value in weights.items() if name.endswith("running_var"))[0] = -1


def double(weights: Weights) -> None:
    weights[first(weights)] = weights[first(weights)].double()


def half(weights: Weights) -> None:
    weights[first(weights)] = weights[first(weights)].half()


def too_large(weights: Weights) -> None:
    weights[first(weights)] = torch.zeros(1000, 1000)


def missing(weights: Weights) -> None:
    del weights[first(weights)]


def more(weights: Weights) -> None:
    weights["more"] = torch.zeros(1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (one(float("nan")), "not finite"),
        (one(float("-inf")), "not finite"),
        (negative_variance, "not finite"),
        (double, "metadata says"),
        (half, "metadata says"),
        (too_large, "metadata says"),
        (missing, "metadata says"),
        (more, "metadata says"),
    ],
)
def test_weights_that_can_not_be_drawn_with(
    tmp_path: Path, good: Path, change: Callable[[Weights], None], reason: str
) -> None:
    path = tmp_path / "generator.safetensors"
    weights = load_file(good)
    change(weights)
    said = about(good) | {"version": version_of(weights)}
    save_file(weights, path, {"bag-dreams": json.dumps(said)})
    assert reason in refused(path)


def test_a_generator_under_the_name_of_another(tmp_path: Path, good: Path) -> None:
    path = tmp_path / "generator.safetensors"
    save_file(load_file(good), path, {"bag-dreams": json.dumps(about(good) | {"version": "k5qn30"})})
    assert "is not the generator k5qn30" in refused(path)


def test_sizes_beyond_the_file(tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    huge = json.dumps({"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    for header in (huge, b"\xff" * 100, b"{" * 1000):
        path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(100))
        assert "truncated" in refused(path)
    path.write_bytes((2**63).to_bytes(8, "little") + bytes(100))
    assert "truncated" in refused(path)


def test_states_that_can_not_be_resumed(project) -> None:
    run = project.train("--epochs", "2")
    unfinish(run)
    state = torch.load(run.state, weights_only=True)
    progress = state["progress"]
    changes: list[dict[str, object]] = [
        {"epoch": "x"},
        {"epoch": -1},
        {"steps": 10**40},
        {"seconds": float("nan")},
        {"rate": 0.0},
        {"recoveries": -(10**9)},
        {"spread": float("inf")},
        {"losses": "x"},
        {"losses": torch.zeros(4)},
        {"losses": torch.zeros(3, dtype=torch.int64)},
        {"mood": "great"},
    ]
    wrong: list[object] = [state | {"progress": progress | change} for change in changes]
    wrong += [[1, 2], "state", {}, state | {"progress": None}, state | {"pair": None}, state | {"pair": [1]}]
    wrong += [state | {"pair": state["pair"] | {"generator": None}}]
    wrong += [state | {"vocabulary": each} for each in (7, "", "{}", b"\xff", '{"facets": []}')]
    for each in wrong:
        torch.save(each, run.state)
        assert "does not fit" in project.refused("train")
    run.previous_state.unlink()
    for pickled in (b"\x80\x02}q\x00K\x01.", b"\x80\x02cos\nsystem\n.", b"\x80\x02e.", b"\x80\x02h\x05."):
        run.state.write_bytes(pickled)
        assert "state.pt" in project.refused("train")


def test_a_manifest_that_is_none(project) -> None:
    manifest = project.dataset / "manifest.json"
    said = json.loads(manifest.read_text())
    for text in ("", "[]", "[" * 100_000, "{}", "\ufeff{}"):
        manifest.write_text(text)
        assert "manifest.json is broken" in project.refused("train")
    for change in ({"count": "32"}, {"count": 10**40}, {"image_size": [32]}, {"version": None}):
        manifest.write_text(json.dumps(said | change))
        project.refused("train")


def test_a_config_that_was_named_must_be_there(project) -> None:
    assert "none.toml: there is no such file" in project.refused("--config", "none.toml", "train")
