"""What `[bot]` of config.toml may say, and config.toml as a whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.cron import cron_trigger
from bot.logs import Look
from gan import settings as gan_settings
from gan.toml_settings import SettingsError, load_table, read_toml
from scraper import settings as scraper_settings


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

    shards: Annotated[int, Field(ge=0)] = 0
    shard_ids: list[int] = []

    log: Look = "auto"
    health_port: Annotated[int, Field(ge=0, le=65535)] = 0

    store: str = "sqlite+aiosqlite:///data/bot.db"
    favorites: Path = Path("data/favorites")
    generators: Path = Path("data/generators")
    generators_kept: Annotated[int, Field(ge=1)] = 50

    @model_validator(mode="after")
    def _shards_exist(self) -> Self:
        if not all(0 <= shard < self.shards for shard in self.shard_ids):
            raise ValueError("shard_ids are numbers from 0 to `shards` - 1")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the schedules and of "today"."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class Config:
    """The settings of all three packages, and the file they came from (child processes read it too)."""

    path: Path
    bot: Settings
    gan: gan_settings.Settings
    scraper: scraper_settings.Settings

    def folders(self) -> Iterator[tuple[str, Path, bool]]:
        """Every folder with its key, and whether the bot or its children write to it.

        Another machine may train and build the dataset; then those folders are only read.
        """
        scrapes = bool(self.scraper.shops and self.bot.scrape_at)
        yield "[scraper] folder", self.scraper.folder, scrapes
        yield "[scraper] dataset", self.scraper.dataset, scrapes
        yield "[gan] runs", self.gan.runs, bool(self.bot.train_at)
        yield "[bot] favorites", self.bot.favorites, True
        yield "[bot] generators", self.bot.generators, True

    def check_folders(self) -> None:
        """Raise SettingsError, in one line, for a folder that can't be used."""
        for key, folder, written in self.folders():
            if trouble := unusable(folder, written):
                raise SettingsError(f"{self.path}: {key} = {str(folder)!r}: {trouble}")


def unusable(folder: Path, written: bool) -> str | None:
    """Why a folder can't be used, or made if it is missing; None if it can. Leaves nothing behind."""
    try:
        there = nearest(folder)
        if not there.is_dir():
            return f"{there} is not a folder"
        if written:
            with tempfile.TemporaryFile(dir=there) as file:
                file.write(bytes(4096))
                file.flush()
    except (OSError, ValueError) as error:
        return f"I can't write to it ({getattr(error, 'strerror', None) or error})"
    return None


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one around it that exists. Raises OSError or ValueError."""
    if "\0" in str(folder):
        raise ValueError("a null character is in its name")
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def load_config(path: Path) -> Config:
    """Read config.toml; a missing file, table or key gives the defaults.

    Raises SettingsError, whose one line names the file or variable, the key, the value and what is allowed.
    """
    try:
        unknown = set(read_toml(path)) - {"scraper", "gan", "bot"}
        if unknown:
            raise SettingsError(
                f"{path}: [{min(unknown)}] is unknown; allowed are [scraper], [gan] and [bot]"
            )
        return Config(
            path, load_table(Settings, path, "bot"), gan_settings.load(path), scraper_settings.load(path)
        )
    except scraper_settings.SettingsError as error:
        raise SettingsError(str(error)) from error
