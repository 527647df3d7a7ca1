"""Staying connected: growing pauses, IDENTIFYs in reserve, one line a failure, no event that is fatal."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Self
from weakref import WeakKeyDictionary

import aiohttp
import discord
import discord.shard
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.webhook.async_ import AsyncWebhookAdapter

GOOD_SECONDS = 600.0
"""So long without trouble, and pauses begin anew."""
LONGEST_SECONDS = 900.0
RESERVE = 100
"""IDENTIFYs a day that are left alone: at none, Discord resets the token."""
ANSWERED = 40060
"""Discord's code for: this interaction has been answered already."""
NETWORK = (aiohttp.ClientError, OSError, TimeoutError)
"""What a broken connection raises."""
REFUSED = (discord.HTTPException, *NETWORK)
"""What a request to Discord raises, whoever is at fault."""
log = logging.getLogger(__name__)


class Pauses:
    """How long to wait before connecting again: a fifth of the time for which the trouble has lasted.

    From a second to a quarter of an hour: back soon after a short outage, quiet in a long one. `now` gives
    seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = self._until = -math.inf

    def delay(self) -> float:
        """Seconds to wait after a failure that has just happened."""
        now = self._now()
        if now - self._until > GOOD_SECONDS:
            self._began = now
        jitter = random.uniform(0.8, 1)  # noqa: S311  # no secret
        pause = max(min((now - self._began) / 5, LONGEST_SECONDS) * jitter, 1.0)
        self._until = now + pause
        return pause


class Gateway(DiscordWebSocket):
    """discord.py's connection, which one malformed event does not end, and an outage only interrupts."""

    _last: ClassVar[WeakKeyDictionary[discord.Client, dict[int | None, Gateway]]] = WeakKeyDictionary()
    """By client and shard, the newest connection."""

    _skipped: ClassVar[set[tuple[str, int]]] = set()
    """Files and lines that could not read an event: each is logged once."""

    @classmethod
    async def from_client(
        cls, client: discord.Client, *, shard_id: int | None = None, resume: bool = False, **options: Any
    ) -> Self:
        """Connect; resume the shard's session if it has one, so that nothing is missed.

        After a failed try, discord.py itself would begin a new session.
        """
        connections = cls._last.setdefault(client, {})
        last = connections.get(shard_id)
        if not resume and last is not None and last.session_id is not None:
            resume = True
            options |= {"gateway": last.gateway, "session": last.session_id, "sequence": last.sequence}
        made = await super().from_client(client, shard_id=shard_id, resume=resume, **options)
        connections[shard_id] = made
        return made

    async def identify(self) -> None:
        """Begin a session. If Discord refuses at once, the next `poll_event` says so.

        discord.py, told here, would try again every five seconds whatever the reason.
        """
        with suppress(discord.ConnectionClosed, ConnectionResetError):
            await super().identify()

    async def received_message(self, msg: Any, /) -> None:
        """Handle one message; what can't be read is skipped."""
        try:
            await super().received_message(msg)
        except (ReconnectWebSocket, discord.ConnectionClosed, *NETWORK):
            raise
        except Exception as error:
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = (place.tb_frame.f_code.co_filename, place.tb_lineno) if place else ("", 0)
            if where not in self._skipped:
                self._skipped.add(where)
                log.exception("skipped an event from Discord that I can't read")


# discord.py has no settings for these two: its connection ends for an exception in a parser, and its pauses
# are random up to a quarter of an hour, also after an outage of a minute.
discord.shard.DiscordWebSocket = Gateway  # type: ignore[misc]  # replaced
discord.shard.ExponentialBackoff = Pauses  # type: ignore[attr-defined,assignment]  # replaced


class Answers(AsyncWebhookAdapter):
    """discord.py's way to answer interactions, for which an answer that has got through counts as given."""

    async def create_interaction_response(self, interaction_id: int, token: str, **options: Any) -> Any:
        """Answer; once more if the connection breaks. Raises discord.HTTPException and NETWORK."""
        for may_retry in (True, False):
            try:
                return await super().create_interaction_response(interaction_id, token, **options)
            except discord.HTTPException as error:
                if error.code != ANSWERED:
                    raise
                break  # an earlier try, of which no answer came back
            except NETWORK:
                if not may_retry:
                    raise
                for file in options["params"].files or ():
                    file.reset()
        return {"interaction": {"id": interaction_id, "type": 3}}


async def spare_identifies(client: discord.AutoShardedClient) -> None:
    """Return if there are IDENTIFYs to spare; else wait for a while and raise ConnectionError."""
    limits = await client.fetch_session_start_limits()
    if limits.remaining > RESERVE:
        return
    seconds = limits.reset_after / 1000
    log.warning("I have connected so often that Discord allows only %d more times", limits.remaining)
    await asyncio.sleep(min(seconds, 50))  # discord.py waits for a minute
    raise ConnectionError(f"too many connections today; the next one in {seconds / 3600:.1f} hours")


class OneLine(logging.Filter):
    """Of a broken connection a log says one line, without the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (*REFUSED, discord.ConnectionClosed, discord.GatewayNotFound)):
            record.msg = f"{record.getMessage()}: {error or type(error).__name__}"
            record.args, record.exc_info = (), None
        return True
