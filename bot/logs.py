"""The log: text for people, or one JSON object per line for machines; never a token in it."""

from __future__ import annotations

import logging
import re
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter
from rich.console import Console
from rich.logging import RichHandler

Look = Literal["auto", "text", "json"]

# A bot's token, and an interaction's, which is part of the URLs in discord.py's warnings.
_SECRETS = re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}|(?<=/)(?:aW50ZXJ[\w-]{20,}|[\w-]{60,})")


def set_up(look: Look = "auto") -> None:
    """Log to standard error; "auto" is text in a terminal and JSON elsewhere."""
    if look == "auto":
        look = "text" if sys.stderr.isatty() else "json"
    handler: logging.Handler
    if look == "text":
        handler = RichHandler(console=Console(stderr=True), show_path=False)
        handler.setFormatter(_Text("%(name)s: %(message)s", "[%X]"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(
            _Json(
                "{levelname}{name}{message}",
                style="{",
                timestamp="time",
                rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
            )
        )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def discreet(text: str) -> str:
    """The text with everything that looks like a token replaced by "…"."""
    return _SECRETS.sub("…", text)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))


class _Json(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))
