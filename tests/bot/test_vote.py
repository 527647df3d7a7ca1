"""👍 👎, `!bag vote` and `!bag top`."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bot.store.votes import Tally


def labels(message):
    return [item.label for item in message.components[0].children][:2]


async def test_one_vote_a_person_changeable_and_retractable(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        for person, way, expected in (
            (world.ada, "up", ["1", "0"]),
            (world.ben, "up", ["2", "0"]),
            (world.ben, "down", ["1", "1"]),
            (world.ben, "down", ["1", "0"]),
        ):
            await person.click(bag, custom_id=f"bag:{way}:{code}")
            assert labels(world.now(bag)) == expected


async def test_the_buttons_of_an_old_message_work_after_a_restart(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        await world.ada.click(bag, custom_id=f"bag:up:{code}")
        await world.restart()
        await world.ben.click(bag, custom_id=f"bag:down:{code}")
        assert labels(world.now(bag)) == ["1", "1"]
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        await world.ben.click(bag, custom_id="bag:again")
        assert world.code != code


async def test_votes_survive_a_store_that_was_lost(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        async with world.app.store.engine.begin() as connection:
            await connection.execute(text("DELETE FROM designs"))
        await world.ben.click(bag, custom_id=f"bag:up:{code}")
        assert labels(world.now(bag)) == ["1", "0"]


async def test_at_the_threshold_a_design_becomes_the_communitys_favorite_once(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        await world.ada.click(bag, custom_id=f"bag:up:{code}")
        assert not (world.folder / "favorites").exists()
        for _ in range(3):  # over the threshold, under it, and over it again
            await world.ben.click(bag, custom_id=f"bag:up:{code}")
        assert (await world.app.store.tally(code)) == Tally(2, 0)
        said = [message.content for message in world.channel.history() if "favorite" in message.content]
        assert len(said) == 1
        about = json.loads((world.folder / "favorites" / f"{code}.json").read_text())
        assert about["seed"] == 42
        assert (world.folder / "favorites" / f"{code}.png").stat().st_size > 0


async def test_two_hundred_votes_at_once_are_counted_exactly(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code, store = world.code, world.app.store
        await asyncio.gather(*(store.vote(code, user, 1, 1 if user % 4 else -1) for user in range(200)))
        await asyncio.gather(*(store.vote(code, user, 1, -1) for user in range(1, 200, 4)))
        assert await store.tally(code) == Tally(100, 100)


async def test_top_lists_the_best_first(server):
    async with server() as world:
        codes = []
        for seed, voters in ((1, [world.ada]), (2, [world.ada, world.ben]), (3, [])):
            await world.ada.send(world.channel, f"!bag {seed}")
            bag = world.last
            codes.append(world.code)
            for voter in voters:
                await voter.click(bag, custom_id=f"bag:up:{codes[-1]}")
        await world.ada.send(world.channel, "!bag top")
        text = world.last.embeds[0].description
        assert text.index(codes[1]) < text.index(codes[0])
        assert codes[2] not in text


async def test_a_vote_between_designs_closes_with_a_tally_and_its_winner_is_kept(server):
    async with server("vote_minutes = 0.001") as world:
        await world.ada.send(world.channel, "!bag vote 1 2 3")
        ballot = world.last
        first = ballot.components[0].children[0].custom_id
        assert "closes" in ballot.embeds[0].description
        await asyncio.sleep(0.1)
        late = await world.ben.click(ballot, custom_id=first)
        assert late.ephemeral
        assert "closed" in late.response.content
        await world.cog.close_due_rounds()
        await world.env.settle()
        assert "Nobody voted" in world.last.content


async def test_a_choice_can_be_changed_until_the_deadline(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag vote 1 2")
        ballot = world.last
        first, second = (item.custom_id for item in ballot.components[0].children)
        await world.ada.click(ballot, custom_id=first)
        await world.ben.click(ballot, custom_id=first)
        await world.ben.click(ballot, custom_id=second)
        await world.ada.click(ballot, custom_id=second)
        shown = world.now(ballot).embeds[0].description
        assert [line.split()[-1] for line in shown.splitlines()[1:]] == ["0", "2"]
        await world.restart()  # a vote outlives the bot
        async with world.app.store.engine.begin() as connection:
            await connection.execute(
                text("UPDATE rounds SET closes_at = :past"), {"past": datetime.now(UTC) - timedelta(1)}
            )
        await world.cog.close_due_rounds()
        await world.cog.close_due_rounds()
        await world.env.settle()
        winner = second.split(":")[-1]
        results = [message.content for message in world.channel.history() if "wins" in message.content]
        assert results == [f"🏆 `{winner}` wins with 2 votes!"]
        assert (world.folder / "favorites" / f"{winner}.png").exists()
        closed = world.now(ballot)
        assert "is closed" in closed.embeds[0].description
        assert all(item.disabled for item in closed.components[0].children)
        assert len(closed.attachments) == 1
