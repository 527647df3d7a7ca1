"""What the slash commands suggest while somebody types a code."""

import pytest
from sqlalchemy import event


async def suggested(actor, world, command, option, value, **filled):
    choices = await actor.autocomplete(world.channel, command, option, value, **filled)
    return [choice["value"] for choice in choices]


async def test_ones_own_newest_come_first(server):
    async with server() as world:
        for seed in (1, 2):
            await world.ada.send(world.channel, f"!bag {seed}")
        await world.ben.send(world.channel, "!bag 3")
        version = world.code.split("-")[0]
        typed = await suggested(world.ada, world, "bag dream", "code", "")
        assert typed == [f"{version}-{seed}" for seed in (2, 1, 3)]
        assert await suggested(world.ada, world, "bag dream", "code", f"{version}-2") == [f"{version}-2"]
        assert await suggested(world.ben, world, "bag show", "code", "1") == [f"{version}-1"]
        assert await suggested(world.ben, world, "bag show", "code", "zzz") == []


@pytest.mark.parametrize(
    ("command", "option", "filled"),
    [
        ("bag dream", "code", {}),
        ("bag show", "code", {}),
        ("bag variations", "code", {}),
        ("bag breed", "a", {}),
        ("bag breed", "b", {"a": "1"}),
        ("bag interpolate", "a", {}),
        ("bag interpolate", "h", {"a": "1", "b": "2"}),
    ],
)
async def test_every_code_is_completed(server, command, option, filled):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        assert await suggested(world.ada, world, command, option, "", **filled) == [world.code]


async def test_a_private_message_and_an_empty_store_suggest_nothing(server):
    async with server() as world:
        assert await suggested(world.ada, world, "bag show", "code", "k3f9") == []


@pytest.mark.parametrize("typed", ["", "k3f9", "k3f9x2-4", "-"])
async def test_no_suggestion_reads_the_whole_table(server, typed):
    async with server() as world:
        store = world.app.store
        asked = []

        def note(_connection, _cursor, statement, parameters, _context, _many):
            asked.append((statement, parameters))

        event.listen(store.engine.sync_engine, "before_cursor_execute", note)
        await store.suggestions(typed, world.guild.id, world.ada.id, 25, "k3f9x2")
        await store.suggestions(typed, world.guild.id, world.ada.id, 25)
        event.remove(store.engine.sync_engine, "before_cursor_execute", note)
        assert asked
        async with store.engine.connect() as connection:
            for statement, parameters in asked:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps = [row.detail for row in plan]
                assert steps
                assert not any(step.startswith("SCAN") for step in steps), steps


async def test_of_several_codes_the_last_is_completed(server):
    async with server() as world:
        for seed in (1, 2):
            await world.ada.send(world.channel, f"!bag {seed}")
        version = world.code.split("-")[0]
        typed = await suggested(world.ada, world, "bag vote", "designs", f"{version}-1 {version}")
        assert typed == [f"{version}-1 {version}-2"]
