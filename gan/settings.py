"""Settings of the dreamer: the table `[gan]` of config.toml, overridden by environment variables GAN_…"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gan.presets import PRESETS, Recipe
from gan.seeds import SEEDS
from gan.toml_settings import load_table


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
    return load_table(Settings, path, "gan", overrides)


def load_resolved(path: Path) -> Settings:
    """The settings that `dumps` wrote: the environment has no say in them. Raises like `load`."""
    found = load_table(Settings, path, "gan", environment=False)
    # What it leaves out, there was not when it was written: whatever the preset says of it now.
    return found.model_copy(update={"recipe": Recipe(**found.recipe.model_dump())})


def dumps(settings: Settings, **resolved: object) -> str:
    """The settings as TOML, every value of the recipe written out; `resolved` replaces top-level values."""
    values = settings.model_dump(mode="json") | {"recipe": settings.resolved_recipe.model_dump(mode="json")}
    values |= resolved
    recipe = values.pop("recipe")
    lines = ["[gan]", *_assignments(values), "", "[gan.recipe]", *_assignments(recipe)]
    return "\n".join(lines) + "\n"


def _assignments(values: dict[str, Any]) -> list[str]:
    # JSON's strings, numbers, booleans and arrays are all TOML too.
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]
