"""Several shards, as many as Discord recommends: every server is served, and so are direct messages."""

import pytest

from tests.wire.conftest import BotWire

pytestmark = pytest.mark.slow


async def test_every_server_is_served_by_its_shard(wire: BotWire) -> None:
    wire.gateway.shards = 2
    places = {(wire.guild.id >> 22) % 2: wire.channel}
    while len(places) < 2:
        guild = wire.add_guild("More Bag Lovers", wire.ada)
        places.setdefault((guild.id >> 22) % 2, guild.channel("bag-dreams"))
    async with wire.bot() as bot:
        assert {session.shard for session in wire.gateway.sessions} == {(0, 2), (1, 2)}
        for place in places.values():
            assert (await wire.ada.send(place, "!bag 42").picture()).code.endswith("-42")
            assert await wire.ada.slash(place, "bag grid", count=4).picture()
        assert await wire.ben.dm("!bag 42").picture()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
