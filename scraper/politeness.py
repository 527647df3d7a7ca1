"""Politeness toward a host: robots.txt, crawl delay, Retry-After, and opting out of AI."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from protego import Protego

OPT_OUT = re.compile(r"\b(noai|noimageai)\b", re.IGNORECASE)


class Robots:
    """One host's robots.txt (RFC 9309), as it applies to one user agent."""

    def __init__(self, rules: str, agent: str) -> None:
        self.rules = Protego.parse(rules)
        self.agent = agent

    def allows(self, url: str) -> bool:
        """Whether the URL may be fetched."""
        return bool(self.rules.can_fetch(url, self.agent))

    @property
    def delay(self) -> float:
        """The crawl delay that the host asks for, in seconds; 0 if it asks for none."""
        rate = self.rules.request_rate(self.agent)
        return max(self.rules.crawl_delay(self.agent) or 0.0, rate.seconds / rate.requests if rate else 0.0)


class Pace:
    """Limits the requests to one host: how many at a time, and how soon after one the next may start."""

    def __init__(self, connections: int) -> None:
        self.connections = asyncio.Semaphore(connections)
        self.next = 0.0

    @asynccontextmanager
    async def turn(self, delay: float) -> AsyncIterator[None]:
        """Waits for a free connection, then until `delay` seconds after the last request began."""
        async with self.connections:
            clock = asyncio.get_running_loop().time
            while (wait := self.next - clock()) > 0:  # `pause` may move `next` meanwhile
                await asyncio.sleep(wait)
            self.next = clock() + delay
            yield

    def pause(self, seconds: float) -> None:
        """Holds all requests to the host for this long: it asked us to wait."""
        self.next = max(self.next, asyncio.get_running_loop().time() + seconds)


def retry_after(value: str | None) -> float | None:
    """The seconds in a Retry-After header of either form (RFC 9110 §10.2.3); None if it has none."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def opted_out(directives: Iterable[str]) -> str | None:
    """The word in X-Robots-Tag or meta robots values that opts out of AI use; None if there is none."""
    for directive in directives:
        if match := OPT_OUT.search(directive):
            return match[1].lower()
    return None
