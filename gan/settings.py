"""Settings of training and dreaming: the table `[gan]` of config.toml, or environment variables GAN_….

Imports no torch.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gan.presets import PRESETS, Recipe
from gan.seeds import SEEDS
from gan.toml_settings import load_table


class Settings(BaseSettings):
    """The table `[gan]`. Relative paths are relative to the working directory."""

    model_config = SettingsConfigDict(
        env_prefix="GAN_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    dataset: Path = Path("data/dataset")
    runs: Path = Path("data/runs")
    preset: Literal["dream", "bag-dreams", "dcgan", "sagan"] = "dream"
    recipe: Recipe = Recipe()
    """Only the values set here replace the preset's; read `resolved_recipe`."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """CPU threads; 0: all cores but one."""
    seed: Annotated[int, Field(ge=0, lt=SEEDS)] = 0
    """Determines a run's random numbers: on a CPU the same seed and dataset give the same weights."""
    epochs: Annotated[int, Field(ge=0)] = 0
    minutes: Annotated[float, Field(ge=0)] = 120.0
    """A run ends at whichever bound comes first; 0: no bound. Without either it runs until it is stopped."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 30.0
    """Least time between checkpoints, except for the first, the last and one at a stop."""
    kid_seconds: Annotated[float, Field(ge=0)] = 600.0
    """Least time between measurements of KID; 0: never."""

    @property
    def resolved_recipe(self) -> Recipe:
        """The preset's recipe with the values that `recipe` sets."""
        changes = {name: getattr(self.recipe, name) for name in self.recipe.model_fields_set}
        return PRESETS[self.preset].model_copy(update=changes)


def load(path: Path, **overrides: object) -> Settings:
    """Settings from the table `[gan]` of the TOML file `path` and the environment; see `load_table`."""
    return load_table(Settings, path, "gan", overrides)


def load_resolved(path: Path) -> Settings:
    """The settings that `dumps` wrote; ignores the environment. Raises SettingsError."""
    found = load_table(Settings, path, "gan", environment=False)
    # What the file leaves out did not exist when it was written; the preset must not turn it on now.
    return found.model_copy(update={"recipe": Recipe(**found.recipe.model_dump())})


def dumps(settings: Settings) -> str:
    """The settings as TOML, with every value of the recipe written out."""
    values = settings.model_dump(mode="json") | {"recipe": settings.resolved_recipe.model_dump(mode="json")}
    recipe = values.pop("recipe")
    lines = ["[gan]", *_assignments(values), "", "[gan.recipe]", *_assignments(recipe)]
    return "\n".join(lines) + "\n"


def _assignments(values: dict[str, Any]) -> list[str]:
    # JSON's strings, numbers, booleans and arrays are valid TOML.
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]
