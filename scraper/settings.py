"""The scraper's settings: [scraper] of config.toml, overridden by environment variables SCRAPER_…."""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from scraper.decode import SMALLEST
from scraper.shop import Shop
from scraper.shops import shop_class

SMALL, LARGE = 64, 128
"""The sizes of a dataset that is not told its own, in pixels along a side; see `dataset.size_of`."""


class SettingsError(ValueError):
    """A setting that can't be used. One line: file or variable, key, value and what is allowed."""


def as_shop(table: Any) -> Any:
    """Turns a shop's table into the class that its `kind` names."""
    if not isinstance(table, dict):
        return table
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise ValueError('a shop needs kind = "…", the name of a file in scraper/shops/')
    shop = shop_class(kind)
    if unknown := [key for key in table if key not in shop.model_fields]:
        keys = [key for key in shop.model_fields if key != "name"]
        raise PydanticCustomError("unknown_key", "unknown", {"unknown": unknown[:1], "allowed": keys})
    return shop.model_validate(table)


class Settings(BaseSettings):
    """config.toml says what each key means. Times are in seconds; sizes are in bytes or pixels."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SCRAPER_", env_nested_delimiter="__", validate_default=False
    )

    folder: Path = Path("data/shop")
    dataset: Path = Path("data/dataset")
    image_size: int = Field(0, ge=0, le=1024)
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
    pictures: int = Field(200_000, ge=1)
    total_bytes: int = Field(100_000_000_000, ge=1_000)
    hours: float = Field(24, gt=0, le=8_760)
    shops: dict[str, Annotated[SerializeAsAny[Shop], BeforeValidator(as_shop)]] = {}

    @property
    def square_size(self) -> int:
        """The side of the squares that are made of pictures: where `build` may choose, the larger of the two.

        It may not without originals: squares of 64 pixels that are there already could not be made again.
        """
        return self.image_size or (LARGE if self.originals else SMALL)

    @field_validator("image_size")
    @classmethod
    def large_enough(cls, size: int) -> int:
        """Refuses sizes at which nothing can be seen."""
        if 0 < size < SMALLEST:
            raise ValueError(f"must be 0 (automatic) or at least {SMALLEST}")
        return size

    @field_validator("shops", mode="before")
    @classmethod
    def named(cls, shops: Any) -> Any:
        """Tells each shop the name it has in the config."""
        if not isinstance(shops, dict):
            return shops
        return {k: {"name": k, **v} if isinstance(v, dict) else v for k, v in shops.items()}


class FileSettings(Settings):
    """Settings whose arguments come from the file, so environment variables win over them."""

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
    """[scraper] of a TOML file; a missing file or table gives the defaults. Raises SettingsError."""
    try:
        return FileSettings(**read_table(path))
    except ValidationError as error:
        raise SettingsError(explain(error, path)) from error
    except SourceError as error:
        raise SettingsError(f"environment: {' '.join(str(error).split())}") from error


def read_table(path: Path) -> dict[str, Any]:
    """[scraper] as it stands in the file; empty if either is missing. Raises SettingsError."""
    try:
        data = path.read_bytes()
        # As editors write it: in UTF-8 or UTF-16, with or without a byte order mark.
        table = tomllib.loads(data.decode(json.detect_encoding(data))).get("scraper", {})
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: neither UTF-8 nor UTF-16: save it as UTF-8") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: not valid TOML: nested too deeply") from error
    except ValueError as error:  # also a number of thousands of digits
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: scraper = {table!r}: must be a table, written [scraper]")
    return table


def explain(error: ValidationError, path: Path) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    keys = [str(part) for part in (*first["loc"], *context.get("unknown", ()))]
    place = variable(keys) or f"{path}: [scraper] {'.'.join(keys)}"
    if first["type"] in ("extra_forbidden", "unknown_key"):
        return f"{place} is unknown; allowed are {', '.join(context.get('allowed', Settings.model_fields))}"
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
    return f"{place}{value}: {message[:1].lower()}{message[1:]}"


def variable(keys: list[str]) -> str | None:
    """The environment variable that set a key or a table around it (SCRAPER_SHOPS, as JSON), if one did."""
    names = {name.upper() for name in os.environ}
    tried = ("SCRAPER_" + "__".join(keys[:depth]).upper() for depth in range(len(keys), 0, -1))
    return next((name for name in tried if name in names), None)
