"""One GET, done right: robots.txt, pace, guarded redirects, byte cap, timeouts, retries."""

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

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
ROBOTS_BYTES = 512_000


class FetchError(Exception):
    """An address that gave nothing. `transient`: another day may be better."""

    def __init__(self, reason: str, *, transient: bool = False) -> None:
        super().__init__(reason)
        self.transient = transient


class RefusedError(FetchError):
    """The host does not want us: we leave, and never work around it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: `url` after redirects; `status` 200 or 304 (then without a body)."""

    url: str
    status: int
    body: bytes
    charset: str | None = None
    etag: str | None = None
    modified: str | None = None
    opted_out: str | None = None


class Fetcher:
    """An async context manager around one HTTP session. Hosts in `named` may be in private networks."""

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
        """Fetches an address for a shop, at most `cap` bytes of it (unpacked).

        With `etag` or `modified` (as an earlier Answer had them) an unchanged page costs no body.
        Raises FetchError, or RefusedError when the host shows us the door.
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
            answer = await self.insist(address, shop, cap, headers, robots.delay)
            if isinstance(answer, Answer):
                return answer
            address = answer
        raise FetchError("too many redirects")

    async def rendered(self, url: str, shop: Shop, render: Callable[[str], bytes]) -> Answer:
        """A page as a browser shows it, with the same manners. Raises FetchError, and what `render` raises.

        A browser looks names up by itself, so only hosts that the config names are shown to it.
        """
        address = parse(url)
        if address.host not in self.named:
            raise FetchError(f"not a host of the config: {address.host}")
        robots = await self.robots_of(address, shop)
        if not robots.allows(str(address)):
            raise RefusedError("disallowed by robots.txt")
        pace = self.paces.setdefault(address.host, Pace(shop.connections or self.settings.connections))
        async with pace.turn(max(robots.delay, self.settings.delay if shop.delay is None else shop.delay)):
            return Answer(str(address), 200, await asyncio.to_thread(render, str(address)))

    async def robots_of(self, address: URL, shop: Shop) -> Robots:
        """The robots.txt of the address's host, fetched once; who asks meanwhile waits for it."""
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
                waiting.exception()  # nobody may be waiting, and that is fine
                raise
        return await asyncio.shield(self.robots[origin])

    async def fetch_robots(self, address: URL, shop: Shop) -> Robots:
        """RFC 9309: what is not there forbids nothing; what cannot be read forbids everything."""
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self.insist(address, shop, ROBOTS_BYTES, {}, 0)
                if isinstance(answer, Answer):
                    return Robots(answer.body.decode("utf-8", "replace"), self.agent)
                address = answer
        except FetchError as error:
            if error.transient:
                raise
        return Robots("", self.agent)

    async def insist(
        self, address: URL, shop: Shop, cap: int, headers: dict[str, str], delay: float
    ) -> Answer | URL:
        """Tries until there is an answer or a redirect, or until enough is enough."""
        settings = self.settings
        pace = self.paces.setdefault(str(address.host), Pace(shop.connections or settings.connections))
        delay = max(delay, settings.delay if shop.delay is None else shop.delay)
        for attempt in range(1, settings.attempts + 1):
            try:
                async with pace.turn(delay):
                    return await self.once(address, cap, headers)
            except PassingError as again:
                wait = again.after
                reason = str(again)
                if wait is None:
                    wait = settings.backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter
                elif wait > settings.patience:
                    raise RefusedError(
                        f"{reason}: asks to come back in {wait:.0f} s", transient=True
                    ) from again
                else:
                    pace.rest(wait)
                if attempt < settings.attempts:
                    await asyncio.sleep(wait)
        raise FetchError(reason, transient=True)

    async def once(self, address: URL, cap: int, headers: dict[str, str]) -> Answer | URL:
        """One request. Raises PassingError when it is worth another one."""
        try:
            ssrf_guard.check(address, self.named)
            async with self.session.get(address, headers=headers, allow_redirects=False) as response:
                return await self.judge(response, cap)
        except ssrf_guard.PrivateAddressError as error:
            raise FetchError(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ssrf_guard.PrivateAddressError):
                raise FetchError(str(error.os_error)) from error
            raise PassingError(
                f"unreachable: {address.host}:{address.port}: {error.os_error.strerror or error}"
            ) from error
        except TimeoutError as error:
            raise PassingError(f"timed out after {self.settings.timeout:g} s") from error
        except aiohttp.InvalidURL as error:
            raise FetchError(f"not a web address: {str(error)[:100]}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise PassingError(
                f"connection broke: {' '.join(str(error).split())[:100] or type(error).__name__}"
            ) from error

    async def judge(self, response: aiohttp.ClientResponse, cap: int) -> Answer | URL:
        """Turns a response into an answer, the address to go to next, or the error it stands for."""
        status = response.status
        if status in AGAIN:
            raise PassingError(f"answered {status}", retry_after(response.headers.get("Retry-After")))
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


class PassingError(Exception):
    """A request that failed and may be tried again; `after` is what Retry-After said, in seconds."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


def parse(url: str, base: URL | None = None) -> URL:
    """An address without its fragment. Raises FetchError when it is none."""
    try:
        address = URL(url)
        return (base.join(address) if base else address).with_fragment(None)
    except ValueError as error:
        raise FetchError(f"not a web address: {url[:100]}") from error
