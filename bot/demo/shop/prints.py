"""The patterns printed on bags: masks of stripes, bands, dots, checks, a monogram, quilting."""

from __future__ import annotations

from PIL import ImageDraw


def _steps(end: float, pitch: float) -> list[float]:
    """Positions `pitch` apart, symmetric about the middle of [0, end]; all in pixels."""
    count = int(end / 2 / pitch) + 1
    return [end / 2 + step * pitch for step in range(-count, count + 1)]


def _stripes(pen: ImageDraw.ImageDraw, size: tuple[int, int], pitch: float) -> None:
    for x in _steps(size[0], pitch):
        pen.rectangle((x - pitch / 4, 0, x + pitch / 4, size[1]), fill=255)


def _bands(pen: ImageDraw.ImageDraw, size: tuple[int, int], pitch: float) -> None:
    for y in _steps(size[1], pitch * 1.3):
        pen.rectangle((0, y - pitch / 3, size[0], y + pitch / 3), fill=255)


def _dots(pen: ImageDraw.ImageDraw, size: tuple[int, int], pitch: float) -> None:
    r = pitch * 0.24
    for row, y in enumerate(_steps(size[1], pitch * 0.87)):
        for column in _steps(size[0], pitch):
            x = column + (row % 2) * pitch / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)


def _check(pen: ImageDraw.ImageDraw, size: tuple[int, int], pitch: float) -> None:
    for x in _steps(size[0], pitch):
        pen.rectangle((x - pitch / 4, 0, x + pitch / 4, size[1]), fill=120)
    for y in _steps(size[1], pitch):
        pen.rectangle((0, y - pitch / 4, size[0], y + pitch / 4), fill=120)
        for x in _steps(size[0], pitch):
            pen.rectangle((x - pitch / 4, y - pitch / 4, x + pitch / 4, y + pitch / 4), fill=235)


def _monogram(pen: ImageDraw.ImageDraw, size: tuple[int, int], pitch: float) -> None:
    r, line = pitch * 0.22, max(2, round(pitch * 0.07))
    for row, y in enumerate(_steps(size[1], pitch * 0.75)):
        for column, middle in enumerate(_steps(size[0], pitch)):
            x = middle + (row % 2) * pitch / 2
            if (row + column) % 2:
                pen.polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], fill=220)
            else:
                pen.ellipse((x - r, y - r, x + r, y + r), outline=220, width=line)
                pen.line((x - r, y, x + r, y), fill=220, width=line)


def _quilt(pen: ImageDraw.ImageDraw, size: tuple[int, int], pitch: float) -> None:
    line = max(2, round(pitch * 0.07))
    reach = size[0] + size[1]
    for offset in _steps(size[0], pitch * 1.2):
        pen.line(
            (offset - reach, -reach + size[1] / 2, offset + reach, reach + size[1] / 2), fill=170, width=line
        )
        pen.line(
            (offset - reach, reach + size[1] / 2, offset + reach, -reach + size[1] / 2), fill=170, width=line
        )


PRINTS = {
    "striped": _stripes,
    "banded": _bands,
    "dotted": _dots,
    "checked": _check,
    "monogram": _monogram,
    "quilted": _quilt,
}
