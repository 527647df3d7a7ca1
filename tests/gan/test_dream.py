"""Dreaming from a trained run: a seed and a generator give the same bytes, whatever else is drawn."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan import animate, interpolate
from gan.generator import Generator, GeneratorError, Shape, load
from gan.grid import enlarge, grid
from gan.networks import initialize
from gan.seeds import SEEDS, SeedError
from tests.gan.project import PATIENCE


@pytest.fixture(scope="module")
def generator(trained) -> Generator:
    return load(trained.runs / "first/generator.safetensors")


def test_same_seed_same_bytes(trained, tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert trained.gan("dream", "--seed", "42", "--out", str(one)).returncode == 0
    process = trained.start("dream", "--seed", "42", "--out", str(two), OMP_NUM_THREADS="2")
    out, err = process.communicate(timeout=PATIENCE)
    assert out.strip() == str(two), err
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as picture:
        assert picture.size == (128, 128)


@pytest.fixture(scope="module")
def wide() -> Generator:
    """With convolutions that torch computes differently for one picture than for two."""
    shape = Shape(16, "normal", 128, 64, "blurred", blocks=1)
    torch.manual_seed(0)
    network = shape.network()
    initialize(network, "he")
    with torch.no_grad():
        for _ in range(20):  # until the batch norms have seen enough for its pictures to have contrast
            network(torch.randn(16, 16))
    return Generator(network.eval(), shape, 0, "wide00")


@pytest.mark.parametrize("name", ["generator", "wide"])
def test_batch_and_threads_do_not_change_a_picture(name: str, request: pytest.FixtureRequest) -> None:
    generator: Generator = request.getfixturevalue(name)
    seeds = [7, 42, SEEDS - 1, 0, 5, *range(100, 159)]
    together = generator.draw(generator.latents(seeds))
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        alone = [generator.draw(generator.latents([seed]))[0] for seed in seeds]
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(together, np.stack(alone))
    assert together.dtype == np.uint8
    assert not np.array_equal(together[0], together[1])


def test_count_fills_a_folder(trained, tmp_path: Path, generator: Generator) -> None:
    assert (
        trained.gan("dream", "--seed", "3", "--count", "5", "--out", str(tmp_path / "many")).returncode == 0
    )
    names = sorted(file.name for file in (tmp_path / "many").iterdir())
    assert names == [f"{generator.version}-{seed}.png" for seed in range(3, 8)]


def test_results_go_into_a_folder_of_their_own(trained, generator: Generator) -> None:
    done = trained.gan("dream", "--seed", "3")
    assert done.returncode == 0
    file = Path("out") / f"{generator.version}-3.png"
    assert done.stdout.splitlines()[-1] == str(file)
    assert (trained.folder / file).exists()


def test_grid_of_sixteen(trained, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    assert trained.gan("dream", "--seed", "0", "--grid", "--scale", "1", "--out", str(out)).returncode == 0
    with Image.open(out) as picture:
        assert picture.size == (4 * 34 + 2, 4 * 34 + 2)


@pytest.mark.parametrize("name", ["ab.gif", "ab.webp"])
def test_interpolation_starts_and_ends_at_its_bags(
    trained, tmp_path: Path, generator: Generator, name: str
) -> None:
    out = tmp_path / name
    assert trained.gan("interpolate", "1", "2", "--frames", "7", "--out", str(out)).returncode == 0
    with Image.open(out) as moving:
        assert moving.n_frames == 7
        assert moving.size == (128, 128)
        assert moving.info["loop"] == 0
    frames = interpolate.interpolation(generator, generator.latents([1, 2]), 7)
    ends = generator.draw(generator.latents([1, 2]))
    assert np.abs(np.asarray(frames[0]).astype(int) - ends[0]).max() <= 1
    assert np.abs(np.asarray(frames[-1]).astype(int) - ends[1]).max() <= 1


@pytest.mark.parametrize("stops", [2, 3, 8])
def test_loop_goes_by_all_its_bags_in_even_steps(generator: Generator, stops: int) -> None:
    latents = generator.latents(range(stops))
    way = interpolate.path(latents, stops * 5, generator.z_size, loop=True)
    assert torch.allclose(way[::5], latents, atol=1e-5)
    around = torch.cat([way, way[:1]])  # after the last frame comes the first
    steps = (around[1:] - around[:-1]).norm(dim=1).reshape(stops, 5)
    assert (steps > 0).all()
    assert (steps.amax(dim=1) < 2 * steps.amin(dim=1)).all()
    assert len(interpolate.interpolation(generator, latents, 12, loop=True)) == 12


def test_interpolation_of_several_bags_fits_into_a_message(trained, tmp_path: Path) -> None:
    out = tmp_path / "large.gif"
    arguments = ["1", "2", "3", "--loop", "--frames", "90", "--scale", "16", "--out", str(out)]
    assert trained.gan("interpolate", *arguments).returncode == 0
    assert out.stat().st_size <= animate.LIMIT
    with Image.open(out) as moving:
        assert moving.n_frames == 90


def test_children_have_of_both_parents_and_something_new(generator: Generator) -> None:
    a, b = generator.latents([1, 2])
    children = generator.children(a, b, range(50), mutation=0.25)
    from_a, from_b = ((children == parent).float().mean().item() for parent in (a, b))
    assert 0.3 < from_a < 0.45
    assert 0.3 < from_b < 0.45
    assert torch.equal(children[7], generator.children(a, b, [7], mutation=0.25)[0])
    assert not torch.equal(children[7], children[8])
    pure = generator.children(a, b, range(10), mutation=0)
    assert ((pure == a) | (pure == b)).all()
    assert torch.equal(generator.children(a, a, [3], mutation=0)[0], a)
    with pytest.raises(SeedError):
        generator.children(a, b, [SEEDS])


def test_breeding_shows_the_parents_and_their_children(trained, tmp_path: Path, generator: Generator) -> None:
    out = tmp_path / "children.png"
    arguments = ["1", "2", "--count", "3", "--scale", "1", "--out", str(out)]
    assert trained.gan("breed", *arguments).returncode == 0
    a, b = generator.latents([1, 2])
    right = generator.draw(torch.stack([a, b, *generator.children(a, b, range(3))]))
    with Image.open(out) as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(grid(right, columns=5)))
    assert "out of range" in trained.refused("breed", "1", str(SEEDS))


def test_slerp_keeps_the_length() -> None:
    a, b = torch.randn(2, 128, generator=torch.Generator().manual_seed(1))
    a, b = a / a.norm(), b / b.norm()
    assert all(abs(interpolate.slerp(a, b, t / 10).norm().item() - 1) < 1e-4 for t in range(11))
    assert torch.equal(interpolate.slerp(a, a, 0.5), a)


def test_gif_frames_share_one_palette() -> None:
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)) for _ in range(4)]
    data = animate.encode_gif(frames, 50)
    with Image.open(io.BytesIO(data)) as moving:
        assert moving.n_frames == 4
    assert data.count(b"\x21\xf9\x04") == 4
    assert len(data) < 4 * 32 * 32 * 2 + 768 * 2  # a palette a frame would be 768 bytes more each


def test_webp_of_lower_quality_is_smaller() -> None:
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)) for _ in range(4)]
    data = animate.encode_webp(frames, [50, 50, 50, 70], quality=20, method=2)
    assert len(data) < len(animate.encode_webp(frames, 50))
    with Image.open(io.BytesIO(data)) as moving:
        assert moving.n_frames == 4
        assert moving.info["loop"] == 0


def test_timelapse_stays_under_the_limit(tmp_path: Path, trained) -> None:
    random = np.random.default_rng(0)
    files = []
    for index in range(40):
        file = tmp_path / f"epoch-{index:04d}.png"
        Image.fromarray(random.integers(0, 256, (96, 96, 3), np.uint8)).save(file)
        files.append(file)
    data = animate.timelapse(files, limit=100_000)
    assert len(data) <= 100_000
    with Image.open(io.BytesIO(data)) as moving:
        assert moving.n_frames >= 20
    out = tmp_path / "lapse.gif"
    assert trained.gan("timelapse", "--out", str(out)).returncode == 0
    with Image.open(out) as moving:
        assert moving.n_frames == 2 * 8 + 1  # three grids that melt into each other
        moving.seek(16)
        assert moving.info["duration"] == 3000


@pytest.mark.parametrize("size", [64, 128, 256])
def test_timelapse_of_large_bags_is_no_larger(tmp_path: Path, size: int) -> None:
    file = tmp_path / "epoch-0001.png"
    grid(np.zeros((64, size, size, 3), np.uint8), columns=8).save(file)
    with Image.open(io.BytesIO(animate.timelapse([file]))) as moving:
        assert 510 <= moving.width <= 530


def test_grid_has_white_gutters_and_a_short_last_row() -> None:
    sheet = grid(np.zeros((3, 8, 8, 3), np.uint8), columns=2)
    assert sheet.size == (22, 22)
    pixels = np.asarray(sheet)
    assert (pixels[:2] == 255).all()
    assert (pixels[12:, 12:] == 255).all()
    assert (pixels[2:10, 2:10] == 0).all()
    numbered = grid(np.zeros((3, 64, 64, 3), np.uint8), columns=3, numbers=True)
    assert (np.asarray(numbered)[2:20, 2:20] > 0).any()


def test_enlarge() -> None:
    assert enlarge(Image.new("RGB", (64, 64), "white")).size == (256, 256)


def test_version_is_a_word_of_six_characters(generator: Generator) -> None:
    assert len(generator.version) == 6
    assert generator.version[0].isalpha()
    assert generator.version.isalnum()
    assert generator.version == generator.version.lower()


@pytest.mark.parametrize("seed", [-1, SEEDS, 10**40])
def test_seed_out_of_range(trained, generator: Generator, seed: int) -> None:
    with pytest.raises(SeedError, match="out of range"):
        generator.latents([seed])
    if seed > 0:
        assert "out of range" in trained.refused("dream", "--seed", str(seed))


def test_truncated_generator(trained, tmp_path: Path) -> None:
    whole = (trained.runs / "first/generator.safetensors").read_bytes()
    for length in (0, 5, 300, len(whole) - 1):
        file = tmp_path / f"{length}.safetensors"
        file.write_bytes(whole[:length])
        with pytest.raises(GeneratorError, match="truncated"):
            load(file)


def test_foreign_and_missing_generators(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(GeneratorError, match="by this program"):
        load(tmp_path / "foreign.safetensors")
    with pytest.raises(GeneratorError, match="no generator at"):
        load(tmp_path / "missing.safetensors")
    with pytest.raises(GeneratorError):
        load(tmp_path)


def test_truncated_generator_is_one_line_on_the_command_line(project) -> None:
    run = project.train("--epochs", "1")
    run.generator.write_bytes(run.generator.read_bytes()[:-10])
    assert "truncated" in project.refused("dream", "--seed", "1")


def test_nothing_trained_yet(project) -> None:
    assert "train one first" in project.refused("dream", "--seed", "1")
    assert "no run nix" in project.refused("timelapse", "--run", "nix")


def test_interpolate_needs_two_numbers(trained) -> None:
    assert "2 to 8 numbers" in trained.refused("interpolate", "1")
    assert "'banana' is neither a number" in trained.refused("interpolate", "1", "banana")
    assert "out of range" in trained.refused("interpolate", "1", "99999999999")
