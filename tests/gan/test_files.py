"""Settings, events and run folders, which the bot shares with the trainer."""

import subprocess
import sys
from pathlib import Path

import pytest

from gan import events
from gan.run import newest
from gan.settings import Settings, dumps, load, load_resolved
from gan.toml_settings import SettingsError


def write_config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


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


def test_foreign_events_are_refused(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"event": "party"}\n')
    with pytest.raises(events.EventError, match="party"):
        events.read(tmp_path)


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
    names = ("animate", "atomic", "events", "run", "run_state", "seeds", "settings", "toml_settings")
    modules = ", ".join(f"gan.{name}" for name in names)
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
