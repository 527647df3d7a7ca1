"""The header of a generator file: what it says of itself, beside its weights. Imports no torch."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from safetensors import SafetensorError, safe_open

from gan.errors import UserError
from gan.words import Vocabulary

ARCHITECTURE = "bag-dreams-2"
"""Name of the network architecture; changes whenever old weights would no longer draw the same."""


class GeneratorError(UserError):
    """A generator file that cannot be used; the message is one line."""


class Header(BaseModel):
    """The metadata `bag-dreams` of generator.safetensors. The file may come from another machine."""

    model_config = ConfigDict(frozen=True, strict=True)

    architecture: str
    shape: dict[str, JsonValue]
    """See `gan.generator.Shape`."""
    epoch: Annotated[int, Field(ge=0, lt=2**31)]
    """Whole epochs trained."""
    version: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{5}$")]
    """See `gan.generator.version_of`. Files are named after it."""
    vocabulary: Vocabulary | None = None
    """The words that steer it; None if none do."""


def read_header(path: Path) -> Header:
    """The header of the generator file `path`. Raises GeneratorError if there is none, or a wrong one."""
    if not path.exists():
        raise GeneratorError(f"no generator at {path}: train one first")
    try:
        if not path.is_file():
            raise OSError("not a file")
        with safe_open(path, "numpy") as file:
            about = (file.metadata() or {}).get("bag-dreams")
    except (OSError, SafetensorError) as error:
        raise GeneratorError(f"{path} is not a generator, or is truncated ({error})") from error
    if about is None:
        raise GeneratorError(f"{path} was not written by this program: it does not say how it was built")
    try:
        header = Header.model_validate_json(about)
    except ValidationError as error:
        raise wrong_header(path, error) from error
    if header.architecture != ARCHITECTURE:
        raise GeneratorError(f"{path} has architecture {header.architecture[:50]!r}, not {ARCHITECTURE}")
    return header


def wrong_header(path: Path, error: ValidationError) -> GeneratorError:
    """The error for a header with a wrong or missing value."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(map(str, first["loc"]))[:50]
    return GeneratorError(f"{path} has a wrong header: {key}: {first['msg']}")
