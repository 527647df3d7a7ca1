"""Smooth, softly lit shapes in Pillow, of which the drawn bags are made.

A bag is a list of parts in its own units (x to the right, y down); `render` fits them into a frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from bot.demo.shop.prints import PRINTS

RGB = tuple[int, int, int]
Points = npt.NDArray[np.float64]
"""float [n, 2], in the bag's units."""

_SUPERSAMPLE = 2
_FILL = 0.77
_SHADE = 48
_FAINT = [64 * (value > 127) for value in range(256)]
"""The point table that turns a mask into a light shadow."""


@dataclass(frozen=True)
class Print:
    """The pattern on a piece: one of `PRINTS`, its color and the distance between repeats, in bag units."""

    kind: str
    color: RGB
    pitch: float


@dataclass(frozen=True)
class Piece:
    """A filled, shaded shape; with `lift` > 0 (bag units) it casts a shadow on what is below it."""

    outline: Points
    color: RGB
    print: Print | None = None
    stitch: RGB | None = None
    lift: float = 0.0
    flat: bool = False


@dataclass(frozen=True)
class Strap:
    """A tube along a line, `width` in bag units: a handle, strap, seam or chain (`links`)."""

    line: Points
    color: RGB
    width: float
    links: bool = False


@dataclass
class Bag:
    """The parts of one bag, from back to front."""

    parts: list[Piece | Strap] = field(default_factory=list)

    def piece(
        self,
        outline: Points,
        color: RGB,
        pattern: Print | None = None,
        *,
        stitch: RGB | None = None,
        lift: float = 0.0,
        flat: bool = False,
    ) -> None:
        self.parts.append(Piece(outline, color, pattern, stitch, lift, flat))

    def strap(self, line: Points, color: RGB, width: float, *, links: bool = False) -> None:
        self.parts.append(Strap(line, color, width, links))


def blend(a: RGB, b: RGB, amount: float) -> RGB:
    """The color that is `amount`, in [0, 1], of the way from a to b."""
    red, green, blue = (round(x + (y - x) * amount) for x, y in zip(a, b, strict=True))
    return red, green, blue


def darker(color: RGB, amount: float = 0.35) -> RGB:
    return blend(color, (16, 10, 12), amount)


def lighter(color: RGB, amount: float = 0.35) -> RGB:
    return blend(color, (255, 252, 246), amount)


def curve(start: Sequence[float], *segments: Sequence[float]) -> Points:
    """A line from `start` [2]; a segment is the flat x, y… of a line [2] or a Bézier [4 or 6]."""
    points = [np.array([start], dtype=float)]
    for segment in segments:
        controls = np.vstack([points[-1][-1:], np.array(segment, dtype=float).reshape(-1, 2)])
        points.append(_bernstein(len(controls) - 1) @ controls)
    return np.vstack(points)


@cache
def _bernstein(degree: int) -> npt.NDArray[np.float64]:
    """Weights of a Bézier's control points along it, without its start: float [steps, degree + 1]."""
    steps = 1 if degree == 1 else 22
    t = np.linspace(0, 1, steps + 1)[1:]
    return np.stack(
        [math.comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)], axis=1
    )


def mirrored(half: Points) -> Points:
    """The closed outline whose right half (from top to bottom) is `half`."""
    return np.vstack([half, half[::-1] * [-1, 1]])


def rounded(corners: Iterable[tuple[float, float, float]]) -> Points:
    """A closed polygon with (x, y, radius) corners, each rounded."""
    spots = list(corners)
    pieces = []
    for index, (x, y, radius) in enumerate(spots):
        corner = np.array([x, y])
        ends = []
        for other in (spots[index - 1], spots[(index + 1) % len(spots)]):
            away = np.array(other[:2]) - corner
            length = float(np.hypot(*away)) or 1.0
            ends.append(corner + away / length * min(radius, length / 2))
        pieces.append(curve(ends[0], [*corner, *ends[1]]))
    return np.vstack(pieces)


def taper(half: float, foot: float, top: float, bottom: float, *radii: float, x: float = 0.0) -> Points:
    """A trapezoid centered on `x`; `half` and `foot` are half its width at the top and at the bottom.

    `radii` is one corner radius for all, or one for the top and one for the bottom.
    """
    high, low = radii[0], radii[-1]
    return rounded(
        [(x - half, top, high), (x + half, top, high), (x + foot, bottom, low), (x - foot, bottom, low)]
    )


def ellipse(x: float, y: float, rx: float, ry: float | None = None) -> Points:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + (ry or rx) * np.sin(angle)], axis=1)


def loop(outline: Points) -> Points:
    """The closed outline as a line that returns to its start."""
    return np.vstack([outline, outline[:1]])


def arch(x: float, y: float, half: float, height: float) -> Points:
    """A handle: up from (x - half, y), over, and down to (x + half, y)."""
    top = y - height * 1.33
    return curve((x - half, y), (x - half * 0.92, top, x + half * 0.92, top, x + half, y))


def render(bag: Bag, width: int, height: int) -> Image.Image:
    """`bag` as a product photo: RGB, `width` × `height` pixels, on white with a soft ground shadow."""
    everything = np.vstack([p.line if isinstance(p, Strap) else p.outline for p in bag.parts])
    low, high = everything.min(0), everything.max(0)
    full = np.array([width, height]) * _SUPERSAMPLE
    scale = float((full * _FILL / (high - low)).min())
    painter = _Painter(
        Image.new("RGB", (int(full[0]), int(full[1])), "white"), scale, full / 2 - (low + high) / 2 * scale
    )
    painter.ground(low, high)
    for part in bag.parts:
        if isinstance(part, Strap):
            painter.strap(part)
        else:
            painter.piece(part)
    return painter.image.reduce(_SUPERSAMPLE)


@cache
def _light() -> npt.NDArray[np.float64]:
    """How light from the upper left falls on softly stuffed leather: float [48, 48] in [0, 1]."""
    v, u = np.meshgrid(np.linspace(0, 1, _SHADE), np.linspace(-1, 1, _SHADE), indexing="ij")
    glow = np.exp(-((u + 0.38) ** 2) / 0.10 - (v - 0.32) ** 2 / 0.22)
    rim = np.exp(-((u - 0.78) ** 2) / 0.02 - (v - 0.5) ** 2 / 0.3)
    light = 0.52 - 0.26 * np.abs(u) ** 3 - 0.24 * v**1.6 + 0.36 * glow + 0.07 * rim
    return np.asarray(light.clip(0, 1))


@lru_cache(maxsize=512)
def _tones(color: RGB, flat: bool) -> Image.Image:
    """`color` under the light, RGB, 48 × 48 pixels: from dark through `color` itself at 0.5 to bright."""
    light = (0.5 + (_light() - 0.5) * (0.35 if flat else 1.0))[..., None]
    deep, base, bright = (np.array(c, dtype=float) for c in (darker(color, 0.55), color, lighter(color, 0.6)))
    pixels = np.where(light < 0.5, deep + (base - deep) * light * 2, base + (bright - base) * (light * 2 - 1))
    return Image.fromarray(pixels.round().astype(np.uint8))


def _lit(color: RGB, flat: bool, size: tuple[int, int]) -> Image.Image:
    """`color` under the light, `size` pixels large."""
    coarse = (size[0] // 4 + 1, size[1] // 4 + 1)  # smooth anyway, and several times cheaper than in full
    return (
        _tones(color, flat).resize(coarse, Image.Resampling.BILINEAR).resize(size, Image.Resampling.NEAREST)
    )


class _Painter:
    def __init__(self, image: Image.Image, scale: float, shift: Points) -> None:
        self.image = image
        self._scale = scale
        self._shift = shift
        self._draw = ImageDraw.Draw(image)

    def _pixels(self, points: Points) -> Points:
        return points * self._scale + self._shift

    def ground(self, low: Points, high: Points) -> None:
        """A soft shadow where the bag stands."""
        (left, _), (right, bottom) = self._pixels(np.array([low, high]))
        width, height = int((right - left) * 1.06), int((right - left) * 0.17)
        v, u = np.meshgrid(np.linspace(-1, 1, 24), np.linspace(-1, 1, 64), indexing="ij")
        strength = np.exp(-2.4 * u**4 - 4.5 * v**2) * 120 * (1 - u**2) * (1 - v**2)
        mask = Image.fromarray(strength.clip(0, 255).astype(np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        place = (int((left + right - width) / 2), int(bottom - height * 0.54))
        self.image.paste((70, 62, 66), place, mask)

    def piece(self, piece: Piece) -> None:
        outline = self._pixels(piece.outline)
        left, top = np.floor(outline.min(0)).astype(int) - 2
        right, bottom = np.ceil(outline.max(0)).astype(int) + 3
        size = (int(right - left), int(bottom - top))
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon(_flat(outline - [left, top]), fill=255)
        if piece.lift:
            drop = piece.lift * self._scale
            place = (int(left + drop * 0.35), int(top + drop * 0.8))
            self.image.paste((22, 14, 16), place, mask.point(_FAINT))
        fill = _lit(piece.color, piece.flat, size)
        if piece.print:
            motif = Image.new("L", size)
            pen = ImageDraw.Draw(motif)
            PRINTS[piece.print.kind](pen, size, max(6.0, piece.print.pitch * self._scale))
            fill.paste(_lit(piece.print.color, piece.flat, size), (0, 0), motif)
        self.image.paste(fill, (int(left), int(top)), mask)
        edge = max(2, round(0.014 * self._scale))
        self._draw.line(_flat(np.vstack([outline, outline[:2]])), fill=darker(piece.color, 0.5), width=edge)
        if piece.stitch:
            self._stitches(_inset(outline, 0.05 * self._scale), piece.stitch)

    def _stitches(self, line: Points, color: RGB) -> None:
        width = max(2, round(0.012 * self._scale))
        for start, end in _dashes(line, 0.045 * self._scale, 0.03 * self._scale):
            self._draw.line([start, end], fill=color, width=width)

    def strap(self, strap: Strap) -> None:
        line = self._pixels(strap.line)
        width = max(2.0, strap.width * self._scale)
        if strap.links:
            self._links(line, strap.color, width)
            return
        for color, thickness, lift in (
            (darker(strap.color, 0.55), width, 0.0),
            (strap.color, width * 0.72, -0.02),
            (lighter(strap.color, 0.35), width * 0.2, -0.14),
        ):
            self._tube(line + lift * width, color, max(1.0, thickness))

    def _tube(self, line: Points, color: RGB, thickness: float) -> None:
        r = thickness / 2
        along = np.gradient(line, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.hypot(*along.T).clip(1e-9)[:, None] * r
        sides = np.vstack([line + normal, (line - normal)[::-1]])
        self._draw.polygon(_flat(sides), fill=color)
        for x, y in (line[0], line[-1]):
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def _links(self, line: Points, color: RGB, width: float) -> None:
        for index, (start, end) in enumerate(_dashes(line, width * 1.1, width * 0.05)):
            x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
            r = width * (0.62 if index % 2 else 0.44)
            self._draw.ellipse(
                (x - r, y - r, x + r, y + r), outline=darker(color, 0.45), width=max(2, round(width * 0.34))
            )
            self._draw.ellipse((x - r, y - r, x + r, y + r), outline=color, width=max(1, round(width * 0.2)))


def _flat(points: Points) -> list[float]:
    """x, y, x, y…: what Pillow draws fastest."""
    flat: list[float] = points.ravel().tolist()
    return flat


def _inset(outline: Points, distance: float) -> Points:
    """The closed outline moved inward by `distance`, whether it runs clockwise or not."""
    distinct = outline[np.hypot(*(outline - np.roll(outline, 1, 0)).T) > 1e-6]
    along = np.roll(distinct, -1, 0) - np.roll(distinct, 1, 0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.hypot(*along.T).clip(1e-9)[:, None]
    x, y = distinct.T
    clockwise = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0
    moved = distinct + normal * distance * (1 if clockwise else -1)
    return np.vstack([moved, moved[:1]])


def _dashes(
    line: Points, dash: float, gap: float
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    starts = np.arange(gap, travelled[-1] - dash, dash + gap)
    where = np.concatenate([starts, starts + dash])
    spots = np.stack([np.interp(where, travelled, line[:, axis]) for axis in (0, 1)], 1)
    for a, b in zip(spots[: len(starts)], spots[len(starts) :], strict=True):
        yield (float(a[0]), float(a[1])), (float(b[0]), float(b[1]))
