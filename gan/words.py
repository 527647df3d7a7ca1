"""Words that steer a dream: a dataset's vocabulary, what a text says in it, what a seed adds. No torch here.

A facet (color, category, …) is one kind of word; a bag has at most one word of each. A vocabulary belongs
to a dataset, and to every generator trained on it: a code with words needs nothing but the generator's file.
"""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gan.errors import UserError
from gan.seeds import derived

UNKNOWN = -1
"""In place of a word's number: the picture's word of that facet is not known."""
LONGEST = 200
"""Characters of a text that are read."""
ALIKE = 0.6
"""How alike two words are of which one may be a slip of the other, by difflib, in [0, 1]."""
_FILLERS = """
a an the one some any my your his her our me i we you it please thanks thank want wants would like love need
give get show see make draw dream dreams create with and or of in for to on that this very really
small little tiny mini medium big large huge nice pretty cute beautiful lovely fancy cool simple elegant
new old colored coloured color colour bag bags handbag handbags purse purses
"""
FILLERS = frozenset(_FILLERS.split())
"""Words that say nothing a network could draw, or only how much somebody wants it."""


class WordError(UserError):
    """Words that don't fit a vocabulary; the message is one line."""


class Facet(BaseModel):
    """One kind of word, and in how many pictures each occurs; the words in the order of their numbers."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=20)]
    words: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=24)], ...], Field(max_length=200)]
    counts: tuple[Annotated[int, Field(ge=0)], ...]


@dataclass(frozen=True)
class Said:
    """What a text says: words of the vocabulary, in its order, and what is none of them."""

    words: tuple[str, ...]
    unknown: tuple[str, ...]


class Vocabulary(BaseModel):
    """The words of a dataset. Comes from files, also of other machines: whatever is in one is checked."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    facets: Annotated[tuple[Facet, ...], Field(min_length=1, max_length=8)]
    aliases: dict[str, str] = {}
    """Other names of words, by their slugs: {"grey": "gray"}."""
    sets: Annotated[tuple[tuple[int, ...], ...], Field(max_length=4096)] = ()
    """What pictures are called together: a number (or UNKNOWN) for each facet, then the count of pictures."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        slugs = [slug(word) for word in self.words]
        if "" in slugs or len(set(slugs)) < len(slugs):
            raise ValueError("each word must have a name of its own")
        if any(len(facet.words) != len(facet.counts) for facet in self.facets):
            raise ValueError("each word needs a count")
        for numbers in self.sets:
            *chosen, count = numbers
            if len(chosen) != len(self.sizes) or count < 1:
                raise ValueError("a set has a number for each facet and a count")
            if any(not UNKNOWN <= number < limit for number, limit in zip(chosen, self.sizes, strict=True)):
                raise ValueError("a set has a number that is no word's")
        if any(word not in self._facet_of for word in self.aliases.values()):
            raise ValueError("an alias must be one of a word")
        return self

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words, facet by facet: the order of the inputs of the networks."""
        return tuple(word for facet in self.facets for word in facet.words)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The number of words of each facet."""
        return tuple(len(facet.words) for facet in self.facets)

    def only(self, facets: Collection[str]) -> "Vocabulary | None":
        """The vocabulary of the named facets alone (none named: of all); None if it has none of them."""
        kept = [at for at, facet in enumerate(self.facets) if facet.name in facets or not facets]
        if len(kept) == len(self.facets):
            return self
        if not kept:
            return None
        words = {word for at in kept for word in self.facets[at].words}
        sets: Counter[tuple[int, ...]] = Counter()
        for numbers in self.sets:
            sets[tuple(numbers[at] for at in kept)] += numbers[-1]
        del sets[(UNKNOWN,) * len(kept)]
        return Vocabulary(
            facets=tuple(self.facets[at] for at in kept),
            aliases={name: word for name, word in self.aliases.items() if word in words},
            sets=tuple((*numbers, count) for numbers, count in sets.most_common()),
        )

    def inputs(self, words: Iterable[str]) -> list[float]:
        """What tells the networks these words: 1 for each of them, 0 for all others."""
        said = set(words)
        return [float(word in said) for word in self.words]

    def told(self, inputs: Sequence[float]) -> tuple[str, ...]:
        """The words that inputs tell; on the way between bags, the nearer one's."""
        found, at = [], 0
        for facet in self.facets:
            some = inputs[at : at + len(facet.words)]
            at += len(facet.words)
            if max(some) >= 0.5:
                found.append(facet.words[some.index(max(some))])
        return tuple(found)

    def numbers(self, words: Iterable[str]) -> tuple[int, ...]:
        """Each facet's word among these, by its number in the facet, or UNKNOWN."""
        said = set(words)
        found = ([word in said for word in facet.words] for facet in self.facets)
        return tuple(each.index(True) if any(each) else UNKNOWN for each in found)

    def own(self, seed: int) -> tuple[str, ...]:
        """The words of a seed that nobody gave any: those of a random picture. For ever the same."""
        total = sum(numbers[-1] for numbers in self.sets)
        left = derived(seed, "words") % total if total else 0
        for *chosen, count in self.sets:
            if left < count:
                return tuple(
                    facet.words[number]
                    for facet, number in zip(self.facets, chosen, strict=True)
                    if number != UNKNOWN
                )
            left -= count
        return ()

    def filled(self, seed: int, words: Sequence[str]) -> tuple[str, ...]:
        """The words, and of each facet that they don't speak of, the seed's own. Raises WordError."""
        spoken = {self._facet_of[word] for word in self.ordered(words)}
        rest = (word for word in self.own(seed) if self._facet_of[word] not in spoken)
        return self.ordered([*words, *rest])

    def ordered(self, words: Iterable[str]) -> tuple[str, ...]:
        """Words in the vocabulary's order, each once. Raises WordError for one that is not in it, or for two
        of one facet.
        """
        chosen = set(words)
        for word in chosen:
            if word not in self._facet_of:
                raise WordError(f"{word!r} is none of this generator's words")
        for facet in self.facets:
            both = [word for word in facet.words if word in chosen]
            if len(both) > 1:
                raise WordError(f"{' and '.join(both)} are both a {facet.name}: a bag has one")
        return tuple(word for word in self.words if word in chosen)

    def facet(self, word: str) -> Facet:
        """The facet of one of the words. Raises KeyError."""
        return self.facets[self._facet_of[word]]

    def in_code(self, words: Sequence[str]) -> str:
        """Words as the end of a code, in the vocabulary's order: `red-laptop-bag`. Raises WordError."""
        return "-".join(slug(word) for word in self.ordered(words))

    def of_code(self, text: str) -> tuple[str, ...]:
        """The words that the end of a code names, in any order. Raises WordError."""
        said = self.said(text.replace("-", " "))
        if said.unknown:
            raise WordError(f"{said.unknown[0]!r} is none of this generator's words")
        return said.words

    def said(self, text: str) -> Said:
        """What a text says, whatever the order, case, accents and plural, by names or aliases.

        Raises WordError if it says two words of one facet.
        """
        tokens = [token for token in slug(text[:LONGEST]).split("-") if token]
        words: list[str] = []
        # What has no letter from a to z has no slug, and is no word of any vocabulary.
        unknown = [piece for piece in text[:LONGEST].split() if piece.isalpha() and not slug(piece)]
        at = 0
        while at < len(tokens):
            for size in range(min(self._longest_name, len(tokens) - at), 0, -1):
                if (word := self._named(tokens[at : at + size])) is not None:
                    words.append(word)
                    break
            else:
                size = 1
                if tokens[at] not in FILLERS:
                    unknown.append(tokens[at])
            at += size
        return Said(self.ordered(words), tuple(dict.fromkeys(unknown)))

    def nearest(self, text: str) -> str | None:
        """The word that a text may be a slip of; None if it resembles none."""
        close = difflib.get_close_matches(slug(text[:LONGEST]), self._names, 1, ALIKE)
        return self._names[close[0]] if close else None

    def _named(self, tokens: Sequence[str]) -> str | None:
        name = "-".join(tokens)
        return next((self._names[each] for each in _singular(name) if each in self._names), None)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The word of each slug and alias; a word's own name goes before an alias."""
        return {slug(name): word for name, word in self.aliases.items()} | {
            slug(word): word for word in self.words
        }

    @cached_property
    def _longest_name(self) -> int:
        return max(name.count("-") + 1 for name in self._names)

    @cached_property
    def _facet_of(self) -> dict[str, int]:
        return {word: at for at, facet in enumerate(self.facets) for word in facet.words}


def slug(text: str) -> str:
    """A text in lower case, a–z and 0–9, its words joined by hyphens: `hermes` for "Hermès"."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", plain)).strip("-")


def _singular(name: str) -> list[str]:
    """A name, and what it may be the plural of."""
    return [name, *(name.removesuffix(end) for end in ("s", "es") if name.endswith(end))]
