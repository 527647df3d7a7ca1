"""`!bag forget me`: a person's votes, favorites and name, gone for good when they say so twice."""

from sqlalchemy import text

from bot.client.controls import button, view
from bot.store.favorites import COMMUNITY
from tests.bot.world import until


async def rows(world, query):
    async with world.app.store.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def traces(world, person):
    tables = ("votes", "ballots", "favorites", "designs")
    found = [await rows(world, f"SELECT * FROM {name} WHERE user_id = {person.id}") for name in tables]
    return {name: len(some) for name, some in zip(tables, found, strict=True)}


async def busy(world):
    """Ben and Ada dream, vote and save; the design that they share."""
    await world.ben.send(world.channel, "!bag 42")
    bag, code = world.last, world.code
    for person in (world.ada, world.ben):
        await person.click(bag, custom_id=f"bag:up:{code}")
        await person.click(bag, custom_id=f"bag:save:{code}")
    await world.ben.send(world.channel, "!bag vote 1 2")
    await world.ben.click(world.last, custom_id=world.last.components[0].children[0].custom_id)
    assert await traces(world, world.ben) == {"votes": 1, "ballots": 1, "favorites": 1, "designs": 3}
    return code


async def test_asked_in_public_it_is_confirmed_and_done_in_private(server):
    async with server() as world:
        code = await busy(world)
        before = await traces(world, world.ada)
        await world.ben.send(world.channel, "!bag forget me")
        ask = world.ben.user.dm_channel.history()[-1]
        assert "can't be undone" in ask.content
        assert "favorite of the community" in ask.content  # what stays
        assert await traces(world, world.ben) != dict.fromkeys(before, 0)  # not yet
        await world.restart()
        await world.ben.user.click(ask, custom_id=f"bag:forget:{world.ben.id}")
        done = world.ben.user.dm_channel.history()[-1]
        assert done.id == ask.id
        assert "1 vote, 1 favorite" in done.content
        assert not done.components

        assert await traces(world, world.ben) == dict.fromkeys(before, 0)
        assert await traces(world, world.ada) == before
        assert (await world.app.store.tally(code)).up == 1
        card = await world.app.store.card(code, world.guild.id)
        assert card.user_id is None
        assert set(card.saved_by) == {COMMUNITY, world.ada.id}  # with two votes it became everybody's
        assert (world.folder / "favorites" / f"{code}.png").exists()
        (score,) = await rows(world, f"SELECT up FROM scores WHERE code = '{code}' AND period = ''")
        assert score == (1,)


async def test_by_slash_only_the_asker_sees_the_question(server):
    async with server() as world:
        await busy(world)
        asked = await world.ben.slash(world.channel, "bag forget me")
        assert asked.ephemeral
        await world.ben.click(asked.response, custom_id=f"bag:forget:{world.ben.id}")
        assert set((await traces(world, world.ben)).values()) == {0}


async def test_forgotten_one_begins_anew(server):
    async with server() as world:
        code = await busy(world)
        await world.app.store.forget(world.ben.id)
        await world.ben.send(world.channel, f"!bag {code}")
        await world.ben.click(world.last, custom_id=f"bag:up:{code}")
        assert (await world.app.store.tally(code)).up == 2


async def test_nobody_can_have_another_forgotten(server):
    async with server() as world:
        await busy(world)
        before = await traces(world, world.ada)
        ask = view(button("forget", world.ada.id))
        await world.env.bot.get_channel(world.channel.id).send("a button that was not for all", view=ask)
        result = await world.ben.click(world.last, custom_id=f"bag:forget:{world.ada.id}")
        assert result.ephemeral
        assert "somebody else" in result.response.content
        assert await traces(world, world.ada) == before


async def test_without_me_it_asks_for_the_whole_command(server):
    async with server() as world:
        await world.ben.send(world.channel, "!bag forget")
        await world.ben.send(world.channel, "!bag forget ada")
        assert all("`!bag forget me`" in whisper for whisper in world.whispers(world.ben))


async def test_a_member_who_left_leaves_a_server_that_works(server):
    async with server() as world:
        code = await busy(world)
        world.guild.remove_member(world.ben)
        await world.env.settle()
        for command in (f"!bag show {code}", "!bag favorites", "!bag top", f"!bag favorites {world.ben.id}"):
            await world.ada.send(world.channel, command)
            assert world.last.attachments, command
        assert (await world.app.store.tally(code)).up == 2  # a vote is not lost because its voter is gone


async def test_what_only_the_forgotten_one_kept_leaves_the_hall_of_fame(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        code = await busy(world)  # with two votes it is the community's as well
        await world.ben.send(world.channel, "!bag 7")
        await world.ben.click(world.last, custom_id=f"bag:save:{world.code}")
        mine = world.code
        await until(lambda: len(hall.history()) == 2)
        asked = await world.ben.slash(world.channel, "bag forget me")
        await world.ben.click(asked.response, custom_id=f"bag:forget:{world.ben.id}")
        await until(lambda: len(hall.history()) == 1)
        assert code in hall.last_message.embeds[0].title
        assert mine not in hall.last_message.embeds[0].title
