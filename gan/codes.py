"""What people type for a bag: its number, what it should be, or both as in its code `VERSION-42-red-tote`."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.errors import UserError
from gan.generator import Generator
from gan.words import WordError

_CODE = re.compile(r"(?:([a-z][a-z0-9]{5})-)?([0-9]{1,20})(?:-([a-z0-9-]+))?")


class CodeError(UserError):
    """A text that names no bag of a generator; the message is one line."""


@dataclass(frozen=True)
class Bag:
    """A bag of a generator: its seed, and the words that somebody said."""

    seed: int
    words: tuple[str, ...] = ()

    def name(self, generator: Generator) -> str:
        """Its code without the version: `42-red-tote`. Raises WordError."""
        if not self.words or generator.vocabulary is None:
            return str(self.seed)
        return f"{self.seed}-{generator.vocabulary.in_code(self.words)}"


def bag(text: str, generator: Generator) -> Bag:
    """The bag of a number, or of a code with or without the version. Raises CodeError or WordError."""
    found = _CODE.fullmatch(text)
    if found is None:
        raise CodeError(f"{text[:50]!r} is neither a number nor a code such as {generator.version}-42")
    version, seed, words = found.groups()
    if version not in (None, generator.version):
        raise CodeError(f"{text[:50]!r} is of another generator than {generator.version}")
    return Bag(int(seed), words_of(words.replace("-", " "), generator) if words else ())


def words_of(text: str, generator: Generator) -> tuple[str, ...]:
    """The words that a text says. Raises WordError for those that the generator can't draw."""
    if generator.vocabulary is None:
        if text.strip():
            raise WordError("this generator knows no words")
        return ()
    said = generator.vocabulary.said(text)
    if said.unknown:
        known = ", ".join(generator.vocabulary.words)
        raise WordError(f"{said.unknown[0][:50]!r} is none of this generator's words: {known}")
    return said.words


def latents(bags: list[Bag], generator: Generator) -> Tensor:
    """The bags' latents, float [n, z + w]. Raises SeedError."""
    return torch.cat([generator.latents([bag.seed], bag.words) for bag in bags])
