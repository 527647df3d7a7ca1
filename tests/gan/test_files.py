"""Settings, events and run folders, which the bot shares with the trainer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gan import events
from gan.run import Run, every, newest
from gan.settings import Settings, dumps, load, load_resolved
from gan.toml_settings import SettingsError


def write_config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def make(folder: Path, name: str) -> Path:
    """A folder in the folder."""
    (folder / name).mkdir()
    return folder / name


def test_missing_file_or_table_gives_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml") == Settings()
    assert load(write_config(tmp_path, "[bot]\nx = 1")) == Settings()


def test_environment_overrides_the_file_and_options_override_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_config(tmp_path, "[gan]\nseed = 1\nthreads = 1\n[gan.recipe]\nbatch = 4\nz_size = 7")
    monkeypatch.setenv("GAN_SEED", "2")
    monkeypatch.setenv("GAN_RECIPE__BATCH", "6")
    settings = load(path, preset="bag-dreams")
    assert (settings.seed, settings.threads) == (2, 1)
    recipe = settings.resolved_recipe
    assert (recipe.batch, recipe.z_size, recipe.loss, recipe.norm) == (6, 7, "bce", "batch")
    assert load(path, seed=3).seed == 3


def test_written_settings_read_back_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(write_config(tmp_path, '[gan]\nruns = "a \\"quoted\\" ü"'), preset="bag-dreams")
    path = write_config(tmp_path, dumps(settings))
    monkeypatch.setenv("GAN_SEED", "2")
    again = load_resolved(path)
    assert again.runs == settings.runs
    assert again.seed == 0
    assert again.resolved_recipe == settings.resolved_recipe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[gan]\npreset = "x"', ["config.toml: [gan] preset = 'x': ", "bag-dreams"]),
        ("[gan]\nfoo = 3", ["config.toml: [gan] foo is unknown; allowed are ", "epochs"]),
        ("[gan.recipe]\nbatch = 0", ["config.toml: [gan] recipe.batch = 0: ", "greater than or equal to 2"]),
        ("[gan.recipe]\nbtach = 8", ["config.toml: [gan] recipe.btach is unknown; allowed are ", "batch"]),
        ("[gan", ["config.toml: not valid TOML"]),
        ("gan = 3", ["config.toml: gan = 3: ", "written [gan]"]),
    ],
)
def test_wrong_settings_are_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write_config(tmp_path, text))
    line = str(caught.value)
    assert "\n" not in line
    assert all(word in line for word in words)


def test_wrong_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_DEVICE", "abacus")
    with pytest.raises(SettingsError, match="GAN_DEVICE = 'abacus'"):
        load(tmp_path / "config.toml")


def test_events_are_read_on_from_an_offset(tmp_path: Path) -> None:
    assert events.read(tmp_path) == ([], 0)
    first, second = events.Stopped(epoch=1), events.Failed(reason="no disk")
    events.append(tmp_path, first)
    found, offset = events.read(tmp_path)
    assert found == [first]
    events.append(tmp_path, second)
    assert events.read(tmp_path, offset)[0] == [second]
    assert found[0].time.tzinfo is not None


def test_half_a_line_is_left_for_the_next_read(tmp_path: Path) -> None:
    event = events.Stopped(epoch=1)
    events.append(tmp_path, event)
    line = (tmp_path / "events.jsonl").read_bytes()
    (tmp_path / "events.jsonl").write_bytes(line + line[:10])
    found, offset = events.read(tmp_path)
    assert (found, offset) == ([event], len(line))
    assert events.read(tmp_path, offset) == ([], offset)
    # Its writer was killed in it, and the next one goes on in a line of its own.
    events.append(tmp_path, event)
    assert events.read(tmp_path)[0] == [event, event]


EPOCH = {
    "event": "epoch",
    "epoch": 1,
    "epochs": None,
    "loss_d": 0.5,
    "loss_g": 1.5,
    "images_per_second": 1.0,
    "images_seen": 8,
    "seconds": 1.0,
    "seconds_left": None,
    "grid": "grids/epoch-0001.png",
}


def line(**changes: object) -> bytes:
    return json.dumps(EPOCH | changes).encode()


@pytest.mark.parametrize(
    "foreign",
    [
        b'{"event": "party"}',
        b'{"event": ["epoch"]}',
        b'{"no": "event"}',
        b"[]",
        b"3",
        b"null",
        b"[" * 60_000,
        b"\xff\xfe{\x00",
        "{}".encode("utf-16"),
        b'{"event": "stopped", "epoch": ' + b"9" * 5000 + b"}",
        line(loss_g="A" * 2**20),
        *(line(grid=path) for path in ("/etc/passwd", "../../.env", "grids/../../.env", "", ".", ".env")),
        *(line(grid=path) for path in ("C:/x", "C:\\x", "\\\\host\\x", "grids/", "a\0b", "a\n", None, ["a"])),
        line(time="2026-01-01T00:00:00"),
        line(time="tomorrow"),
        line(time=1e300),
        line(epoch=10**30),
        line(epoch=-1),
        line(epoch="one"),
        line(loss_d=float("nan")),
        line(seconds=float("inf")),
        line(images_seen=1e40),
    ],
)
def test_what_is_no_event_is_passed_over_with_one_line_in_the_log(
    tmp_path: Path, foreign: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    events.append(tmp_path, events.Stopped(epoch=1))
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write((foreign + b"\n") * 3)
    events.append(tmp_path, events.Stopped(epoch=2))
    found, offset = events.read(tmp_path)
    assert [event.epoch for event in found if isinstance(event, events.Stopped)] == [1, 2]
    assert len(found) == 2
    assert events.read(tmp_path, offset) == ([], offset)
    assert events.read(tmp_path) == (found, offset)
    (told,) = caplog.messages
    assert "passed over" in told
    assert "\n" not in told
    assert len(told) < 400


def test_an_event_with_more_fields_than_we_know_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "events.jsonl").write_bytes((line(mood="great") + b"\n") * 2)
    first, second = events.read(tmp_path)[0]
    assert first.event == second.event == "epoch"
    assert "epoch.mood" in "".join(caplog.messages)
    assert len(caplog.messages) == 1


def test_reading_from_within_a_line_skips_the_rest_of_it(tmp_path: Path) -> None:
    for number in (1, 2):
        events.append(tmp_path, events.Stopped(epoch=number))
    length = (tmp_path / "events.jsonl").stat().st_size // 2
    for offset in (1, length - 1, length):
        assert [event.epoch for event in events.read(tmp_path, offset)[0]] == [2]  # type: ignore[union-attr]
    assert events.read(tmp_path, length + 1) == ([], 2 * length)
    assert events.read(tmp_path, 10**6) == ([], 10**6)


def test_folders_that_can_not_be_read_are_no_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    events.append(make(tmp_path, "good"), events.Stopped(epoch=0))
    (make(tmp_path, "folder") / "events.jsonl").mkdir()
    os.mkfifo(make(tmp_path, "pipe") / "events.jsonl")
    (make(tmp_path, "loop") / "events.jsonl").symlink_to("events.jsonl")
    for name in ("a\nb", "x" * 100, os.fsdecode(b"latin-\xe9")):
        events.append(make(tmp_path, name), events.Stopped(epoch=0))
    assert [run.name for run in every(tmp_path)] == ["good"]
    assert len(caplog.messages) == 3
    assert all(message.isprintable() for message in caplog.messages)


@pytest.mark.parametrize("begun", [b"", b"{}", b"[" * 4000, b'{"time": 3}', b'{"time": "soon"}', b"\xff"])
def test_a_run_that_does_not_say_when_it_began_is_the_oldest(tmp_path: Path, begun: bytes) -> None:
    events.append(make(tmp_path, "good"), events.Stopped(epoch=0))
    (make(tmp_path, "odd") / "events.jsonl").write_bytes(begun + b"\n")
    assert [run.name for run in every(tmp_path)] == ["odd", "good"]


def test_the_beginning_of_a_run_is_compared_across_time_zones(tmp_path: Path) -> None:
    for name, began in (("a", "2026-01-01T12:00:00+10:00"), ("b", "2026-01-01T03:00:00Z")):
        (make(tmp_path, name) / "events.jsonl").write_text(json.dumps({"time": began}) + "\n")
    assert [run.name for run in every(tmp_path)] == ["a", "b"]


def test_a_runs_files_are_plain_ones_in_its_folder(tmp_path: Path) -> None:
    run = Run(make(tmp_path, "run"))
    secret = tmp_path / "secret"
    secret.write_text("sesame")
    outside = make(tmp_path, "outside")
    (outside / "epoch-0002.png").write_text("sesame")
    run.timelapse.write_text("a film")
    (run.path / "link.gif").symlink_to("timelapse.gif")
    run.losses.symlink_to(secret)
    run.grids.symlink_to(outside)
    run.quality.symlink_to("quality.png")
    assert run.read(run.timelapse, 6) == run.read(run.path / "link.gif", 6) == b"a film"
    assert run.read(run.timelapse, 5) is None
    for file in (run.losses, run.grid(2), run.quality, run.path, run.path / "../secret", run.best):
        assert run.read(file, 100) is None


def test_newest_run_is_the_one_that_began_last(tmp_path: Path) -> None:
    assert newest(tmp_path / "nowhere") is None
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        events.append(tmp_path / name, events.Stopped(epoch=0))
    (tmp_path / "c").mkdir()
    events.append(tmp_path / "b", events.Stopped(epoch=0))
    found = newest(tmp_path)
    assert found is not None
    assert found.name == "a"


def test_what_the_bot_reads_needs_no_torch() -> None:
    names = (
        "animate",
        "atomic",
        "events",
        "header",
        "run",
        "run_state",
        "seeds",
        "settings",
        "toml_settings",
    )
    modules = ", ".join(f"gan.{name}" for name in names)
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
