"""An answer of Discord's that fails or gets lost: what took effect is done, what did not is done again."""

from typing import Any

import pytest

from tests.bot.world import until
from tests.wire.conftest import BotProcess, BotWire

pytestmark = pytest.mark.slow

PASSING: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503},
    {"status": 429, "retry_after": 0.2},
    {"status": 429, "retry_after": 0.2, "everywhere": True},
    {"cut": True},
    {"status": 500, "after_effect": True},
    {"status": 503, "after_effect": True},
    {"cut": True, "after_effect": True},
]


async def finished(bot: BotProcess, times: int) -> None:
    """Wait for the end of so many commands and buttons, with all that is tried again."""
    await until(lambda: bot.log.count('"outcome": ') >= times)


@pytest.mark.parametrize("trouble", PASSING, ids=str)
async def test_an_acknowledgement_in_trouble_counts_as_done(wire: BotWire, trouble: dict[str, Any]) -> None:
    async with wire.bot() as bot:
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        fault = wire.fail("POST", "/interactions/*/callback", **trouble)
        again = wire.ben.click(card, "bag:again")
        assert await again.picture()
        vote = wire.ben.click(card, "bag:up")
        await until(lambda: card.control("bag:up")["label"] == "1")
        assert vote.acknowledged
        assert fault.hits == 1
        assert len(again.answers) == 1
        assert not wire.ben.told
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


@pytest.mark.parametrize("trouble", PASSING, ids=str)
async def test_an_answer_in_trouble_is_given_once(wire: BotWire, trouble: dict[str, Any]) -> None:
    async with wire.bot() as bot:
        await wire.ada.send(wire.channel, "!bag 42").picture()
        place = wire.guild.channel("elsewhere")
        fault = wire.fail("POST", f"/channels/{place.id}/messages", **trouble)
        typed = wire.ben.send(place, "!bag 42")
        assert await typed.picture()
        after = wire.ben.send(place, "!bag 7")
        assert (await after.picture()).code.endswith("-7")
        await finished(bot, 3)
        assert fault.hits == 1
        assert [len(one.answers) for one in (typed, after)] == [1, 1]
        assert not wire.ben.told
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


# Not where the connection breaks or the effect is there: discord.py repeats what a webhook sends, and Discord
# takes no nonce for it.
@pytest.mark.parametrize("trouble", PASSING[:4], ids=str)
async def test_a_picture_after_thinking_in_trouble_is_given_once(
    wire: BotWire, trouble: dict[str, Any]
) -> None:
    async with wire.bot() as bot:
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        fault = wire.fail("*", "/webhooks/*", **trouble)
        again = wire.ben.click(card, "bag:again")
        assert await again.picture()
        await finished(bot, 2)
        assert fault.hits == 1
        assert len(again.answers) == 1
        assert not wire.thinking()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
