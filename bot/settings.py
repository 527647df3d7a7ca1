"""What `[bot]` of config.toml may say."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.logs import Look

# In crontab Sunday is 0 or 7; APScheduler counts from Monday. Names mean the same to both.
_WEEKDAYS = dict(zip("01234567", ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"), strict=True))


class SettingsError(ValueError):
    """config.toml or an environment variable says something that can't be; the message is one line."""


def cron_trigger(expression: str, timezone: ZoneInfo) -> CronTrigger:
    """The trigger of a five-field crontab line in a time zone. Raises ValueError if it is not one."""
    fields = expression.split()
    if len(fields) == 5:
        fields[4] = "".join(_WEEKDAYS.get(character, character) for character in fields[4])
    return CronTrigger.from_crontab(" ".join(fields), timezone=timezone)


def _crontab(expression: str) -> str:
    if expression:
        cron_trigger(expression, ZoneInfo("UTC"))
    return expression


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError('an IANA time zone such as "Europe/Paris"') from error
    return name


Cron = Annotated[str, AfterValidator(_crontab)]


class Settings(BaseSettings):
    """The bot's settings; environment variables BOT_… override the file."""

    model_config = SettingsConfigDict(
        env_prefix="BOT_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    prefix: Annotated[str, Field(min_length=1, max_length=5)] = "!"
    channel: Annotated[str, Field(min_length=1)] = "bag-dreams"
    hall: Annotated[str, Field(min_length=1)] = "hall-of-fame"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"

    dream_at: Cron = "0 9 * * *"
    best_at: Cron = "0 18 * * sun"
    late_hours: Annotated[float, Field(gt=0, le=72)] = 12
    scrape_at: Cron = "0 2 * * *"
    train_at: Cron = "0 3 * * *"
    train_minutes: Annotated[float, Field(gt=0)] = 240

    favorite_votes: Annotated[int, Field(ge=1)] = 3
    vote_minutes: Annotated[float, Field(gt=0)] = 60
    grid_seconds: Annotated[float, Field(ge=0)] = 60
    cooldown_seconds: Annotated[float, Field(ge=0)] = 2
    server_per_minute: Annotated[int, Field(ge=0)] = 240

    log: Look = "auto"
    health_port: Annotated[int, Field(ge=0, le=65535)] = 0

    store: str = "sqlite+aiosqlite:///data/bot.db"
    favorites: Path = Path("data/favorites")
    generators: Path = Path("data/generators")
    generators_kept: Annotated[int, Field(ge=1)] = 50

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the schedules and of "today"."""
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then config.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(path: Path) -> Settings:
    """Read `[bot]` of the TOML file; a missing file or table gives the defaults.

    Raises SettingsError, whose one line names the file, the key, the value and what is allowed.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
    unknown = set(tables) - {"scraper", "gan", "bot"}
    if unknown:
        raise SettingsError(f"{path}: [{min(unknown)}] is unknown; allowed are [scraper], [gan] and [bot]")

    if not isinstance(tables.get("bot", {}), dict):
        raise SettingsError(f"{path}: bot = {tables['bot']!r}: must be a table, written [bot]")

    class Configured(Settings):
        model_config = SettingsConfigDict(
            toml_file=path if "bot" in tables else None, toml_table_header=("bot",)
        )

    try:
        return Configured()
    except ValidationError as error:
        raise SettingsError(_one_line(path, error)) from error


def _one_line(path: Path, error: ValidationError) -> str:
    first: Any = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"{path}: [bot] {key} is unknown; allowed are {', '.join(Settings.model_fields)}"
    return f"{path}: [bot] {key} = {first['input']!r}: {first['msg']}"
