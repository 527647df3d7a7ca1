"""Codes: the short names by which people talk about designs.

A code is `VERSION-SEED`, such as `k3f9x2-42`: the generator's version and the seed of the latent z.
It draws the very same bag for ever.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from gan.seeds import SEEDS

CODE_PATTERN = r"(?P<version>[a-z][a-z0-9]{3,7})-(?P<seed>[0-9]{1,10})"
_CODE = re.compile(CODE_PATTERN)

FRESH = 1_000_000
"""Random seeds stay below this: a short code is easier to say than one of ten digits."""


class CodeError(ValueError):
    """What was typed is neither a code nor a seed; the message says what would be."""


@dataclass(frozen=True, order=True)
class Code:
    """A design's name: generator version and seed (0 ≤ seed < 2³²)."""

    version: str
    seed: int

    def __str__(self) -> str:
        return f"{self.version}-{self.seed}"

    @classmethod
    def of(cls, text: str) -> Code:
        """Read a whole code. Raises CodeError."""
        code = parse(text, "")
        if not code.version:
            raise CodeError(text)
        return code


def parse(text: str, current: str) -> Code:
    """Read a code, or a bare seed of the `current` generator version. Raises CodeError."""
    text = text.strip().strip("`").lower()
    match = _CODE.fullmatch(text)
    version, seed = (match["version"], match["seed"]) if match else (current, text)
    if not (seed.isascii() and seed.isdigit()):
        raise CodeError(text)
    # Digits are counted first: int() of a million of them takes seconds.
    if len(seed) > len(str(SEEDS)) or int(seed) >= SEEDS:
        raise CodeError(text)
    return Code(version, int(seed))


def fresh(version: str) -> Code:
    """A design nobody has asked for yet, by a random seed."""
    return Code(version, secrets.randbelow(FRESH))
