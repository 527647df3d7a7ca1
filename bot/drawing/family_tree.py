"""The family tree of a design, as a picture: itself at the foot, its ancestors above, founders at the top."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

SIDE = 128
"""Pixels of a thumbnail; the design itself is larger."""
SELF = 192
GAP = 28
"""Between neighbors."""
LABEL, LINE_HEIGHT = 10, 18
"""Room under a thumbnail for each line of its code, and around them."""
LINE_LENGTH = 17
"""Characters of a code in a line."""
RISE = 56
"""Between generations, for the lines."""
MARGIN = 24

INK, FAINT, LINE = "#26262c", "#5a5a66", "#c9c9d2"


@dataclass
class _Member:
    name: str
    parents: list[_Member]
    generation: int
    x: float = 0
    """Middle, in pixels."""
    width: float = field(init=False, default=0)

    @property
    def side(self) -> int:
        return SIDE if self.generation else SELF


def draw_tree(
    name: str, parents: Mapping[str, Sequence[str]], pictures: Mapping[str, Image.Image]
) -> Image.Image:
    """The tree of the design `name` by its members' parents and pictures (any size, square), on white.

    An ancestor on both sides is shown on both. The parents of members without an entry are not shown.
    """
    root = _member(name, parents, 0, {name})
    _measure(root)
    _place(root, MARGIN)
    generations = _generations(root)
    lines = max(len(_lines(member)) for member in pictures)
    foot = MARGIN + generations * (SIDE + _label(lines) + RISE)
    height = foot + SELF + _label(len(_lines(name))) + MARGIN
    sheet = Image.new("RGB", (round(root.width + 2 * MARGIN), height), "white")
    _draw(sheet, root, foot, lines, pictures)
    return sheet


def _label(lines: int) -> int:
    return LABEL + LINE_HEIGHT * lines


def _lines(code: str) -> list[str]:
    """A code in lines: its words, if it has any, below the rest."""
    version, name, *words = code.split("-")
    return [f"{version}-{name}", *textwrap.wrap(" ".join(words), LINE_LENGTH)]


def _member(name: str, parents: Mapping[str, Sequence[str]], generation: int, seen: set[str]) -> _Member:
    # Nobody is their own ancestor, whatever a store says.
    both = [parent for parent in dict.fromkeys(parents.get(name, ())) if parent not in seen]
    return _Member(name, [_member(one, parents, generation + 1, seen | {one}) for one in both], generation)


def _measure(member: _Member) -> None:
    for parent in member.parents:
        _measure(parent)
    above = sum(parent.width for parent in member.parents) + GAP * max(len(member.parents) - 1, 0)
    member.width = max(member.side, above)


def _place(member: _Member, left: float) -> None:
    above = sum(parent.width for parent in member.parents) + GAP * max(len(member.parents) - 1, 0)
    at = left + (member.width - above) / 2
    for parent in member.parents:
        _place(parent, at)
        at += parent.width + GAP
    middles = [parent.x for parent in member.parents]
    member.x = sum(middles) / len(middles) if middles else left + member.width / 2


def _generations(member: _Member) -> int:
    return max((1 + _generations(parent) for parent in member.parents), default=0)


def _draw(
    sheet: Image.Image, member: _Member, top: int, lines: int, pictures: Mapping[str, Image.Image]
) -> None:
    pen = ImageDraw.Draw(sheet)
    above = top - RISE - _label(lines) - SIDE
    for parent in member.parents:
        half = top - RISE // 2
        end = above + SIDE + _label(len(_lines(parent.name)))
        points = [(member.x, top), (member.x, half), (parent.x, half), (parent.x, end)]
        pen.line(points, fill=LINE, width=3, joint="curve")
        _draw(sheet, parent, above, lines, pictures)
    picture = pictures[member.name].resize((member.side, member.side), Image.Resampling.LANCZOS)
    corner = (round(member.x - member.side / 2), top)
    sheet.paste(picture, corner)
    box = (corner[0] - 1, corner[1] - 1, corner[0] + member.side, corner[1] + member.side)
    pen.rounded_rectangle(box, radius=6, outline=INK if member.generation == 0 else LINE, width=2)
    pen.text(
        (member.x, top + member.side + 4),
        "\n".join(_lines(member.name)),
        INK if member.generation == 0 else FAINT,
        ImageFont.load_default(20 if member.generation == 0 else 15),
        anchor="ma",
        align="center",
    )
