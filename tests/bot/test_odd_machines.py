"""Machines and files that are not as one expects: read all the same, or told in one line with code 2."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.__main__ import secret_token, until_stopped
from bot.check import findings
from bot.demo.run import Demo
from bot.settings import load_config
from gan.toml_settings import SettingsError

TOKEN = "aaaa.bbbb.cccc"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env, and no token but that of a test."""
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)


def refused(*arguments):
    """The one line with which the command ends."""
    result = CliRunner().invoke(command_line, [str(argument) for argument in arguments])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_settings_and_token_are_read_in_every_encoding_that_editors_write(tmp_path, encoding):
    config = tmp_path / "config.toml"
    config.write_bytes(
        '[bot]\nchannel = "täschchen"\n[gan]\nseed = 7\n[scraper]\ndelay = 3\n'.encode(encoding)
    )
    settings = load_config(config)
    assert (settings.bot.channel, settings.gan.seed, settings.scraper.delay) == ("täschchen", 7, 3)
    (tmp_path / ".env").write_bytes(f'# Für die Täschchen\r\nDISCORD_TOKEN="{TOKEN}"\r\n'.encode(encoding))
    assert secret_token() == TOKEN


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('[bot]\nchannel = "täschchen"'.encode("latin-1"), "save it as UTF-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"9" * 10_000, "not valid TOML"),
        (b"[bot]\0", "not valid TOML"),
        (b"\xff\xfe[", "save it as UTF-8"),
        (None, "Is a directory"),
    ],
)
def test_a_config_that_can_not_be_read_is_told_in_one_line(tmp_path, monkeypatch, written, told):
    config = tmp_path / "config.toml"
    config.mkdir() if written is None else config.write_bytes(written)
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    assert told in refused()
    assert told in refused("--config", config, "check")


@pytest.mark.parametrize("written", ["DISCORD_TOKEN=ä".encode("latin-1"), None])
def test_a_dotenv_that_can_not_be_read_is_told_in_one_line(tmp_path, written):
    file = tmp_path / ".env"
    file.mkdir() if written is None else file.write_bytes(written)
    for command in ([], ["check"]):
        assert refused(*command).startswith("bag-dreams: .env: ")


def test_a_config_that_was_named_must_be_there(tmp_path):
    for command in ([], ["check"], ["gallery", "out"]):
        assert "--config none.toml: there is no such file" in refused("--config", "none.toml", *command)
    assert "none.toml" not in CliRunner().invoke(command_line, ["--config", "config.toml", "check"]).output


@pytest.mark.parametrize(
    "name", ['it\'s a "test"', "100%s %(here)s", "täsch#chen", "back\\slash", "{folder}"]
)
def test_the_demos_folder_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    settings = load_config(Demo(folder, 0)._configure("http://127.0.0.1"))
    assert settings.gan.runs == folder / "runs"
    assert make_url(settings.bot.store).database == f"{folder}/bot.db"


def test_a_folder_that_the_demo_can_not_use_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    assert "file" in refused("demo", "--folder", tmp_path / "file")
    with pytest.raises(SettingsError, match="question mark"):
        Demo(tmp_path / "what?", 0)._configure("http://127.0.0.1")
    assert not (tmp_path / "what").exists()


def test_what_the_locale_can_not_print_is_printed_in_ascii(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},  # as in a locale such as en_US.ISO-8859-1
        timeout=300,
    )
    assert done.returncode == 2  # a fresh machine: there is no generator yet
    assert b"Traceback" not in done.stderr
    assert b"\\u2717 generator" in done.stdout


FOLDERS = {
    "[bot] favorites": "favorites",
    "[bot] generators": "generators",
    "[gan] runs": "runs",
    "[scraper] folder": "shop",
    "[scraper] dataset": "dataset",
}


@pytest.mark.parametrize("key", FOLDERS)
async def test_a_file_in_a_folders_place_is_told_at_start_and_in_check(make_config, pool, tmp_path, key):
    make_config(generator=False)
    (tmp_path / FOLDERS[key]).write_text("not a folder")
    config = load_config(tmp_path / "config.toml")
    with pytest.raises(SettingsError) as error:
        config.check_folders()
    found = [finding.text async for finding in findings(config, None, pool) if finding.what == "disk"]
    told = next(line for line in found if "is not a folder" in line)
    for line in (str(error.value), told):
        assert key in line
        assert "\n" not in line


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="nobody can write to /proc")
def test_a_folder_that_can_not_be_written_to_ends_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.app.App", None)  # nothing is begun
    for name in ("/proc/bags", "/proc/self/bags/more", f"{tmp_path}/{'x' * 300}", "a\0b"):
        (tmp_path / "config.toml").write_text(f"[bot]\nfavorites = {json.dumps(name)}")
        monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
        assert "[bot] favorites" in refused()
    # A folder that another machine fills may be read-only.
    (tmp_path / "config.toml").write_text('[bot]\ntrain_at = ""\n[gan]\nruns = "/proc/bags"')
    load_config(tmp_path / "config.toml").check_folders()


@pytest.mark.parametrize("command", [[], ["demo"], ["check"], ["gallery", "out"]], ids=" ".join)
def test_no_command_leaves_the_token_to_its_children(monkeypatch, command):
    seen = []

    def instead(work):
        work.close()
        seen.append(sorted(name for name in os.environ if "DISCORD" in name.upper()))

    monkeypatch.setattr("bot.__main__.until_stopped", instead)
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("Discord_Token", TOKEN)  # which would do as well
    result = CliRunner().invoke(command_line, command)
    assert result.exit_code == 0, result.output
    assert seen == [[]]


INTERRUPTING = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
"""


@pytest.mark.parametrize("module", ["typer", "discord", "pydantic", "bot.settings", "bot.app"])
def test_ctrl_c_during_the_imports_is_no_traceback(tmp_path, module):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTING)
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-m", "bot"],
        capture_output=True,
        encoding="utf-8",
        env=os.environ
        | {"PYTHONPATH": paths, "INTERRUPT_AT": module, "DISCORD_TOKEN": TOKEN, "PYTHONIOENCODING": "utf-8"},
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (130, "stopping…\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_does_not_break_off_the_closing(capfd, number):
    before = signal.getsignal(number)
    done = []

    async def work():
        try:
            signal.raise_signal(number)
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(number)
            await asyncio.sleep(0)
            done.append("closed")

    until_stopped(work())
    assert done == ["closed"]
    assert capfd.readouterr().err.count("stopping") == (number == signal.SIGINT)
    assert signal.getsignal(number) is before
