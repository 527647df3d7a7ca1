"""What goes wrong between the bot and Discord: faults that tests ask for, and rate limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


class RefusedError(Exception):
    """Discord's error: HTTP status, its own code, words, and headers."""

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"message": message, "code": code, **more}


class CutError(Exception):
    """The connection ends without an answer."""


@dataclass(eq=False)
class Fault:
    """What happens to requests that match; see `Wire.fail`."""

    method: str
    path: str
    times: int | None
    status: int | None
    code: int
    cut: bool
    after_effect: bool
    delay: float
    hold: asyncio.Event | None
    retry_after: float
    everywhere: bool
    via: bool
    hits: int = 0
    """How many requests it has met."""

    def meets(self, method: str, path: str) -> bool:
        """Whether it concerns a request, and has not come often enough."""
        spent = self.times is not None and self.hits >= self.times
        return not spent and self.method in (method, "*") and fnmatchcase(path, self.path)

    async def strike(self) -> None:
        """Raise RefusedError or CutError, or only delay."""
        if self.hold is not None:
            await self.hold.wait()
        await asyncio.sleep(self.delay)
        if self.cut:
            raise CutError
        if self.status == 429:
            raise too_many(self.retry_after, "global" if self.everywhere else "user", self.via)
        if self.status is not None:
            raise RefusedError(self.status, self.code, f"{self.status}: as the test wants it")

    def end(self) -> None:
        """Let it come no more."""
        self.times = self.hits


def too_many(
    retry_after: float, scope: str, via: bool = True, headers: Mapping[str, str] | None = None
) -> RefusedError:
    """A 429. Without `Via` it looks like a ban by Cloudflare, after which discord.py does not try again."""
    everywhere = scope == "global"
    more = {"Retry-After": f"{retry_after:.3f}", "X-RateLimit-Scope": scope}
    if via:
        more["Via"] = "1.1 google"
    if everywhere:
        more["X-RateLimit-Global"] = "true"
    return RefusedError(
        429,
        0,
        "You are being rate limited.",
        {**(headers or {}), **more},
        retry_after=round(retry_after, 3),
        **{"global": everywhere},
    )


@dataclass
class _Bucket:
    left: int
    ends: float


@dataclass
class RateLimits:
    """Requests that Discord takes in some seconds, per route and channel, server or webhook.

    Discord publishes no numbers, only headers; these are what its headers say at the time of writing.
    """

    limits: dict[str, tuple[int, float]] = field(
        default_factory=lambda: {
            "POST /channels/{channel}/messages": (5, 5.0),
            "PATCH /channels/{channel}/messages/{message}": (5, 5.0),
            "DELETE /channels/{channel}/messages/{message}": (5, 1.0),
            "POST /webhooks/{app}/{token}": (5, 2.0),
            "PATCH /webhooks/{app}/{token}/messages/{message}": (5, 2.0),
            "POST /users/@me/channels": (10, 10.0),
            "PUT /applications/{app}/commands": (5, 20.0),
        }
    )
    overall: tuple[int, float] = (50, 1.0)
    """All requests of a bot together, but those of interactions."""
    exceeded: list[str] = field(default_factory=list)
    """The routes on which the bot got a 429 for going too fast."""
    _buckets: dict[tuple[str, ...], _Bucket] = field(default_factory=dict)

    def spend(self, route: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Count a request to a route; the headers for its answer. Raises RefusedError with 429."""
        if not route.partition(" ")[2].startswith(("/webhooks", "/interactions")):
            bucket = self._bucket(("global",), *self.overall)
            if bucket.left <= 0:
                self.exceeded.append(f"{route} (global)")
                raise too_many(bucket.ends - time.monotonic(), "global")
            bucket.left -= 1
        if route not in self.limits:
            return {}
        most, seconds = self.limits[route]
        major = [parameters[name] for name in ("channel", "guild", "app", "token") if name in parameters]
        bucket = self._bucket((route, *major), most, seconds)
        after = bucket.ends - time.monotonic()
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(bucket.left - 1, 0)),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": f"{abs(hash(route)):x}",
        }
        if bucket.left <= 0:
            self.exceeded.append(route)
            raise too_many(after, "user", headers=headers)
        bucket.left -= 1
        return headers

    def _bucket(self, key: tuple[str, ...], most: int, seconds: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None or bucket.ends <= time.monotonic():
            bucket = self._buckets[key] = _Bucket(most, time.monotonic() + seconds)
        return bucket
