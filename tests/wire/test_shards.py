"""Connections to Discord: as many as it wants or as config.toml says, and never more than a day has."""

import sqlite3
from contextlib import closing

import pytest

from tests.bot.world import until
from tests.wire.conftest import BotWire, report
from tests.wire.models import Guild

pytestmark = pytest.mark.slow

SPARED = 100
"""IDENTIFYs a day that the bot leaves alone."""


def guild_on(wire: BotWire, shard: int, shards: int) -> Guild:
    """A new server whose events come to a shard."""
    while True:  # its number hangs on the millisecond
        guild = wire.add_guild(f"Shard {shard}", wire.ada)
        if (guild.id >> 22) % shards == shard:
            guild.channel("bag-dreams")
            return guild
        wire.kick(guild)


@pytest.mark.parametrize(("configured", "recommended", "shards"), [("2", 1, 2), ("0", 3, 3)])
async def test_every_shard_connects_and_answers_its_servers(
    wire: BotWire, configured: str, recommended: int, shards: int
) -> None:
    wire.gateway.shards = recommended
    guilds = [guild_on(wire, shard, shards) for shard in range(shards)]
    async with wire.bot(BOT_SHARDS=configured) as bot:
        found = sorted(session.shard for session in wire.gateway.sessions)
        assert found == [(shard, shards) for shard in range(shards)]
        assert len(wire.gateway.identifies) == shards
        channels = [one for one in wire.channels.values() if one.guild in guilds]
        assert len(channels) == shards
        for channel in channels:
            card = await wire.ada.send(channel, "!bag 42").picture()
            await wire.ada.click(card, "bag:up").acknowledgement()
            await until(lambda card=card: card.control("bag:up")["label"] != "0")
        assert (await wire.ben.dm("!bag 42").picture()).code.endswith("-42")
        wire.gateway.close(4000)
        missed = [wire.ada.send(channel, "!bag 7") for channel in channels]
        for one in missed:
            assert (await one.picture()).code.endswith("-7")
        assert len(wire.gateway.resumes) == shards
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


async def test_the_last_connections_of_a_day_are_left_alone(wire: BotWire) -> None:
    wire.gateway.session_starts, wire.gateway.reset_seconds = SPARED, 2.0
    async with wire.bot(wait=False) as bot:
        await until(lambda: len(wire.called("GET /gateway/bot")) >= 4)
        assert not wire.gateway.identifies
        warnings = [line for line in bot.log.splitlines() if f"only {SPARED} more times" in line]
        assert warnings
        wire.gateway.session_starts = 1000
        await until(lambda: wire.gateway.ready)
        assert (await wire.ben.send(wire.channel, "!bag 42").picture()).code.endswith("-42")
        report(f"{len(warnings)} of {len(bot.log.splitlines())} lines say that connections are spared")
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


async def test_commands_are_published_only_when_they_changed(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        await until(lambda: published(wire))
        assert await bot.stop() == 0
    async with wire.bot() as bot:
        assert await wire.ben.slash(wire.channel, "bag dream", code="42").picture()
        assert await bot.stop() == 0
    assert wire.syncs == 1
    with closing(sqlite3.connect(wire.folder / "bot.db")) as store, store:
        store.execute("UPDATE published_commands SET digest = 'of other commands'")
    async with wire.bot() as bot:
        await until(lambda: wire.syncs == 2)
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


def published(wire: BotWire) -> int:
    """How many applications the store knows the commands of."""
    with closing(sqlite3.connect(wire.folder / "bot.db")) as store:
        return int(store.execute("SELECT count(*) FROM published_commands").fetchone()[0])
