"""Polite, guarded GET requests: robots.txt, crawl delay, redirects, size caps, timeouts, retries."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from scraper import ssrf_guard
from scraper.politeness import Pace, Robots, opted_out, retry_after
from scraper.settings import Settings
from scraper.shop import Shop

RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
ROBOTS_BYTES = 512_000


class FetchError(Exception):
    """A URL that can't be fetched. `transient`: it may work another day."""

    def __init__(self, reason: str, *, transient: bool = False) -> None:
        super().__init__(reason)
        self.transient = transient


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
    """An async context manager around one HTTP session. Only the hosts in `named` may be private."""

    def __init__(self, settings: Settings, named: Iterable[str], agent: str) -> None:
        self.settings = settings
        self.agent = agent
        self.named = frozenset(named)
        self.paces: dict[str, Pace] = {}
        self.robots: dict[str, asyncio.Future[Robots]] = {}

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=ssrf_guard.GuardedResolver(self.named), limit=0),
            timeout=aiohttp.ClientTimeout(
                total=self.settings.timeout, sock_connect=min(15, self.settings.timeout)
            ),
            headers={"User-Agent": self.agent, "Accept-Language": "en"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

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
            robots = await self.robots_of(address, shop)
            if not robots.allows(str(address)):
                raise RefusedError("disallowed by robots.txt")
            answer = await self.request(address, shop, cap, headers, robots.delay)
            if isinstance(answer, Answer):
                return answer
            address = answer
        raise FetchError("too many redirects")

    async def rendered(self, url: str, shop: Shop, render: Callable[[str], bytes]) -> Answer:
        """Fetches a page with a browser, `render`, just as politely. Raises FetchError and what that raises.

        A browser resolves names itself, unguarded, so it gets to see hosts in `named` only.
        """
        address = parse(url)
        if address.host not in self.named:
            raise FetchError(f"not a configured host: {address.host}")
        robots = await self.robots_of(address, shop)
        if not robots.allows(str(address)):
            raise RefusedError("disallowed by robots.txt")
        pace = self.paces.setdefault(address.host, Pace(shop.connections or self.settings.connections))
        async with pace.turn(max(robots.delay, self.settings.delay if shop.delay is None else shop.delay)):
            return Answer(str(address), 200, await asyncio.to_thread(render, str(address)))

    async def robots_of(self, address: URL, shop: Shop) -> Robots:
        """The robots.txt of the URL's origin, fetched once while all callers wait. Raises FetchError."""
        origin = str(address.origin())
        if origin not in self.robots:
            self.robots[origin] = asyncio.get_running_loop().create_future()
            try:
                self.robots[origin].set_result(await self.fetch_robots(address.origin() / "robots.txt", shop))
            except BaseException as error:
                waiting = self.robots.pop(origin)
                waiting.set_exception(
                    error if isinstance(error, FetchError) else FetchError("interrupted", transient=True)
                )
                waiting.exception()  # marks it as retrieved, in case nobody waits
                raise
        return await asyncio.shield(self.robots[origin])

    async def fetch_robots(self, address: URL, shop: Shop) -> Robots:
        """RFC 9309: a missing robots.txt allows everything, an unreachable one nothing. Raises FetchError."""
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self.request(address, shop, ROBOTS_BYTES, {}, 0)
                if isinstance(answer, Answer):
                    return Robots(answer.body.decode("utf-8", "replace"), self.agent)
                address = answer
        except FetchError as error:
            if error.transient:
                raise
        return Robots("", self.agent)

    async def request(
        self, address: URL, shop: Shop, cap: int, headers: dict[str, str], delay: float
    ) -> Answer | URL:
        """Requests a URL until it answers or redirects, at most `attempts` times. Raises FetchError."""
        settings = self.settings
        pace = self.paces.setdefault(str(address.host), Pace(shop.connections or settings.connections))
        delay = max(delay, settings.delay if shop.delay is None else shop.delay)
        for attempt in range(1, settings.attempts + 1):
            try:
                async with pace.turn(delay):
                    return await self.request_once(address, cap, headers)
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

    async def request_once(self, address: URL, cap: int, headers: dict[str, str]) -> Answer | URL:
        """Sends one request. Raises RetryableError, FetchError."""
        try:
            ssrf_guard.check(address, self.named)
            async with self.session.get(address, headers=headers, allow_redirects=False) as response:
                return await self.interpret(response, cap)
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
        except aiohttp.InvalidURL as error:
            raise FetchError(f"not a web address: {str(error)[:100]}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RetryableError(
                f"connection lost: {' '.join(str(error).split())[:100] or type(error).__name__}"
            ) from error

    async def interpret(self, response: aiohttp.ClientResponse, cap: int) -> Answer | URL:
        """Turns a response into an answer, the URL it redirects to, or the error it stands for."""
        status = response.status
        if status in RETRYABLE:
            raise RetryableError(f"answered {status}", retry_after(response.headers.get("Retry-After")))
        if status in (401, 403, 407, 451):
            raise RefusedError(f"answered {status} ({response.reason or 'refused'})")
        if status in REDIRECTS and (location := response.headers.get("Location")):
            return parse(location, response.url)
        if status not in (200, 304):
            raise FetchError(f"answered {status}")
        if (response.content_length or 0) > cap:
            raise FetchError(f"larger than {cap} bytes")
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > cap:
                raise FetchError(f"larger than {cap} bytes")
        return Answer(
            url=str(response.url),
            status=status,
            body=bytes(body),
            charset=response.charset,
            etag=response.headers.get("ETag"),
            modified=response.headers.get("Last-Modified"),
            opted_out=opted_out(response.headers.getall("X-Robots-Tag", ())),
        )


class RetryableError(Exception):
    """A request that is worth repeating, after the seconds of its Retry-After header if it had one."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


def parse(url: str, base: URL | None = None) -> URL:
    """A URL, perhaps relative to `base`, without its fragment. Raises FetchError if it is invalid."""
    try:
        address = URL(url)
        return (base.join(address) if base else address).with_fragment(None)
    except ValueError as error:
        raise FetchError(f"not a web address: {url[:100]}") from error
