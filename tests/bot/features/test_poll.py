"""`!bag vote`: opened, cast, closed and told once, whatever restarts and faults lie between."""

import asyncio
from datetime import UTC, datetime, timedelta

import discord
import pytest
from sqlalchemy import text

from tests.bot.world import until

FORMS = pytest.mark.parametrize("form", ["prefix", "slash"])


async def opened(world, form="prefix", designs="1 2 3"):
    """A vote's message and the custom ids of its buttons."""
    await world.say(world.ada, form, "vote", designs=designs)
    return world.last, [item.custom_id for item in world.last.components[0].children]


async def expire(world):
    """The deadline of all votes passes."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with world.app.store.engine.begin() as connection:
        await connection.execute(text("UPDATE rounds SET closes_at = :past"), {"past": past})


async def close(world):
    """What the schedule does every two seconds."""
    await world.polls.close_due_polls()
    await world.env.settle()


async def sql(world, statement):
    """The rows of a statement, if it gives any."""
    async with world.app.store.engine.begin() as connection:
        result = await connection.execute(text(statement))
        return result.all() if result.returns_rows else []


async def may_speak(world, allowed):
    """Whether anybody may write in the channel."""
    role = world.env.backend.get_guild(world.guild.id).roles[world.guild.id]
    changed = discord.Permissions(int(role.permissions))
    changed.update(send_messages=allowed)
    world.env.backend.edit_role(world.guild.id, role.id, {"permissions": changed.value})
    await world.allow(send_messages=allowed)


async def is_closed(world, ballot):
    """The message of a vote when it shows that it is closed."""
    await until(lambda: "is closed" in world.now(ballot).embeds[0].description)
    return world.now(ballot)


def said(world, channel=None):
    """How votes ended, as told in the channel."""
    own = [message for message in (channel or world.channel).history() if message.author.bot]
    return [message.content for message in own if message.content.startswith("Vote ")]


def ballots(world):
    """The messages with a vote."""
    return [
        one for one in world.channel.history() if one.embeds and "which bag" in (one.embeds[0].title or "")
    ]


def standing(message):
    return [int(line.split()[-1]) for line in message.embeds[0].description.splitlines()[1:]]


@FORMS
async def test_a_vote_is_opened_cast_changed_closed_and_told_and_its_winner_kept(server, form):
    async with server() as world:
        ballot, (first, second) = await opened(world, form, "1 2")
        assert "closes" in ballot.embeds[0].description
        await world.ada.click(ballot, custom_id=first)
        await world.ben.click(ballot, custom_id=first)
        assert standing(world.now(ballot)) == [2, 0]
        await world.ben.click(ballot, custom_id=second)
        await world.ada.click(ballot, custom_id=second)
        assert standing(world.now(ballot)) == [0, 2]
        await close(world)
        assert not said(world)  # it is not yet time
        await expire(world)
        await close(world)
        winner = second.split(":")[-1]
        assert said(world) == [f"Vote 1: 🏆 `{winner}` wins with 2 votes!"]
        assert world.last.reference.message_id == ballot.id
        assert (world.folder / "favorites" / f"{winner}.png").exists()
        closed = await is_closed(world, ballot)
        assert all(item.disabled for item in closed.components[0].children)
        assert len(closed.attachments) == 1
        await world.pick(world.ben, world.last, winner)
        assert world.code == winner


@FORMS
async def test_without_designs_it_is_between_four_new_ones(server, form):
    async with server() as world:
        if form == "slash":
            await world.ada.slash(world.channel, "bag vote")
        else:
            await world.ada.send(world.channel, "!bag vote")
        assert len(world.last.components[0].children) == 4
        assert "handbags" in world.last.attachments[0].description


@pytest.mark.parametrize("designs", ["1", "1 1", "1 2 3 4 5", "banana 2"])
async def test_a_vote_needs_two_to_four_designs(server, designs):
    async with server() as world:
        await world.ada.send(world.channel, f"!bag vote {designs}")
        (whisper,) = world.whispers(world.ada)
        assert "bag" in whisper
        result = await world.ada.slash(world.channel, "bag vote", designs=designs)
        assert result.ephemeral
        assert not await sql(world, "SELECT * FROM rounds")


async def test_a_choice_that_comes_too_late_is_not_counted(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await expire(world)
        late = await world.ben.click(ballot, custom_id=first)
        assert "closed" in late.response.content
        assert late.response.ephemeral
        await close(world)
        assert said(world) == ["Vote 1: nobody voted, so no bag won. Perhaps next time."]
        assert not await world.app.store.favorite_codes()


async def test_a_tie_has_no_winner(server):
    async with server() as world:
        ballot, (first, second, _) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await world.ben.click(ballot, custom_id=second)
        await expire(world)
        await close(world)
        (result,) = said(world)
        assert "tie" in result
        assert first.split(":")[-1] in result
        assert second.split(":")[-1] in result
        assert not await world.app.store.favorite_codes()


async def test_nobody_counts_twice_however_fast_they_click(server):
    async with server() as world:
        ballot, choices = await opened(world)
        clicks = [(person.id, choices[n % 3]) for n in range(60) for person in (world.ada, world.ben)]
        records = world.click_at_once(ballot, clicks)
        await until(lambda: all(record.responded for record in records))
        await world.env.settle()
        assert sum((await world.app.store.poll(1)).votes.values()) == 2
        assert sum(standing(world.now(ballot))) == 2


async def test_the_choice_of_a_member_who_leaves_stays(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ben.click(ballot, custom_id=first)
        world.env.backend.remove_member(world.guild.id, world.ben.id)
        await world.env.settle()
        await expire(world)
        await close(world)
        assert "wins with 1 vote!" in said(world)[0]


# Restarts at every step ----------------------------------------------------------------------


async def test_a_crash_before_the_message_posts_it_later_once(server):
    async with server() as world:
        codes = [str(await world.app.studio.code(seed)) for seed in "12"]
        await world.ada.send(world.channel, "!bag 1")
        await world.ada.send(world.channel, "!bag 2")
        closes_at = datetime.now(UTC) + timedelta(hours=1)
        await world.app.store.open_poll(world.guild.id, world.channel.id, codes, closes_at)
        await world.restart()
        await close(world)
        await close(world)
        (ballot,) = ballots(world)
        await world.ada.click(ballot, custom_id=ballot.components[0].children[0].custom_id)
        assert standing(world.now(ballot)) == [1, 0]


async def test_a_vote_whose_message_never_came_ends_in_silence(server):
    async with server() as world:
        codes = [str(await world.app.studio.code(seed)) for seed in "12"]
        past = datetime.now(UTC) - timedelta(hours=1)
        await world.app.store.open_poll(world.guild.id, world.channel.id, codes, past)
        await world.restart()
        await close(world)
        assert not world.channel.history()
        assert not await world.app.store.pending_polls(datetime.now(UTC))


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_crash_after_the_message_finds_it_again(server, in_time):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await sql(world, "UPDATE rounds SET message_id = NULL")
        await world.restart()
        if in_time:
            await close(world)
            assert (await world.app.store.poll(1)).message_id == ballot.id
        await world.ada.click(ballot, custom_id=first)
        await expire(world)
        await close(world)
        assert len(ballots(world)) == 1
        assert len(said(world)) == 1
        await is_closed(world, ballot)


async def test_a_restart_between_two_choices_loses_none(server):
    async with server() as world:
        ballot, (first, second, _) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await world.restart()
        await world.ben.click(ballot, custom_id=first)
        await world.restart()
        await world.ada.click(ballot, custom_id=second)
        assert standing(world.now(ballot)) == [1, 1, 0]


async def test_a_crash_between_closing_and_telling_tells_it_later(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await expire(world)
        await world.app.store.close_poll(1)
        await world.restart()
        await close(world)
        await close(world)
        assert len(said(world)) == 1
        await is_closed(world, ballot)
        assert await world.app.store.favorite_codes() == [first.split(":")[-1]]


async def test_a_crash_between_telling_and_its_record_tells_it_once(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await expire(world)
        await close(world)
        for number in range(30):  # people talk on
            await world.ben.send(world.channel, f"I knew it {number}")
        await sql(world, "UPDATE rounds SET announced = 0")
        await world.restart()
        await close(world)
        assert len(said(world)) == 1
        assert not await world.app.store.pending_polls(datetime.now(UTC))


async def test_two_who_close_at_the_same_time_tell_it_once(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await expire(world)
        await asyncio.gather(*(world.polls.close_due_polls() for _ in range(5)))
        assert len(said(world)) == 1


# Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 429])
async def test_an_end_that_discord_refuses_is_told_later_once(server, status):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await expire(world)
        world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=status, times=1)
        world.env.inject_error("PATCH", f"/channels/{world.channel.id}/messages/*", status=status, times=1)
        await close(world)
        assert not said(world)
        for _ in range(100):
            await close(world)
            if said(world):
                break
            await asyncio.sleep(0.1)
        await close(world)
        assert len(said(world)) == 1
        await is_closed(world, ballot)


@FORMS
async def test_a_vote_that_discord_refuses_to_show_is_none(server, form):
    async with server() as world:
        world.expects = discord.HTTPException
        for method, path in (("POST", f"/channels/{world.channel.id}/messages"), ("PATCH", "/webhooks/*")):
            world.env.inject_error(method, path, status=500, times=2)
        await world.say(world.ada, form, "vote", designs="1 2")
        assert not await sql(world, "SELECT * FROM rounds")
        await close(world)
        assert not ballots(world)


async def test_the_end_of_a_vote_whose_message_was_deleted_is_told(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await world.ada.delete(ballot)
        await expire(world)
        await close(world)
        await close(world)
        assert len(said(world)) == 1


async def test_in_a_deleted_channel_a_vote_ends_and_keeps_its_winner(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await expire(world)
        world.env.backend.delete_channel(world.channel.id)
        await world.env.settle()
        await close(world)
        assert await world.app.store.favorite_codes() == [first.split(":")[-1]]
        assert not await world.app.store.pending_polls(datetime.now(UTC))


async def test_where_the_bot_may_no_longer_speak_a_vote_ends_and_keeps_its_winner(server):
    async with server() as world:
        ballot, (first, *_) = await opened(world)
        await world.ada.click(ballot, custom_id=first)
        await may_speak(world, False)
        await expire(world)
        await close(world)
        assert not said(world)
        assert await world.app.store.favorite_codes() == [first.split(":")[-1]]
        await may_speak(world, True)
        await close(world)
        assert not said(world)  # not out of the blue, days later


async def test_a_vote_in_trouble_keeps_no_other_waiting(server):
    async with server() as world:
        await opened(world)
        other = world.guild.create_text_channel("elsewhere")
        await world.ada.send(other, "!bag vote 1 2")
        await expire(world)
        world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=500, times=None)
        await close(world)
        assert not said(world)
        assert len(said(world, other)) == 1


async def test_a_vote_in_a_thread_ends_there_also_when_it_is_archived(server):
    async with server() as world:
        channel = world.env.bot.get_channel(world.channel.id)
        thread = await channel.create_thread(name="bags", type=discord.ChannelType.public_thread)
        await world.env.settle()
        (place,) = world.channel.threads
        await world.ada.send(place, "!bag vote 1 2")
        ballot = place.last_message
        await world.ada.click(ballot, custom_id=ballot.components[0].children[0].custom_id)
        await thread.edit(archived=True)
        await world.env.settle()
        await expire(world)
        await close(world)
        assert len(said(world, place)) == 1
