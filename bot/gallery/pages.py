"""The pages of the gallery, from the templates next to this file. They are also well-formed XML."""

from __future__ import annotations

import posixpath
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import quote, urljoin

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
NAMESPACE = uuid.UUID("6f1c3f0e-6b0a-4a8e-9a43-0f2d5d1f6b57")
"""Namespace of the feed's ids: an entry keeps its id wherever the gallery moves."""


class Pages:
    """Renders pages for a gallery at `url`; "" if that is unknown, and then all links are relative.

    `prefix` is the bot's, for commands in the text.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url.rstrip("/") + "/" if url else ""
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"day": _day, "iso": _iso, "urn": _urn}
        self._templates.globals["prefix"] = prefix
        self.style = (HERE / "style.css").read_bytes()

    def render(self, template: str, page: str, **about: object) -> bytes:
        """The page at the path `page` in the gallery, as UTF-8, from a template and its variables."""

        def link(to: str) -> str:
            return quote(posixpath.relpath(to, posixpath.dirname(page) or "."))

        def absolute(to: str) -> str:
            return urljoin(self._url, quote(to))

        text = self._templates.get_template(template).render(
            about, link=link, absolute=absolute, page=page, url=self._url
        )
        return text.encode()


def _day(at: date | datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _iso(at: date | datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if isinstance(at, datetime) else at.isoformat()


def _urn(name: str) -> str:
    return uuid.uuid5(NAMESPACE, name).urn
