"""Reports a crawl: JSON lines for programs, text and a live table for people."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from scraper.catalog import Kept

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table


@dataclass(slots=True)
class Tally:
    """One shop's counts in this run; of `refreshed` known pictures, `changed` ones were different.

    `forgotten`: names of files that were not imported because they were taken down.
    """

    new: int = 0
    known: int = 0
    failed: int = 0
    duplicates: int = 0
    refreshed: int = 0
    changed: int = 0
    pages: int = 0
    seen: int = 0
    bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    forgotten: list[str] = field(default_factory=list)

    def take(self, result: Kept) -> None:
        """Counts a picture that was taken in for the first time."""
        if result == "new":
            self.new += 1
        elif result == "duplicate":
            self.duplicates += 1

    def fail(self, reason: str) -> None:
        """Counts a picture that failed."""
        self.failed += 1
        self.reasons[reason] += 1


class Report:
    """A context manager that shows a live table on a terminal. With `as_json` stdout has JSON lines only."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.tallies: dict[str, Tally] = {}
        self.problems = 0
        self.started = time.monotonic()
        self.live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self.live = live_table(self.table)
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()
            self.live = None

    def tally(self, shop: str) -> Tally:
        """The counts of a shop, to be increased."""
        return self.tallies.setdefault(shop, Tally())

    def table(self) -> "Table":
        """The progress of each shop."""
        from rich.table import Table

        table = Table("shop", "pages", "pictures", "new", "failed", "MB", "pictures/s", "left", box=None)
        seconds = max(time.monotonic() - self.started, 0.001)
        for shop, t in self.tallies.items():
            done = t.new + t.duplicates + t.failed + t.refreshed
            rate = done / seconds
            left = max(t.seen - done, 0)
            numbers = (t.pages, f"{done}/{t.seen}", t.new, t.failed, f"{t.bytes / 1e6:.1f}", f"{rate:.1f}")
            table.add_row(shop, *map(str, numbers), f"{left / rate:.0f} s" if done else "")
        return table

    def shop(self, shop: str) -> None:
        """Reports that a shop is done."""
        t = self.tally(shop)
        if t.reasons:
            reasons = ", ".join(f"{n} {reason}" for reason, n in t.reasons.most_common(5))
            self.problem(shop, f"{t.failed} pictures failed: {reasons}", count=False)
        if t.forgotten:
            some = ", ".join(t.forgotten[:5]) + (", …" if len(t.forgotten) > 5 else "")
            self.problem(shop, f"{len(t.forgotten)} taken down, so not imported: {some}", count=False)
        words = f"{shop}: {t.new} new, {t.known} known, {t.failed} failed, {t.duplicates} duplicates"
        words += f", {t.changed} changed" if t.changed else ""
        numbers = {"new": t.new, "known": t.known, "failed": t.failed, "duplicates": t.duplicates}
        numbers["changed"] = t.changed
        self.say(words, event="shop", shop=shop, **numbers)

    def problem(self, shop: str, message: str, *, count: bool = True) -> None:
        """Reports a problem, in one line of at most 1,000 characters.

        `count=False`: it doesn't change the exit code.
        """
        if count:
            self.problems += 1
        line = " ".join(message.split())[:1_000]
        if self.as_json:
            self.emit(event="problem", shop=shop, message=line)
        else:
            self.error(f"{shop}: {line}")

    def say(self, words: str, **event: Any) -> None:
        """Reports a result, as text or as JSON."""
        if self.as_json:
            self.emit(**event)
        elif self.live and sys.stdout.isatty():
            self.error(words)  # the same screen, but above the table
        else:
            sys.stdout.write(f"{words}\n")
            sys.stdout.flush()

    def emit(self, **event: Any) -> None:
        """Writes one JSON object on one line, in ASCII whatever the locale, and flushes it."""
        sys.stdout.write(f"{json.dumps(event)}\n")
        sys.stdout.flush()

    def error(self, line: str) -> None:
        """Writes one line to stderr, above the live table."""
        if self.live:
            self.live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(f"{line}\n")


def live_table(table: Callable[[], "Table"]) -> "Live":
    """Rich's live display, loaded for terminals only: it takes longer than a short crawl should."""
    from rich.console import Console
    from rich.live import Live

    return Live(
        console=Console(stderr=True),
        get_renderable=table,
        refresh_per_second=4,
        transient=True,
        redirect_stdout=False,
    )
