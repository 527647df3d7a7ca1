"""The scraper's settings: the table [scraper] of config.toml, overridden by SCRAPER_… variables."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from scraper.shop import Shop, shop_class


class SettingsError(ValueError):
    """The settings cannot be used. One line: file, key, value, and what is allowed."""


def as_shop(table: Any) -> Any:
    """Turns a shop's table into the class that its `kind` names."""
    if not isinstance(table, dict):
        return table
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise ValueError('a shop needs kind = "…", a file in scraper/shops/')
    return shop_class(kind).model_validate(table)


class Settings(BaseSettings):
    """See config.toml for what each key means. Times are seconds; sizes are bytes or pixels."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SCRAPER_", env_nested_delimiter="__", validate_default=False
    )

    folder: Path = Path("data/shop")
    dataset: Path = Path("data/dataset")
    image_size: int = Field(64, ge=16, le=1024)
    originals: bool = True
    contact: str = Field("", max_length=200, pattern=r"^[\x20-\x7e]*$")
    delay: float = Field(1.0, ge=0, le=3600)
    connections: int = Field(2, ge=1, le=256)
    timeout: float = Field(60, gt=0, le=3600)
    attempts: int = Field(4, ge=1, le=20)
    backoff: float = Field(1.0, ge=0, le=600)
    patience: float = Field(300, ge=0)
    page_bytes: int = Field(20_000_000, ge=1_000)
    picture_bytes: int = Field(20_000_000, ge=1_000)
    pixels: int = Field(50_000_000, ge=1_000)
    twins: bool = False
    refresh_days: float = Field(30, ge=0, le=36_500)
    pages: int = Field(5_000, ge=1)
    shops: dict[str, Annotated[SerializeAsAny[Shop], BeforeValidator(as_shop)]] = {}

    @field_validator("shops", mode="before")
    @classmethod
    def named(cls, shops: Any) -> Any:
        """A shop knows the name it has in the config."""
        if not isinstance(shops, dict):
            return shops
        return {k: {"name": k, **v} if isinstance(v, dict) else v for k, v in shops.items()}


class FileSettings(Settings):
    """What is passed in is the file, and the environment goes before it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load(path: Path) -> Settings:
    """Reads [scraper] of a config file; a missing file or table gives the defaults. Raises SettingsError."""
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("scraper", {}) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error

    try:
        return FileSettings(**table)
    except ValidationError as error:
        raise SettingsError(sentence(path, error)) from error
    except SourceError as error:
        raise SettingsError(f"environment: {error}") from error
    except TypeError as error:
        raise SettingsError(f"{path}: [scraper] must be a table") from error


def sentence(path: Path, error: ValidationError) -> str:
    """The first thing wrong, as one line."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    where = f"environment SCRAPER_{key.upper()}" if f"SCRAPER_{key.upper()}" in os.environ else str(path)
    if first["type"] == "extra_forbidden":
        return f"{where}: scraper.{key} is no key of the settings"
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    value = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
    return f"{where}: scraper.{key}{value}: {message}"
