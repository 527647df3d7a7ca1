"""`[bot]` of config.toml, and what is said when they are wrong."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cron import cron_trigger
from bot.settings import load_config
from gan.toml_settings import SettingsError

UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[bot]\nchanel = 'x'", ("chanel", "unknown", "channel")),
        ("[bot]\nfavorite_votes = 'many'", ("favorite_votes", "'many'", "integer")),
        ("[bot]\nfavorite_votes = 0", ("favorite_votes", "0", "greater than or equal to 1")),
        ("[bot]\ntimezone = 'Mars/Olympus'", ("timezone", "Mars/Olympus", "Europe/Paris")),
        ("[bot]\ndream_at = 'at nine'", ("dream_at", "at nine", "fields")),
        ("[bto]\nchannel = 'x'", ("[bto]", "unknown", "[bot]")),
        ("bot = 3", ("bot",)),
        ("[bot\n", ("config.toml", "line 1")),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(tmp_path, written, told):
    config = tmp_path / "config.toml"
    config.write_text(written)
    with pytest.raises(SettingsError) as error:
        load_config(config)
    assert "\n" not in str(error.value)
    assert all(part in str(error.value) for part in (*told, "config.toml"))


def test_the_environment_goes_before_the_file(tmp_path, monkeypatch):
    config = tmp_path / "config.toml"
    config.write_text("[bot]\nchannel = 'a'\nfavorite_votes = 7\n")
    monkeypatch.setenv("BOT_CHANNEL", "b")
    assert load_config(config).bot.channel == "b"
    assert load_config(config).bot.favorite_votes == 7
    assert load_config(tmp_path / "none.toml").bot.favorite_votes == 3


def test_a_wrong_environment_variable_is_blamed_by_its_name(tmp_path, monkeypatch):
    config = tmp_path / "config.toml"
    config.write_text("[bot]\ntimezone = 'Europe/Paris'\n")
    monkeypatch.setenv("BOT_TIMEZONE", "Mars")
    with pytest.raises(SettingsError) as error:
        load_config(config)
    assert str(error.value).startswith("BOT_TIMEZONE = 'Mars': ")
    assert "config.toml" not in str(error.value)


def test_config_toml_names_every_key_with_its_default():
    config = load_config(Path(__file__).parents[2] / "config.toml")
    for settings, left_out in ((config.bot, set()), (config.gan, {"recipe"}), (config.scraper, {"shops"})):
        assert settings.model_fields_set == set(type(settings).model_fields) - left_out
        assert all(
            getattr(settings, name) == field.get_default(call_default_factory=True)
            for name, field in type(settings).model_fields.items()
        )


@pytest.mark.parametrize(("weekday", "day"), [("0", 22), ("7", 22), ("sun", 22), ("1", 23), ("6", 21)])
def test_weekdays_are_numbered_as_in_crontab(weekday, day):
    saturday = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    fires = cron_trigger(f"0 9 * * {weekday}", UTC).get_next_fire_time(None, saturday)
    assert fires == datetime(2026, 11, day, 9, 0, tzinfo=UTC)
