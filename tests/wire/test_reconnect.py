"""Whatever ends a connection to the gateway, the bot comes back, and hears what was said meanwhile."""

import time
from collections.abc import Callable

import pytest

from tests.bot.world import until
from tests.wire.conftest import BotWire, report
from tests.wire.gateway import Gateway

pytestmark = pytest.mark.slow

RESUMED: dict[str, Callable[[Gateway], None]] = {
    "close 1000": lambda gateway: gateway.close(1000),
    "close 1001": lambda gateway: gateway.close(1001),
    "close 1012": lambda gateway: gateway.close(1012),
    "close 4000": lambda gateway: gateway.close(4000),
    "close 4001": lambda gateway: gateway.close(4001),
    "close 4002": lambda gateway: gateway.close(4002),
    "close 4005": lambda gateway: gateway.close(4005),
    "close 4008": lambda gateway: gateway.close(4008),
    "cut": lambda gateway: gateway.cut(),
    "op 7": lambda gateway: gateway.reconnect(),
    "op 9, resumable": lambda gateway: gateway.invalidate(True),
    "silence": lambda gateway: gateway.fall_silent(),
}
"""After these, Discord keeps the session and replays what was missed."""
BEGUN_ANEW: dict[str, Callable[[Gateway], None]] = {
    "close 4003": lambda gateway: gateway.close(4003),
    "close 4007": lambda gateway: gateway.close(4007),
    "close 4009": lambda gateway: gateway.close(4009),
    "op 9": lambda gateway: gateway.invalidate(False),
}


@pytest.mark.parametrize("trouble", RESUMED)
async def test_a_session_is_resumed_and_what_was_missed_is_answered(wire: BotWire, trouble: str) -> None:
    wire.gateway.heartbeat_seconds = 2.0  # silence is noticed only at a heartbeat
    async with wire.bot() as bot:
        await wire.ben.send(wire.channel, "!bag 42").picture()
        began = time.monotonic()
        RESUMED[trouble](wire.gateway)
        missed = wire.ben.send(wire.channel, "!bag 7")
        assert (await missed.picture()).code.endswith("-7")
        report(f"{trouble}: back after {time.monotonic() - began:.1f} s")
        assert len(wire.gateway.resumes) == len(wire.gateway.identifies) == 1
        assert len(missed.answers) == 1
        assert (await wire.ben.send(wire.channel, "!bag 8").picture()).code.endswith("-8")
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


@pytest.mark.parametrize("trouble", BEGUN_ANEW)
async def test_a_session_is_begun_anew(wire: BotWire, trouble: str) -> None:
    async with wire.bot() as bot:
        await wire.ben.send(wire.channel, "!bag 42").picture()
        began = time.monotonic()
        BEGUN_ANEW[trouble](wire.gateway)
        await until(lambda: len(wire.gateway.identifies) > 1 and wire.gateway.ready)
        assert (await wire.ben.send(wire.channel, "!bag 8").picture()).code.endswith("-8")
        report(f"{trouble}: back after {time.monotonic() - began:.1f} s")
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
