"""Polite, guarded GET requests: robots.txt, crawl delay, redirects, size caps, timeouts, retries."""

import asyncio
import logging
import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from time import time as clock
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from yarl import URL

from scraper import ssrf_guard
from scraper.politeness import ROBOTS_BYTES, Pace, Robots, opted_out, retry_after
from scraper.settings import Settings
from scraper.shop import Shop

RETRYABLE: Final = frozenset({408, 420, 425, 429, 430, 449})
"""What passes, besides all from 500 up: 420 and 430 (Shopify's) mean what 429 does."""
GONE: Final = frozenset({404, 410})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS: Final = 5
ROBOTS_SECONDS: Final = 86_400
"""A robots.txt is good for this long (RFC 9309 §2.4)."""
DOTS: Final = re.compile(r"/(\.|%2e){1,2}(?=[/?#]|$)", re.IGNORECASE)
"""A step up or in place, which servers take before they look at the path."""
IN_QUERY: Final = "".join(set(string.punctuation) - set('"<>'))
IN_PATH: Final = "".join(set(IN_QUERY) - set("^`{}"))
"""What browsers send as it is written (https://url.spec.whatwg.org/#percent-encoded-bytes)."""

# A cookie that can't be read is no line of ours.
logging.getLogger("aiohttp").addHandler(logging.NullHandler())


class FetchError(Exception):
    """A URL that cannot be fetched. `transient`: it may work another day; `gone`: the host has none there."""

    def __init__(self, reason: str, *, transient: bool = False, gone: bool = False) -> None:
        super().__init__(reason)
        self.transient = transient
        self.gone = gone


class RefusedError(FetchError):
    """The host refuses us. We leave, and never work around it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response: `url` is the last one after redirects, `status` 200 or 304 (without a body).

    `opted_out`: the X-Robots-Tag word by which the host opts it out of use for AI, if it does.
    """

    url: str
    status: int
    body: bytes
    charset: str | None = None
    etag: str | None = None
    modified: str | None = None
    opted_out: str | None = None


class Fetcher:
    """An async context manager around HTTP sessions, one a shop: no cookie goes from one to another."""

    def __init__(self, settings: Settings, agent: str) -> None:
        self.settings = settings
        self.agent = agent
        self.sessions: dict[str, aiohttp.ClientSession] = {}
        self.named: dict[str, frozenset[ssrf_guard.Origin]] = {}
        self.paces: dict[str, Pace] = {}
        self.robots: dict[tuple[str, str], tuple[float, asyncio.Future[Robots]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self.sessions.values():
            await session.close()

    def session(self, shop: Shop) -> aiohttp.ClientSession:
        """The session of a shop, which connects to private hosts only where the shop's config names them."""
        if shop.name not in self.sessions:
            named = self.named[shop.name] = shop.origins()
            self.sessions[shop.name] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=ssrf_guard.GuardedResolver(named), limit=0),
                timeout=aiohttp.ClientTimeout(
                    total=self.settings.timeout, sock_connect=min(15, self.settings.timeout)
                ),
                headers={"User-Agent": self.agent, "Accept-Language": "en"},
                # Some shops redirect until a cookie comes back. `unsafe`: also from hosts that are addresses.
                cookie_jar=aiohttp.CookieJar(unsafe=True),
            )
        return self.sessions[shop.name]

    async def get(
        self, url: str, shop: Shop, cap: int, etag: str | None = None, modified: str | None = None
    ) -> Answer:
        """Fetches a URL for a shop, following redirects; `cap` is the most bytes of the decompressed body.

        With the `etag` or `modified` of an earlier Answer the request is conditional: an unchanged page costs
        no body. Raises FetchError, or RefusedError if the host turns us away.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in conditions.items() if value}
        address = parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            if address.scheme not in ("http", "https") or not address.host:
                raise FetchError("not a web address")
            delay = await self.permission(address, shop)
            answer = await self.request(address, shop, cap, headers, delay)
            if isinstance(answer, Answer):
                return answer
            address = answer
        raise FetchError("too many redirects")

    async def rendered(self, url: str, shop: Shop, render: Callable[[str], bytes]) -> Answer:
        """Fetches a page with a browser, `render`, just as politely. Raises FetchError, and what that raises.

        Only hosts that the shop's config names are worth it.
        """
        address = parse(url)
        if ssrf_guard.origin(address) not in shop.origins():
            raise FetchError(f"not a configured host: {address.host}")
        delay = await self.permission(address, shop)
        pace = self.pace(address, shop)
        async with pace.turn(max(delay, self.settings.delay if shop.delay is None else shop.delay)):
            return Answer(str(address), 200, await asyncio.to_thread(render, str(address)))

    async def permission(self, address: URL, shop: Shop) -> float:
        """The crawl delay, in seconds, that the URL's host asks for. Raises FetchError if we may not come."""
        robots = await self.robots_of(address, shop)
        if not robots.allows(str(address)):
            raise RefusedError("disallowed by robots.txt")
        if robots.delay > self.settings.patience:
            raise RefusedError(
                f"robots.txt asks for {robots.delay:.0f} s between requests, more than `patience`",
                transient=True,
            )
        return robots.delay

    def pace(self, address: URL, shop: Shop) -> Pace:
        """The pace of requests to the URL's host."""
        return self.paces.setdefault(str(address.host), Pace(shop.connections or self.settings.connections))

    async def robots_of(self, address: URL, shop: Shop) -> Robots:
        """The robots.txt of the URL's origin, fetched once a day while all callers wait. Raises FetchError.

        Each shop asks for itself: what one may not reach, another may.
        """
        origin = shop.name, str(address.origin())
        asked, robots = self.robots.get(origin, (0.0, None))
        if robots is None or clock() - asked > ROBOTS_SECONDS:
            robots = asyncio.get_running_loop().create_future()
            self.robots[origin] = clock(), robots
            try:
                robots.set_result(await self.fetch_robots(address.origin() / "robots.txt", shop))
            except BaseException as error:
                del self.robots[origin]
                robots.set_exception(
                    error if isinstance(error, FetchError) else FetchError("interrupted", transient=True)
                )
                robots.exception()  # marks it as retrieved, in case nobody waits
                raise
        return await asyncio.shield(robots)

    async def fetch_robots(self, address: URL, shop: Shop) -> Robots:
        """RFC 9309 §2.3.1: a missing robots.txt allows everything, an unreachable one nothing.

        Raises FetchError.
        """
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self.request(address, shop, ROBOTS_BYTES, {}, 0, cut=True)
                if isinstance(answer, Answer):
                    return Robots(answer.body)
                address = answer
        except FetchError as error:
            if isinstance(error, RefusedError) and error.transient:
                raise
            if error.transient:
                raise FetchError(f"no robots.txt: {error}", transient=True) from error
        return Robots()

    async def request(
        self, address: URL, shop: Shop, cap: int, headers: dict[str, str], delay: float, *, cut: bool = False
    ) -> Answer | URL:
        """Requests a URL until it answers or redirects, at most `attempts` times. Raises FetchError."""
        settings = self.settings
        pace = self.pace(address, shop)
        delay = max(delay, settings.delay if shop.delay is None else shop.delay)
        for attempt in range(1, settings.attempts + 1):
            try:
                async with pace.turn(delay):
                    return await self.request_once(address, shop, cap, headers, cut)
            except RetryableError as error:
                wait = error.after
                reason = str(error)
                if wait is None:
                    wait = settings.backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter
                elif wait > settings.patience:
                    raise RefusedError(
                        f"{reason}: asks to come back in {wait:.0f} s", transient=True
                    ) from error
                else:
                    pace.pause(wait)
                if attempt < settings.attempts:
                    await asyncio.sleep(wait)
        raise FetchError(reason, transient=True)

    async def request_once(
        self, address: URL, shop: Shop, cap: int, headers: dict[str, str], cut: bool
    ) -> Answer | URL:
        """Sends one request. Raises RetryableError, FetchError."""
        session = self.session(shop)
        try:
            ssrf_guard.check(address, self.named[shop.name])
            async with session.get(address, headers=headers, allow_redirects=False) as response:
                return await self.interpret(response, cap, cut)
        except ssrf_guard.PrivateAddressError as error:
            raise FetchError(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ssrf_guard.PrivateAddressError):
                raise FetchError(str(error.os_error)) from error
            raise RetryableError(
                f"unreachable: {address.host}:{address.port}: {error.os_error.strerror or error}"
            ) from error
        except TimeoutError as error:
            raise RetryableError(f"timed out after {self.settings.timeout:g} s") from error
        except ValueError as error:  # also a name that can't be looked up: too long, or with an empty part
            raise FetchError(f"not a web address: {str(error)[:100]}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RetryableError(
                f"connection lost: {' '.join(str(error).split())[:100] or type(error).__name__}"
            ) from error

    async def interpret(self, response: aiohttp.ClientResponse, cap: int, cut: bool) -> Answer | URL:
        """Turns a response into an answer, the URL it redirects to, or the error it stands for.

        A body larger than `cap` is an error, unless `cut`: then its first part will do.
        """
        status = response.status
        if status in RETRYABLE or status >= 500:
            raise RetryableError(f"answered {status}", retry_after(response.headers.get("Retry-After")))
        if status in (401, 403, 407, 451):
            raise RefusedError(f"answered {status} ({response.reason or 'refused'})")
        if status in REDIRECTS and (location := response.headers.get("Location")):
            return parse(location, response.url)
        if status not in (200, 304):
            raise FetchError(f"answered {status}", gone=status in GONE)
        if (response.content_length or 0) > cap and not cut:
            raise FetchError(f"larger than {cap} bytes")
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > cap:
                if cut:
                    break
                raise FetchError(f"larger than {cap} bytes")
        return Answer(
            url=str(response.url),
            status=status,
            body=bytes(body),
            charset=response.charset,
            etag=validator(response.headers.get("ETag")),
            modified=validator(response.headers.get("Last-Modified")),
            opted_out=opted_out(response.headers.getall("X-Robots-Tag", ())),
        )


class RetryableError(Exception):
    """A request that is worth repeating, after the seconds of its Retry-After header if it had one."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


def validator(value: str | None) -> str | None:
    """The value of an ETag or Last-Modified header, if it is one that can be kept and sent back."""
    return value if value and value.isascii() and value.isprintable() else None


def parse(url: str, base: URL | None = None) -> URL:
    """A URL, perhaps relative to `base`, without its fragment. Raises FetchError if it is invalid.

    Its path and query are sent as they are written, as a signature covers every byte; only what no URL may
    contain is percent-encoded, and steps such as /../ are taken, so that robots.txt judges the real path.
    """
    try:
        whole = urljoin(str(base), url.strip()) if base else url.strip()
        address = URL(whole).with_fragment(None)
        parts = urlsplit(whole)
        if DOTS.search(parts.path) or not address.host:  # ValueError if that can't be decoded
            return address
        return URL.build(
            scheme=address.scheme,
            authority=address.raw_authority,
            path=quote(parts.path or "/", safe=IN_PATH, errors="surrogateescape"),
            query_string=quote(parts.query, safe=IN_QUERY, errors="surrogateescape"),
            encoded=True,
        )
    except ValueError as error:
        raise FetchError(f"not a web address: {url[:100]}") from error
