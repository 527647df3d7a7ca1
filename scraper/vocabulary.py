"""Chooses the words of a dataset from the tags of its pictures: what can be said to steer a dream.

words.json has the vocabulary, words.npy each picture's words; `gan.words` reads them. A facet, such as color,
is one kind of word, and a picture has at most one word of each.
"""

import json
import re
import textwrap
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scraper.tags import ALIASES, BAGS, CATEGORIES, COLORS, KNOWN_BRANDS, MATERIALS, key

VERSION: Final = 1
FACETS: Final = ("color", "category", "brand", "material")
LEAST_PICTURES: Final = 30
"""A word needs this many pictures."""
LEAST_WORDS: Final = 2
LEAST_SHARE: Final = 0.3
"""A facet needs two words, and this share of all pictures must have one of them: a network that sees a facet
more rarely learns little of it.
"""
MOST_WORDS: Final = 200
LONGEST_WORD: Final = 24
SPELLED: Final = 3
"""A brand's other spelling is an alias if at least this many pictures have it; fewer are slips."""
UNKNOWN: Final = -1
HANDBAG: Final = "handbag"
"""The word for what shops call just "bag": whoever asks for "a red bag" wants any kind."""
NAMES: Final = {
    "color": COLORS,
    "category": CATEGORIES | {HANDBAG: BAGS["bag"].removeprefix("bag|")},
    "material": MATERIALS,
}
"""By facet, all names of each word, separated by `|`."""


class Words:
    """The tags of pictures, gathered row by row: 16 bytes per picture, and each distinct tag once."""

    def __init__(self) -> None:
        self.numbers: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
        self.rows = array("i")

    def add(self, tags: Mapping[str, str]) -> None:
        """Adds the next picture's tags; empty ones are unknown."""
        for facet, numbers in self.numbers.items():
            self.rows.append(numbers.setdefault(tags[facet], len(numbers)))

    def write(self, folder: Path) -> dict[str, int]:
        """Writes words.json and words.npy (int16 [N, F]: the number of each picture's word, or -1).

        Returns the number of words by facet. Writes neither if no facet has enough words.
        """
        columns = np.frombuffer(self.rows, np.intc).reshape(-1, len(FACETS)).T
        facets: dict[str, dict[str, int]] = {}
        chosen = []
        aliases: dict[str, str] = {}
        taken: set[str] = set()
        for (facet, numbers), column in zip(self.numbers.items(), columns, strict=True):
            counts = dict(zip(numbers, np.bincount(column, minlength=len(numbers)).tolist(), strict=True))
            meanings = words_of(facet, counts)
            words = frequent(meanings, counts, taken)
            if len(words) < LEAST_WORDS or sum(words.values()) < LEAST_SHARE * len(column):
                continue
            taken |= set(map(slug, words))
            facets[facet] = words
            chosen.append(numbered(column, [meanings.get(tag, "") for tag in numbers], list(words)))
            for name, word in other_names(facet, meanings, counts):
                if word in words:
                    aliases.setdefault(name, word)
        if facets:
            about = {
                "version": VERSION,
                "facets": [
                    {"name": facet, "words": list(words), "counts": list(words.values())}
                    for facet, words in facets.items()
                ],
                "aliases": {name: word for name, word in sorted(aliases.items()) if name not in taken},
            }
            (folder / "words.json").write_text(json.dumps(about, ensure_ascii=False) + "\n", "utf-8")
            np.save(folder / "words.npy", np.stack(chosen, axis=1))
        return {facet: len(words) for facet, words in facets.items()}


def numbered(column: NDArray[np.intc], meanings: list[str], words: list[str]) -> NDArray[np.int16]:
    """Each picture's word by its number among `words`, or UNKNOWN; `meanings` are those of the tags."""
    place = {word: number for number, word in enumerate(words)}
    return np.array([place.get(word, UNKNOWN) for word in meanings], np.int16)[column]


def words_of(facet: str, counts: Mapping[str, int]) -> dict[str, str]:
    """Maps each tag to its word: lines of a brand to their house, others to themselves."""
    tags = [tag for tag in counts if tag]
    meanings = houses(counts) if facet == "brand" else {tag: tag for tag in tags}
    if facet == "category" and "bag" in meanings:
        meanings["bag"] = HANDBAG
    return {
        tag: textwrap.shorten(short(word), LONGEST_WORD, placeholder="") for tag, word in meanings.items()
    }


def frequent(meanings: Mapping[str, str], counts: Mapping[str, int], taken: set[str]) -> dict[str, int]:
    """The words that enough pictures have, and how many; the most frequent first.

    A word needs a letter of the Latin alphabet to be typed, and a name that is not `taken`.
    """
    found: Counter[str] = Counter()
    for tag, word in meanings.items():
        found[word] += counts[tag]
    words: dict[str, int] = {}
    names = set(taken)
    for word, count in sorted(found.items(), key=lambda each: (-each[1], each[0])):
        name = slug(word)
        if count >= LEAST_PICTURES and len(words) < MOST_WORDS and re.search("[a-z]", name):
            if name not in names:
                words[word] = count
            names.add(name)
    return words


def houses(counts: Mapping[str, int]) -> dict[str, str]:
    """Maps brands to their houses: "Adidas Originals" is Adidas, "See by Chloé" Chloé, "Mod-acc" Mod'acc.

    A known brand is its own house. Any other belongs to the known one that its name begins or ends with;
    else, if it is rare itself, to a frequent one that it begins with.
    """
    spelled: dict[str, Counter[str]] = {}
    for tag, count in counts.items():
        if key(tag):
            spelled.setdefault(key(tag), Counter())[tag] += count
    house = {name: KNOWN_BRANDS.get(name) or max(tags, key=lambda tag: (tags[tag], tag))
             for name, tags in spelled.items()}  # fmt: skip
    often = {name for name, tags in spelled.items() if tags.total() >= LEAST_PICTURES}

    def of(tag: str) -> str:
        name, parts = key(tag), tag.split()
        if name not in KNOWN_BRANDS:
            begin = [key(" ".join(parts[:size])) for size in range(1, len(parts))]
            end = [key(" ".join(parts[size:])) for size in range(1, len(parts))]
            for known in (*begin, *end):
                if known in KNOWN_BRANDS:
                    return KNOWN_BRANDS[known]
            if name not in often:
                return next((house[each] for each in begin if each in often), house[name])
        return house[name]

    return {tag: of(tag) for tags in spelled.values() for tag in tags}


def short(word: str) -> str:
    """A brand's shorter name if its own is too long for a word."""
    if len(word) <= LONGEST_WORD:
        return word
    return next((alias for alias, brand in ALIASES.items() if brand == word), word)


def other_names(
    facet: str, meanings: Mapping[str, str], counts: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Other names of words, as slugs: ("grey", "gray"). One may be that of another facet's word too."""
    for word, names in NAMES.get(facet, {}).items():
        yield from ((slug(name), word) for name in names.split("|"))
    if facet != "brand":
        return
    for alias, brand in ALIASES.items():
        yield slug(alias), short(brand)
    for tag, word in meanings.items():
        if counts[tag] >= SPELLED:
            for name in (tag, tag.replace(".", ""), tag.replace("&", " and ")):
                yield slug(name), word


def slug(text: str) -> str:
    """A text in lower case, a–z and 0–9, its words joined by hyphens: "hermes" for "Hermès".

    As in `gan.words`, which this package does not import.
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    base = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", base)).strip("-")
