"""Loads settings from a table of a TOML file, overridden by environment variables. Imports no torch."""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource
from pydantic_settings import SettingsError as SourceError

from gan.errors import UserError

M = TypeVar("M", bound=BaseSettings)
NO_OVERRIDES: Mapping[str, object] = {}


class SettingsError(UserError):
    """A setting that cannot be used; one line names the file or variable, key, value and what is allowed."""


def load_table(
    model: type[M],
    path: Path,
    name: str,
    overrides: Mapping[str, object] = NO_OVERRIDES,
    *,
    environment: bool = True,
) -> M:
    """Load the table `[name]` of the TOML file `path`; a missing file or table gives the defaults.

    `overrides` (options of the command line) replace environment variables (with the model's `env_prefix`),
    which replace the file's values. Raises SettingsError.
    """
    table = _table(path, name)

    class Configured(model):  # type: ignore[misc,valid-type]  # the same model with its sources in our order
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file = InitSettingsSource(settings_cls, init_kwargs=table)
            return (init_settings, env_settings, file) if environment else (file,)

    try:
        found = Configured(**overrides)
    except ValidationError as error:
        raise SettingsError(_explain(error, model, path, name, overrides)) from error
    except SourceError as error:
        raise SettingsError(f"environment: {' '.join(str(error).split())}") from error
    return model.model_construct(_fields_set=found.model_fields_set, **dict(found))


def read_toml(path: Path) -> dict[str, Any]:
    """All tables of the TOML file `path`; empty if it is missing. Raises SettingsError."""
    try:
        return tomllib.loads(decoded(path.read_bytes()))
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


def decoded(data: bytes) -> str:
    """A text file's bytes in UTF-8, UTF-16 or UTF-32, with or without a byte order mark, as editors write it.

    Raises UnicodeDecodeError for any other encoding.
    """
    return data.decode(json.detect_encoding(data))


def _table(path: Path, name: str) -> dict[str, Any]:
    table = read_toml(path).get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: {name} = {table!r}: must be a table, written [{name}]")
    return table


def _explain(
    error: ValidationError, model: type[BaseSettings], path: Path, name: str, overrides: Mapping[str, object]
) -> str:
    first = error.errors(include_url=False)[0]
    keys = [str(part) for part in first["loc"]]
    place = f"{path}: [{name}] {'.'.join(keys)}"
    if keys and keys[0] in overrides:
        place = f"--{keys[0]}"
    elif variable := _variable(str(model.model_config.get("env_prefix", "")), keys):
        place = variable
    if first["type"] == "extra_forbidden":
        return f"{place} is unknown; allowed are {', '.join(_allowed(model, keys))}"
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
    return f"{place}{value}: {message[:1].lower()}{message[1:]}"


def _variable(prefix: str, keys: list[str]) -> str | None:
    """The variable that set a key or one of its parents: GAN_RECIPE__Z_SIZE, or GAN_RECIPE as JSON."""
    for depth in range(len(keys), 0, -1):
        wanted = prefix + "__".join(keys[:depth]).upper()
        if any(name.upper() == wanted for name in os.environ):
            return wanted
    return None


def _allowed(model: type[BaseModel], keys: list[str]) -> list[str]:
    for key in keys[:-1]:
        field = model.model_fields.get(key)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)
