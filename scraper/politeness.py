"""How we behave at a host: its robots.txt, its pace, and the wishes it sends with an answer."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from protego import Protego

OPT_OUT = re.compile(r"\b(noai|noimageai)\b", re.IGNORECASE)


class Robots:
    """One host's robots.txt (RFC 9309), asked on behalf of one user agent."""

    def __init__(self, rules: str, agent: str) -> None:
        self.rules = Protego.parse(rules)
        self.agent = agent

    def allows(self, url: str) -> bool:
        """True when the address may be fetched."""
        return bool(self.rules.can_fetch(url, self.agent))

    @property
    def delay(self) -> float:
        """Seconds between two requests that the host asks for; 0 when it asks for nothing."""
        rate = self.rules.request_rate(self.agent)
        return max(self.rules.crawl_delay(self.agent) or 0.0, rate.seconds / rate.requests if rate else 0.0)


class Pace:
    """One host's pace: so many connections at a time, so many seconds between the starts of two requests."""

    def __init__(self, connections: int) -> None:
        self.connections = asyncio.Semaphore(connections)
        self.next = 0.0

    @asynccontextmanager
    async def turn(self, delay: float) -> AsyncIterator[None]:
        """Waits for a connection, then for the host's next free moment."""
        async with self.connections:
            clock = asyncio.get_running_loop().time
            while (wait := self.next - clock()) > 0:  # `rest` may move `next` meanwhile
                await asyncio.sleep(wait)
            self.next = clock() + delay
            yield

    def rest(self, seconds: float) -> None:
        """The host asked us to wait: nobody goes there before."""
        self.next = max(self.next, asyncio.get_running_loop().time() + seconds)


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, in either form (RFC 9110 §10.2.3); None when it says nothing."""
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


def opted_out(wishes: Iterable[str]) -> str | None:
    """The word (X-Robots-Tag, meta robots) by which a host keeps its pictures from AI, else None."""
    for wish in wishes:
        if match := OPT_OUT.search(wish):
            return match[1].lower()
    return None
