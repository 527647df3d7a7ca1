"""Codes: the short names by which people talk about designs.

A code is `VERSION-NAME`: the generator's version and the design's name. A name of digits (`k3f9x2-42`) is the
seed of the latent z; after it stand the words that somebody said (`k3f9x2-42-red-tote`), in the order of the
generator's vocabulary (see `gan.words`). A name of a letter and seven more characters (`k3f9x2-q7h2m0ab`)
belongs to a bred design: it is derived from how the design was bred, and the store has its latent.
A code always draws exactly the same bag.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass

from gan.seeds import SEEDS

_WORDS = r"(?:-[a-z0-9]+)*"
CODE_PATTERN = rf"[a-z][a-z0-9]{{3,7}}-(?:[0-9]{{1,10}}{_WORDS}|[a-z][a-z0-9]{{7}})"
LONGEST = 76
"""Characters of a code: with a number before it, it fits on a button (80)."""
_CODE = re.compile(CODE_PATTERN)
_SEEDED = re.compile(rf"([0-9]+)({_WORDS})")
_NAMED = rf"[#`]*(?:{CODE_PATTERN}|[0-9]+{_WORDS})`*"
_BETWEEN = re.compile(rf"(?<![\w#`-])({_NAMED})\s*(?:[,;&+→]|->|and\b)\s*(?={_NAMED}(?!\w))", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_CHARACTERS = string.ascii_lowercase + string.digits

FRESH = 1_000_000
"""Random seeds stay below this: a short code is easier to say than one with ten digits."""


class CodeError(ValueError):
    """The text is neither a code nor a seed; the message is that text."""


@dataclass(frozen=True, order=True)
class Code:
    """A design's name: generator version, and a seed (0 ≤ seed < 2³², in digits) or a bred design's name."""

    version: str
    name: str
    words: str = ""
    """Those that were said with a seed, as the end of the code: `red-tote`."""

    def __str__(self) -> str:
        return f"{self.version}-{self.name}" + (f"-{self.words}" if self.words else "")

    @property
    def seed(self) -> int | None:
        """The seed of its latent; None for a bred design."""
        return int(self.name) if self.name.isdigit() else None

    @classmethod
    def of(cls, text: str) -> Code:
        """Parse a full code. Raises CodeError."""
        code = parse(text, "")
        if not code.version:
            raise CodeError(text)
        return code

    @classmethod
    def seeded(cls, version: str, seed: int, words: str = "") -> Code:
        """The design of a seed, 0 ≤ seed < 2³², and of words as a code has them."""
        return cls(version, str(seed), words)

    @classmethod
    def bred(cls, kind: str, parents: Sequence[Code], seed: int, version: str = "") -> Code:
        """The design that a breeding gives; the same kind, parents and seed always give the same one.

        Without parents, it is one of the generator `version`.

        Among a million designs of one generator, the chance that any two share a name is 1 in 5; the older
        one keeps it.
        """
        recipe = " ".join([kind, *(map(str, parents) if parents else [version]), str(seed)])
        number = int.from_bytes(hashlib.sha256(recipe.encode()).digest())
        number, letter = divmod(number, len(string.ascii_lowercase))
        name = string.ascii_lowercase[letter]
        for _ in range(7):
            number, character = divmod(number, len(_CHARACTERS))
            name += _CHARACTERS[character]
        return cls(parents[0].version if parents else version, name)


def bare(text: str) -> str:
    """A code or seed without what people put around and into it: `#42`, “42”, `42,`, 4,294,967,295."""
    text = text.strip(" \t\r\n`'\"“”‘’#,;.<>()[]*|").lower()
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def apart(text: str) -> str:
    """Codes and seeds with only spaces between them: `42 7` for "42, 7" and "42 and 7"."""
    return _BETWEEN.sub(r"\1 ", text)


def parse(text: str, current: str) -> Code:
    """Parse a full code, or a seed with or without words (`42-red`) for the generator version `current`.

    Whether the generator knows the words is for others to say. Raises CodeError.
    """
    text = bare(text)
    version, name = current, text
    if _CODE.fullmatch(text):
        version, _, name = text.partition("-")
    seeded = _SEEDED.fullmatch(name)
    if seeded is None and name == text:
        raise CodeError(text)
    if seeded is None:
        return Code(version, name)
    seed, words = seeded.groups()
    # Count the digits first: int() of a million of them takes seconds.
    if len(seed) > len(str(SEEDS)) or int(seed) >= SEEDS:
        raise CodeError(text)
    code = Code.seeded(version, int(seed), words.removeprefix("-"))
    if len(str(code)) > LONGEST:
        raise CodeError(text)
    return code


def is_code(text: str) -> bool:
    """Whether a text is a code or a seed."""
    try:
        parse(text, "")
    except CodeError:
        return False
    return True


def fresh(version: str) -> Code:
    """The design of a random seed."""
    return Code.seeded(version, fresh_seed())


def fresh_seed() -> int:
    """A random seed, 0 ≤ seed < FRESH."""
    return secrets.randbelow(FRESH)
