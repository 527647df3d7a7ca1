"""Settings of the dreamer: the table `[gan]` of config.toml, overridden by environment variables GAN_…"""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as SourceError

from gan.errors import UserError
from gan.presets import PRESETS, Recipe
from gan.seeds import SEEDS


class SettingsError(UserError):
    """A setting that cannot be used; the message is one line."""


class Settings(BaseSettings):
    """What the dreamer needs to know. Relative paths are relative to the working directory."""

    model_config = SettingsConfigDict(
        env_prefix="GAN_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    dataset: Path = Path("data/dataset")
    runs: Path = Path("data/runs")
    preset: Literal["dream", "bag-dreams", "dcgan", "sagan"] = "dream"
    recipe: Recipe = Recipe()
    """Only what is set here differs from the preset: read `resolved_recipe`."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """CPU threads; 0: all cores but one."""
    seed: Annotated[int, Field(ge=0, lt=SEEDS)] = 0
    epochs: Annotated[int, Field(ge=0)] = 0
    minutes: Annotated[float, Field(ge=0)] = 120.0
    """The run ends at whichever bound comes first; 0 is no bound, two of them go on until it is stopped."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 30.0
    """At least so long between two checkpoints, the first, the last and a stop excepted."""

    kid_seconds: Annotated[float, Field(ge=0)] = 600.0
    """At least so long between two measurements of quality; 0: none."""

    @property
    def resolved_recipe(self) -> Recipe:
        """The preset with what `recipe` sets put over it."""
        changes = {name: getattr(self.recipe, name) for name in self.recipe.model_fields_set}
        return PRESETS[self.preset].model_copy(update=changes)


def load(path: Path, **overrides: object) -> Settings:
    """Settings from the table `[gan]` of the TOML file `path`; a missing file or table gives the defaults.

    `overrides` (the command line's options) win over environment variables, which win over the file.
    Raises SettingsError: one line naming the file (or variable), the key, the value and what is allowed.
    """
    return _load(path, overrides, environment=True)


def load_resolved(path: Path) -> Settings:
    """The settings that `dumps` wrote: the environment has no say in them. Raises like `load`."""
    found = _load(path, {}, environment=False)
    # What it leaves out, there was not when it was written: whatever the preset says of it now.
    return found.model_copy(update={"recipe": Recipe(**found.recipe.model_dump())})


def dumps(settings: Settings, **resolved: object) -> str:
    """The settings as TOML, every value of the recipe written out; `resolved` replaces top-level values."""
    values = settings.model_dump(mode="json") | {"recipe": settings.resolved_recipe.model_dump(mode="json")}
    values |= resolved
    recipe = values.pop("recipe")
    lines = ["[gan]", *_assignments(values), "", "[gan.recipe]", *_assignments(recipe)]
    return "\n".join(lines) + "\n"


def _load(path: Path, overrides: dict[str, object], *, environment: bool) -> Settings:
    table = _table(path)

    class Configured(Settings):
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
        found = Configured(**overrides)  # type: ignore[arg-type]  # validated right here
    except ValidationError as error:
        raise SettingsError(_explain(error, path, overrides)) from error
    except SourceError as error:
        raise SettingsError(f"environment: {' '.join(str(error).split())}") from error
    return Settings.model_construct(_fields_set=found.model_fields_set, **dict(found))


def _assignments(values: dict[str, Any]) -> list[str]:
    # JSON's strings, numbers, booleans and arrays are all TOML too.
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file).get("gan", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: gan = {table!r}: must be a table, written [gan]")
    return table


def _explain(error: ValidationError, path: Path, overrides: dict[str, object]) -> str:
    first = error.errors(include_url=False)[0]
    keys = [str(part) for part in first["loc"]]
    variable = "GAN_" + "__".join(keys).upper()
    if keys[0] in overrides:
        place = f"--{keys[0]}"
    elif any(name.upper() == variable for name in os.environ):
        place = variable
    else:
        place = f"{path}: gan.{'.'.join(keys)}"
    if first["type"] == "extra_forbidden":
        model = Recipe if keys[0] == "recipe" else Settings
        return f"{place} = {first['input']!r}: unknown key; allowed are {', '.join(model.model_fields)}"
    return f"{place} = {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"
