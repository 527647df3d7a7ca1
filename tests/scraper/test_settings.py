"""The settings: defaults, the file, the environment, and errors that say what is allowed."""

import pytest

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
    assert load(tmp_path / "none.toml").image_size == 64
    assert load(tmp_path / "none.toml").delay == 1


def test_the_environment_goes_before_the_file(config, monkeypatch):
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
        ("[scraper]\nfoldr = 1", ["scraper.foldr", "no key"]),
        ("[scraper]\nimage_size = 3", ["scraper.image_size", "3", "greater than or equal to 16"]),
        ("[scraper", ["Expected ']'"]),
        ("scraper = 3", ["[scraper] must be a table"]),
        (
            '[scraper.shops.a]\nkind = "rebog"\nurl = "http://a.com"',
            ["scraper.shops.a", "rebog", "rebag, shopify"],
        ),
        ('[scraper.shops.a]\nurl = "http://a.com"', ["scraper.shops.a", "kind"]),
        ('[scraper.shops.a]\nkind = "rebag"\nurl = "file:///etc"', ["scraper.shops.a.url", "http"]),
        (
            '[scraper.shops.a]\nkind = "rebag"\nurl = "http://a.com"\ncollections = []',
            ["collections", "no key"],
        ),
    ],
)
def test_an_error_is_one_line_that_names_file_key_and_value(config, text, words):
    path = config(text)

    with pytest.raises(SettingsError) as error:
        load(path)

    assert "\n" not in str(error.value)
    for word in (str(path), *words):
        assert word in str(error.value)


def test_the_command_line_says_it_in_one_line_with_code_2(house):
    house.configure("banana = 1")

    result = house.run("stats")

    assert result.code == 2
    assert "scraper.banana is no key" in result.err
    assert result.err.count("\n") == 1
