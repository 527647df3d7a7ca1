"""Discord refuses the bot, or is not there: one line, no storm of IDENTIFYs, and back when it is over."""

import asyncio
import time
from typing import Any

import pytest

from tests.bot.world import until
from tests.wire.conftest import BotProcess, BotWire, report

pytestmark = pytest.mark.slow

OUTAGE_SECONDS = 60
"""Long enough for several tries that fail."""


async def ends_with_one_line(bot: BotProcess) -> str:
    """Its last words."""
    assert await bot.end() == 2
    assert "Traceback" not in bot.log
    said = [line for line in bot.log.splitlines() if line.startswith("bag-dreams: ")]
    assert len(said) == 1
    return said[0]


async def test_a_wrong_token_is_told_in_one_line(wire: BotWire) -> None:
    async with wire.bot(wait=False, DISCORD_TOKEN="a.b.c") as bot:
        assert "DISCORD_TOKEN" in await ends_with_one_line(bot)


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013])
async def test_a_code_that_no_new_try_can_mend_is_told_in_one_line(wire: BotWire, code: int) -> None:
    wire.gateway.refuse = code
    async with wire.bot(wait=False) as bot:
        await ends_with_one_line(bot)
        assert len(wire.gateway.identifies) == 1


async def test_without_the_intent_it_works_by_slash_mention_and_buttons(wire: BotWire) -> None:
    wire.message_content = False
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        card = await wire.ben.slash(wire.channel, "bag dream", code="42").picture()
        assert card.code.endswith("-42")
        assert await wire.ben.send(wire.channel, f"<@{wire.me.id}> bag 7").picture()
        assert await wire.ben.click(card, "bag:again").picture()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


async def test_after_an_outage_it_is_back(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await wire.ben.send(wire.channel, "!bag 42").picture()
        before = len(bot.log)
        async with wire.outage():
            await asyncio.sleep(OUTAGE_SECONDS)  # the outage itself
            missed = wire.ben.send(wire.channel, "!bag 7")
        ended = time.monotonic()
        await until(lambda: wire.gateway.ready)
        report(f"back {time.monotonic() - ended:.1f} s after the outage")
        assert (await missed.picture()).code.endswith("-7")
        report(f"{len(bot.log) - before} bytes of log in {OUTAGE_SECONDS} s")
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


async def test_a_start_without_network_works_once_it_is_there(wire: BotWire) -> None:
    await wire.go_down()
    async with wire.bot(wait=False) as bot:
        await until(lambda: "Cannot connect" in bot.log)
        await wire.come_back()
        await until(lambda: wire.gateway.ready)
        assert await wire.ben.send(wire.channel, "!bag 42").picture()
        assert "Traceback" not in bot.log


@pytest.mark.parametrize("event", [None, [], "x", {"id": "no number"}, {"author": None}])
async def test_a_malformed_event_is_skipped(wire: BotWire, event: object) -> None:
    async with wire.bot() as bot:
        waiting = wire.ben.send(wire.channel, "!bag grid")
        for name in (
            "MESSAGE_CREATE",
            "INTERACTION_CREATE",
            "GUILD_CREATE",
            "CHANNEL_UPDATE",
            "THREAD_CREATE",
        ):
            wire.gateway.dispatch(name, event)
        assert await waiting.picture()
        assert (await wire.ben.send(wire.channel, "!bag 42").picture()).code.endswith("-42")
        assert len(wire.gateway.identifies) == 1
        assert await bot.stop() == 0


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 403, "code": 50001},
        {"status": 400, "code": 50035},
        {"status": 429, "retry_after": 600.0},
        {"cut": True},
    ],
    ids=str,
)
async def test_commands_work_while_their_sync_is_refused(wire: BotWire, trouble: dict[str, Any]) -> None:
    wire.fail("PUT", "/applications/*/commands", times=None, **trouble)
    async with wire.bot() as bot:
        assert await wire.ben.send(wire.channel, "!bag 42").picture()
        assert await bot.stop() == 0
