"""Politeness toward a host: robots.txt, crawl delay, Retry-After, and opting out of AI."""

import asyncio
import codecs
import re
import string
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from protego import Protego

PRODUCT: Final = "BagDreams"
"""Our product token (RFC 9309 §2.2.1): what robots.txt calls us, and how our User-Agent begins."""
ROBOTS_BYTES: Final = 512_000
"""As much of a robots.txt counts (RFC 9309 §2.5)."""
LINE: Final = re.compile(
    rb"(user[- ]?agent|allow|diss?all?[ao]w|diasllow|crawl[- ]delay|request[- ]rate)\s*[:\s](.*)",
    re.IGNORECASE,
)
"""A line that means something to us, with the misspellings that Google's parser forgives."""
TOKEN: Final = re.compile(rb"[a-z_-]+|\*(?!\S)", re.IGNORECASE)
OPT_OUT = re.compile(r"\b(noai|noimageai)\b", re.IGNORECASE)


class Robots:
    """One host's robots.txt (RFC 9309), as it applies to us; `body` is the file, empty if there is none.

    Which groups are ours is decided here: a parser that looks for their names within a User-Agent header
    finds some in our contact's address too. Protego then matches their paths.
    """

    def __init__(self, body: bytes = b"") -> None:
        rules = "\n".join(our_rules(body))
        self.rules = Protego.parse(f"User-agent: *\n{rules}")

    def allows(self, url: str) -> bool:
        """Whether the URL may be fetched."""
        return bool(self.rules.can_fetch(url, PRODUCT))

    @property
    def delay(self) -> float:
        """The crawl delay that the host asks for, in seconds; 0 if it asks for none."""
        rate = self.rules.request_rate(PRODUCT)
        return max(self.rules.crawl_delay(PRODUCT) or 0.0, rate.seconds / rate.requests if rate else 0.0)


def our_rules(body: bytes) -> Iterator[str]:
    """The rules of all groups that name us, else of all groups for "*", each a line in ASCII.

    A group begins at its first User-agent line after a rule (RFC 9309 §2.1); other lines don't end it.
    """
    if len(body) > ROBOTS_BYTES:  # without the line that the limit cuts: it could mean anything
        body = body[: ROBOTS_BYTES + 1]
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        body = body.decode("utf-16", "replace").encode()
    rules: dict[bytes, list[str]] = {}
    agents: set[bytes] = set()
    complete = False
    for line in re.split(rb"[\r\n]", body.lstrip(codecs.BOM_UTF8)):
        match = LINE.match(line.partition(b"#")[0].strip())
        if match is None:
            continue
        name, value = match[1].lower(), match[2].strip()
        if name.startswith(b"user"):
            agents = set() if complete else agents
            complete = False
            token = TOKEN.match(value)
            if token and (agent := token[0].lower()) in (PRODUCT.lower().encode(), b"*"):
                agents.add(agent)
                rules.setdefault(agent, [])
            continue
        complete = complete or name[0] in b"ad"
        for agent in agents:
            # Octets outside ASCII count as percent-encoded (§2.2.2), and would end the line for Protego.
            rules[agent].append(f"{name.decode()}: {quote(value, safe=string.punctuation + ' ')}")
    yield from rules.get(PRODUCT.lower().encode(), rules.get(b"*", ()))


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
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def opted_out(directives: Iterable[str]) -> str | None:
    """The word in X-Robots-Tag or meta robots values that opts out of AI use; None if there is none."""
    for directive in directives:
        if match := OPT_OUT.search(directive):
            return match[1].lower()
    return None
