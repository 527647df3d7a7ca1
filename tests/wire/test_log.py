"""What the log says of a bad hour, extrapolated from some seconds of it."""

import asyncio

import pytest

from bot.client.connection import Pauses
from tests.bot.world import until
from tests.wire.conftest import BotWire, report

pytestmark = pytest.mark.slow

OUTAGE_SECONDS = 20
HOUR = 3600.0
DAY_BYTES = 10_000_000
"""By which the log may grow on a bad day."""


def failures(seconds: float) -> int:
    """How many tries fail in that time, by the pauses between them."""
    now, tries = 0.0, 0
    pauses = Pauses(lambda: now)
    while now < seconds:
        now, tries = now + pauses.delay(), tries + 1
    return tries


async def test_an_hour_without_network_is_told_in_few_lines(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await wire.ben.send(wire.channel, "!bag 42").picture()
        before = len(bot.log)
        async with wire.outage():
            await asyncio.sleep(OUTAGE_SECONDS)  # the outage itself
        written = bot.log[before:]
        await until(lambda: wire.gateway.ready)
        assert await bot.stop() == 0
    lines = written.splitlines()
    each = len(written) / failures(OUTAGE_SECONDS)
    hour = each * failures(HOUR)
    report(f"{len(written)} bytes in {len(lines)} lines in {OUTAGE_SECONDS} s: about {hour:.0f} in an hour")
    assert "Traceback" not in written
    assert 24 * hour < DAY_BYTES
