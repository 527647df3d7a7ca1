"""The log: text for people, or one JSON object per line for machines; never a token in it.

On a bad day it stays small: see `Allowance`, and a traceback is written whole only once an hour.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from types import TracebackType
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter
from rich.console import Console
from rich.logging import RichHandler

Look = Literal["auto", "text", "json"]

# A bot's token, and an interaction's, which is part of the URLs in discord.py's warnings.
_SECRETS = re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}|(?<=/)(?:aW50ZXJ[\w-]{20,}|[\w-]{60,})")


DAY, HOUR = 86_400, 3600
MOST = 10_000_000
"""Bytes of a day's log."""
USUAL = 8_000_000
"""Bytes after which only warnings and errors are written on that day."""
LONGEST = 20_000
"""Characters of one message or traceback that are written."""
REMEMBERED = 1000
"""Tracebacks of the last hour."""
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
log = logging.getLogger(__name__)


class Allowance(logging.Filter):
    """Lets a day's records (UTC) through until they make up `MOST` bytes; says what it leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self._day = 0
        self._spent = 0
        self._left_out = 0

    def spend(self, text: str) -> str:
        """Count a record that is written."""
        self._spent += len(text.encode(errors="replace")) + 1
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is still written today."""
        if record.name == __name__:
            return True
        day, left_out = int(record.created // DAY), self._left_out
        if day != self._day:
            self._day, self._spent, self._left_out = day, 0, 0
            if left_out:
                log.warning("%d lines were left out of the log of the day before", left_out)
        most = MOST if record.levelno >= logging.WARNING else USUAL
        if self._spent < most:
            return True
        self._left_out += 1
        if self._left_out == 1:
            log.warning("the log is as long as it may get in a day: from now on lines are left out")
        return False


class Tracebacks:
    """Formats exceptions: what was written whole within the last hour is one line."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def format(self, error: BaseException | None) -> str:
        """The traceback, or the error alone."""
        text = "".join(traceback.format_exception(error)).rstrip()
        now = time.monotonic()
        if now - self._seen.get(text, -HOUR) < HOUR:
            return f"{type(error).__name__}: {' '.join(str(error).split())} (its traceback is further up)"
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[text] = now
        return text


def set_up(look: Look = "auto") -> None:
    """Log to standard error; "auto" is text in a terminal and JSON elsewhere."""
    terminal = sys.stderr.isatty()
    if look == "auto":
        look = "text" if terminal else "json"
    handler: logging.Handler = logging.StreamHandler()
    formatter: _Text | _Json
    if look == "json":
        formatter = _Json(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
        )
    elif terminal:
        handler = RichHandler(console=Console(stderr=True), show_path=False)
        formatter = _Text("%(name)s: %(message)s", "[%X]")
    else:
        formatter = _Text("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(formatter)
    handler.addFilter(formatter.allowance)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def discreet(text: str) -> str:
    """The text with everything that looks like a token replaced by "…"."""
    return _SECRETS.sub("…", text)


def _cut(text: str) -> str:
    # The beginning says what it is about, and a traceback's end what went wrong.
    half, left_out = LONGEST // 2, len(text) - LONGEST
    return f"{text[:half]} […{left_out:,} characters…] {text[-half:]}" if left_out > 0 else text


class _Text(logging.Formatter):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.allowance = Allowance()
        self._tracebacks = Tracebacks()

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if len(message) > LONGEST:
            record.msg, record.args = _cut(message), ()
        return self.allowance.spend(discreet(super().format(record)))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  # logging's name
        return _cut(self._tracebacks.format(ei[1]))


class _Json(_Text, JsonFormatter):
    pass
