"""Settings: defaults, the file, environment variables, and errors that say what is allowed."""

import pytest
from typer.testing import CliRunner

from scraper.__main__ import app
from scraper.settings import SettingsError, load


@pytest.fixture
def config(tmp_path):
    """Writes a config and returns its path."""

    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return write


def test_a_missing_file_or_table_gives_the_defaults(tmp_path, config):
    assert load(tmp_path / "none.toml") == load(config("[bot]\nname = 1\n"))
    assert load(tmp_path / "none.toml").image_size == 0
    assert load(tmp_path / "none.toml").delay == 1


def test_environment_variables_override_the_file(config, monkeypatch):
    monkeypatch.setenv("SCRAPER_FOLDER", "elsewhere")
    monkeypatch.setenv("SCRAPER_SHOPS__A__DELAY", "0.5")

    settings = load(
        config('[scraper]\nfolder = "here"\n[scraper.shops.a]\nkind = "rebag"\nurl = "http://a.com/"')
    )

    assert str(settings.folder) == "elsewhere"
    assert settings.shops["a"].delay == 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[scraper]\nfoldr = 1", ["[scraper] foldr is unknown; allowed are folder, dataset, image_size, "]),
        (
            "[scraper]\nimage_size = 3",
            ["[scraper] image_size = 3: must be 0 (automatic) or at least 16"],
        ),
        ("[scraper", [": not valid TOML: ", "Expected ']'"]),
        ("scraper = 3", ["scraper = 3: must be a table, written [scraper]"]),
        ("[scraper]\nshops = 3", ["[scraper] shops = 3: input should be a valid dictionary"]),
        (
            '[scraper.shops.a]\nkind = "rebog"\nurl = "http://a.com"',
            ["[scraper] shops.a: kind 'rebog' must be one of ", "rebag, shopify"],
        ),
        ('[scraper.shops.a]\nurl = "http://a.com"', ["[scraper] shops.a: ", "kind"]),
        (
            '[scraper.shops.a]\nkind = "rebag"\nurl = "file:///etc"',
            ["[scraper] shops.a.url = 'file:///etc': must begin with http"],
        ),
        (
            '[scraper.shops.a]\nkind = "rebag"\nurl = "http://a.com"\ncollections = []',
            ["[scraper] shops.a.collections is unknown; allowed are kind, url, addresses, delay, "],
        ),
    ],
)
def test_an_error_is_one_line_that_names_file_key_and_value(config, text, words):
    path = config(text)

    with pytest.raises(SettingsError) as error:
        load(path)

    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("SCRAPER_DELAY", "-1", "SCRAPER_DELAY = '-1': input should be greater than or equal to 0"),
        (
            "SCRAPER_SHOPS__A__DELAY",
            "soon",
            "SCRAPER_SHOPS__A__DELAY = 'soon': input should be a valid number,"
            " unable to parse string as a number",
        ),
        (
            "SCRAPER_SHOPS__A__FOO",
            "1",
            "SCRAPER_SHOPS__A__FOO is unknown; allowed are kind, url, addresses, delay, connections,"
            " currency, render",
        ),
        (
            "SCRAPER_SHOPS",
            '{"a": {"kind": "rebag", "delay": -1}}',
            "SCRAPER_SHOPS = -1: input should be greater than or equal to 0",
        ),
        (
            "SCRAPER_SHOPS",
            "{",
            'environment: error parsing value for field "shops" from source "EnvSettingsSource"',
        ),
    ],
)
def test_an_environment_variable_is_blamed_by_its_name(config, monkeypatch, variable, value, line):
    path = config('[scraper.shops.a]\nkind = "rebag"\nurl = "http://a.com/"')
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as error:
        load(path)

    assert str(error.value) == line


def test_the_command_line_says_it_in_one_line_with_code_2(project):
    project.configure("banana = 1")

    result = project.run("stats")

    assert result.code == 2
    assert "[scraper] banana is unknown; allowed are folder, " in result.err
    assert result.err.count("\n") == 1


def test_a_config_that_was_named_must_be_there(project):
    result = CliRunner().invoke(app, ["--config", str(project.path / "none.toml"), "stats"])

    assert result.exit_code == 2
    assert "none.toml: there is no such file" in result.stderr
    assert result.stderr.count("\n") == 1
