"""The nine shapes of drawn bags."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from bot.demo.shop.canvas import (
    RGB,
    Bag,
    Print,
    arch,
    blend,
    curve,
    darker,
    ellipse,
    lighter,
    loop,
    mirrored,
    rounded,
    taper,
)


@dataclass(frozen=True)
class Look:
    """What is chosen for a bag before it is drawn; `random` gives its measures, in bag units."""

    random: random.Random
    body: RGB
    trim: RGB
    hardware: RGB
    print: str | None

    def pattern(self) -> Print | None:
        """The print on the body, if any."""
        if self.print is None:
            return None
        color = self.trim
        if self.print == "quilted":
            color = darker(self.body, 0.5)
        elif self.print == "monogram":
            color = blend(self.body, color, 0.7)
        return Print(self.print, color, self.random.uniform(0.2, 0.3))

    def quilting(self) -> Print | None:
        """The print on a flap: quilting is the only one that covers it."""
        return self.pattern() if self.print == "quilted" else None

    def stitch(self) -> RGB:
        return darker(self.body, 0.45) if sum(self.body) > 330 else lighter(self.body, 0.55)

    def vary(self, low: float, high: float) -> float:
        return self.random.uniform(low, high)


def _ring(bag: Bag, look: Look, x: float, y: float, r: float = 0.06) -> None:
    bag.strap(loop(ellipse(x, y, r)), look.hardware, 0.035)


def _stud(bag: Bag, look: Look, x: float, y: float, r: float = 0.035) -> None:
    bag.piece(ellipse(x, y, r), look.hardware, flat=True)


def _clasp(bag: Bag, look: Look, x: float, y: float) -> None:
    """A turn lock, a magnetic button, a plate or a pair of rings."""
    match look.random.randrange(4):
        case 0:
            bag.piece(
                taper(0.13, 0.13, y - 0.09, y + 0.09, 0.04, x=x),
                look.hardware,
                lift=0.02,
            )
            bag.piece(
                taper(0.03, 0.03, y - 0.055, y + 0.055, 0.02, x=x),
                darker(look.hardware, 0.25),
                flat=True,
            )
        case 1:
            bag.piece(ellipse(x, y, 0.1), look.hardware, lift=0.02)
            bag.piece(ellipse(x, y, 0.05), lighter(look.hardware, 0.3), flat=True)
        case 2:
            bag.piece(
                taper(0.09, 0.06, y - 0.14, y + 0.14, 0.03, 0.06, x=x),
                look.hardware,
                lift=0.02,
            )
            _stud(bag, look, x, y - 0.02)
        case _:
            for side in (-0.055, 0.055):
                bag.strap(loop(ellipse(x + side, y, 0.085)), look.hardware, 0.04)


def _buckled(bag: Bag, look: Look, x: float, top: float, bottom: float, half: float = 0.075) -> None:
    """A trim strap that hangs over the front and through a buckle."""
    bag.piece(
        taper(half, half, top, bottom, 0.02, half, x=x),
        look.trim,
        stitch=None,
        lift=0.02,
    )
    y = bottom - 0.2
    bag.strap(
        loop(taper(0.12, 0.12, y - 0.07, y + 0.07, 0.03, x=x)),
        look.hardware,
        0.035,
    )
    _stud(bag, look, x, bottom - 0.08, 0.022)


def _tote(bag: Bag, look: Look) -> None:
    top, bottom, h = look.vary(0.86, 1.0), look.vary(0.7, 0.9), look.vary(1.1, 1.35)
    reach, tall = look.vary(0.34, 0.46), look.vary(0.5, 0.75)
    bag.strap(arch(0, 0.06, reach * 0.92, tall * 1.06), darker(look.trim, 0.3), 0.08)
    body = taper(top, bottom, 0, h, 0.04, 0.14)
    bag.piece(body, look.body, look.pattern(), stitch=look.stitch())
    if look.random.random() < 0.5:
        y = h * 0.74
        edge = top + (bottom - top) * 0.74
        bag.piece(taper(edge, bottom, y, h, 0.01, 0.14), look.trim)
    bag.piece(
        taper(top, top - 0.02, 0, 0.13, 0.03, 0.02),
        look.trim,
    )
    bag.strap(arch(0, 0.3, reach, tall), look.trim, 0.085)
    for side in (-reach, reach):
        bag.piece(
            taper(0.075, 0.075, 0.16, 0.4, 0.03, 0.07, x=side),
            look.trim,
            lift=0.015,
        )
        _stud(bag, look, side, 0.32)


def _satchel(bag: Bag, look: Look) -> None:
    w, h = 1.0, look.vary(1.15, 1.35)
    bag.strap(arch(0, 0.05, 0.34, 0.36), look.trim, 0.11)
    bag.piece(
        taper(w, w, 0.05, h, 0.14, 0.16),
        darker(look.body, 0.1),
        stitch=look.stitch(),
    )
    bag.piece(
        taper(w - 0.12, w - 0.12, h * 0.58, h - 0.1, 0.06, 0.1),
        look.body,
        stitch=look.stitch(),
    )
    bag.piece(
        taper(w + 0.02, w + 0.02, 0, h * 0.62, 0.12, 0.22),
        look.body,
        look.pattern(),
        stitch=look.stitch(),
        lift=0.05,
    )
    for side in (-0.52, 0.52):
        _buckled(bag, look, side, h * 0.28, h * 0.82)


def _clutch(bag: Bag, look: Look) -> None:
    h, point = look.vary(0.95, 1.15), look.vary(0.58, 0.74)
    bag.piece(
        taper(1, 1, 0, h, 0.06, 0.1),
        darker(look.body, 0.08),
        look.pattern(),
        stitch=look.stitch(),
    )
    if look.random.random() < 0.6:
        flap = rounded([(-1, 0, 0.05), (1, 0, 0.05), (1, 0.12, 0.05), (0, h * point, 0.16), (-1, 0.12, 0.05)])
    else:
        flap = taper(1, 1, 0, h * 0.5, 0.05, 0.3)
        point = 0.5
    bag.piece(
        flap,
        look.trim if look.print else look.body,
        stitch=look.stitch() if not look.print else None,
        lift=0.06,
    )
    _clasp(bag, look, 0, h * point - 0.1)
    if look.random.random() < 0.45:
        bag.strap(curve((-0.97, 0.1), (-1.3, 0.5, -1.28, 0.9, -1.1, h * 0.98)), look.trim, 0.06)
        _ring(bag, look, -0.97, 0.1)


def _bucket(bag: Bag, look: Look) -> None:
    top, bottom, h = look.vary(0.76, 0.9), look.vary(0.6, 0.74), look.vary(1.25, 1.45)
    bag.strap(arch(0, 0.1, top * 0.86, look.vary(0.6, 0.85)), look.trim, 0.085)
    bag.piece(ellipse(0, 0.02, top, 0.16), darker(look.body, 0.5), flat=True)
    side = curve(
        (0, 0.17),
        (top * 0.7, 0.17, top, 0.02),
        (top * 0.96, h * 0.5, bottom, h - 0.12),
        (bottom * 0.96, h + 0.04, 0, h + 0.06),
    )
    bag.piece(mirrored(side), look.body, look.pattern())
    base = curve(
        (0, h * 0.84),
        (bottom * 0.7, h * 0.84, bottom * 1.055, h * 0.78),
        (bottom, h - 0.12),
        (bottom * 0.96, h + 0.04, 0, h + 0.06),
    )
    bag.piece(mirrored(base), look.trim)
    cord = curve((-top * 0.97, 0.2), (-top * 0.5, 0.38, top * 0.5, 0.38, top * 0.97, 0.2))
    bag.strap(cord, look.trim, 0.055)
    for x in (-0.07, 0.07):
        end = look.vary(0.72, 0.86)
        bag.strap(curve((x * 0.5, 0.33), (x * 2.2, 0.5, x * 1.6, end)), look.trim, 0.05)
        bag.piece(ellipse(x * 1.6, end, 0.055, 0.08), look.trim)
    for x in (-top * 0.86, top * 0.86):
        _ring(bag, look, x, 0.13)


def _hobo(bag: Bag, look: Look) -> None:
    deep, horn = look.vary(0.5, 0.62), look.vary(0.5, 0.7)
    bag.strap(
        curve((-0.93, -horn + 0.06), (-0.72, -horn - 0.95, 0.72, -horn - 0.95, 0.93, -horn + 0.06)),
        look.trim,
        0.13,
    )
    body = curve(
        (0, 0.02),
        (0.5, 0.02, 0.82, -0.2, 0.9, -horn),
        (1.08, -horn, 1.04, -horn),
        (1.2, 0.1, 1.1, deep + 0.12, 0.52, deep + 0.16),
        (0.26, deep + 0.18, 0, deep + 0.18),
    )
    bag.piece(mirrored(body), look.body, look.pattern(), stitch=look.stitch())
    bag.strap(
        curve(
            (-0.86, -horn + 0.16),
            (-0.72, 0.02, -0.4, 0.1, 0, 0.1),
            (0.4, 0.1, 0.72, 0.02, 0.86, -horn + 0.16),
        ),
        look.hardware,
        0.03,
    )
    for side in (-0.96, 0.96):
        _ring(bag, look, side, -horn + 0.02, 0.085)
    if look.random.random() < 0.6:
        bag.strap(curve((0.62, 0.02), (0.68, 0.12, 0.66, 0.22)), look.trim, 0.04)
        bag.piece(
            taper(0.08, 0.11, 0.2, 0.46, 0.02, 0.01, x=0.66),
            look.trim,
            lift=0.02,
        )


def _backpack(bag: Bag, look: Look) -> None:
    w, h = 0.78, look.vary(1.5, 1.7)
    for side in (-1, 1):
        bag.strap(
            curve((side * 0.3, 0.1), (side * 1.12, 0.2, side * 1.14, 0.9, side * 0.7, h - 0.12)),
            darker(look.trim, 0.1),
            0.13,
        )
    bag.strap(arch(0, 0.1, 0.16, 0.2), look.trim, 0.07)
    half = curve((0, 0), (0.5, 0, w, 0.06, w, 0.62), (w + 0.02, h - 0.2), (w + 0.02, h, w - 0.2, h), (0, h))
    bag.piece(mirrored(half), look.body, look.pattern(), stitch=look.stitch())
    bag.piece(
        taper(0.56, 0.58, h * 0.58, h - 0.07, 0.08, 0.14),
        look.trim,
        stitch=None,
        lift=0.03,
    )
    bag.strap(curve((-0.46, h * 0.66), (0.46, h * 0.66)), look.hardware, 0.032)
    flap = curve((0, -0.02), (0.5, -0.02, w + 0.02, 0.04, w + 0.02, 0.5), (w, h * 0.5, 0, h * 0.52))
    bag.piece(
        mirrored(flap),
        look.body,
        look.quilting(),
        stitch=look.stitch(),
        lift=0.05,
    )
    _buckled(bag, look, 0, h * 0.3, h * 0.7)


def _saddle(bag: Bag, look: Look) -> None:
    h, round_ = look.vary(1.05, 1.25), look.vary(0.55, 0.8)
    line = arch(0, 0.08, 0.9, look.vary(0.62, 0.95))
    chain = look.random.random() < 0.45
    bag.strap(line, look.hardware if chain else look.trim, 0.1 if chain else 0.07, links=chain)
    half = curve((0, 0), (0.86, 0), (1.0, 0, 0.99, 0.16), (1.0, h * round_, 0.72, h, 0, h))
    bag.piece(mirrored(half), darker(look.body, 0.1), look.pattern(), stitch=look.stitch())
    flap = curve(
        (0, -0.03), (0.88, -0.03), (1.02, -0.03, 1.01, 0.14), (1.0, h * 0.52, 0.6, h * 0.7, 0, h * 0.72)
    )
    bag.piece(
        mirrored(flap),
        look.body,
        look.quilting(),
        stitch=look.stitch(),
        lift=0.06,
    )
    for side in (-0.9, 0.9):
        _ring(bag, look, side, 0.06)
    _clasp(bag, look, 0, h * 0.72 - 0.13)


def _doctor(bag: Bag, look: Look) -> None:
    h, shoulder = look.vary(1.0, 1.15), look.vary(0.6, 0.7)
    bag.strap(arch(0, 0.1, 0.4, 0.42), darker(look.trim, 0.25), 0.09)
    half = curve(
        (0, 0.02),
        (shoulder, 0.02),
        (1.0, 0.12, 1.02, 0.55),
        (1.04, h),
        (1.04, h + 0.1, 0.92, h + 0.1),
        (0, h + 0.1),
    )
    bag.piece(mirrored(half), look.body, look.pattern(), stitch=look.stitch())
    bag.strap(curve((-0.99, 0.46), (-0.5, 0.62, 0.5, 0.62, 0.99, 0.46)), darker(look.body, 0.3), 0.025)
    bag.piece(
        taper(shoulder + 0.06, shoulder + 0.06, 0, 0.15, 0.05),
        look.hardware if look.random.random() < 0.5 else look.trim,
        lift=0.03,
    )
    bag.strap(arch(0, 0.24, 0.44, 0.5), look.trim, 0.1)
    for side in (-0.44, 0.44):
        _ring(bag, look, side, 0.26, 0.075)
    _clasp(bag, look, 0, 0.2)


def _bowler(bag: Bag, look: Look) -> None:
    h = look.vary(0.98, 1.15)
    bag.strap(arch(0, 0.2, 0.4, 0.5), darker(look.trim, 0.25), 0.08)
    half = curve((0, 0), (0.78, 0, 1.0, 0.4, 1.06, h - 0.12), (1.08, h, 0.94, h), (0, h))
    bag.piece(mirrored(half), look.body, look.pattern())
    corner = curve(
        (1.0, h * 0.5),
        (0.66, h * 0.56, 0.62, h * 0.8, 0.62, h),
        (0.94, h),
        (1.08, h, 1.06, h - 0.12),
        (1.04, h * 0.66, 1.0, h * 0.5),
    )
    for side in (1.0, -1.0):
        bag.piece(corner * [side, 1], look.trim)
    bag.strap(
        curve((-0.97, h * 0.42), (-0.7, 0.1, -0.4, 0.09, 0, 0.09), (0.4, 0.09, 0.7, 0.1, 0.97, h * 0.42)),
        look.hardware,
        0.035,
    )
    bag.strap(arch(0, 0.42, 0.44, 0.62), look.trim, 0.09)
    for side in (-0.44, 0.44):
        bag.piece(
            taper(0.08, 0.05, 0.34, 0.58, 0.02, 0.05, x=side),
            look.trim,
            lift=0.015,
        )
        _stud(bag, look, side, 0.42)


SHAPES: dict[str, Callable[[Bag, Look], None]] = {
    "tote": _tote,
    "satchel": _satchel,
    "clutch": _clutch,
    "bucket bag": _bucket,
    "hobo": _hobo,
    "backpack": _backpack,
    "saddle bag": _saddle,
    "doctor bag": _doctor,
    "bowler": _bowler,
}
