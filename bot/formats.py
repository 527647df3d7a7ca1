"""Small parts of sentences: time spans, counts, and text of others made safe to print."""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""Emoji and some scripts need them."""


def duration(seconds: float) -> str:
    """A time span as people say it: "45 s", "12 min", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def counted(number: int, what: str) -> str:
    """`1 bag`, `2,000 bags`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def escaped(name: str) -> str:
    """Somebody's name for Discord: one line without markdown, links, mentions or turns of direction."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", _plain(name)[:80])


def _plain(text: str) -> str:
    """One line without control and format characters, such as those that turn the direction of writing."""
    shown = (
        c for c in " ".join(text.split()) if c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf")
    )
    return " ".join("".join(shown).split())


def printable(text: str) -> str:
    """A stranger's name, at most 80 characters, without anything that moves a terminal's cursor."""
    return "".join(character for character in text if character.isprintable())[:80]


def short(text: str, length: int = 60) -> str:
    """One line of at most `length` characters, without backticks, so that it can be quoted in Discord."""
    text = _plain(text.replace("`", "'"))
    return text if len(text) <= length else text[: length - 1] + "…"
