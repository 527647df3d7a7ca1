"""The hall of fame: a post for each favorite, edited and never doubled."""

from datetime import UTC, datetime, timedelta

import discord
import pytest

from tests.bot.world import until


async def saved(world, seed=42):
    """A bag that Ada has saved: its message and its code."""
    await world.ada.send(world.channel, f"!bag {seed}")
    bag, code = world.last, world.code
    await world.ada.click(bag, custom_id=f"bag:save:{code}")
    return bag, code


def posts(hall):
    """The bot's posts in a channel, oldest first."""
    return [message for message in hall.history() if message.author.bot]


def counts(message):
    return [item.label for item in message.components[0].children][:2]


async def row(world, code):
    return await world.app.store.hall_post(world.guild.id, code)


async def test_a_favorite_is_shown_with_its_picture_and_buttons(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        _, code = await saved(world)
        (post,) = posts(hall)
        assert post.embeds[0].title == f"⭐ Bag {code}"
        assert "handbag" in post.attachments[0].description
        assert (await row(world, code)).message_id == post.id
        await world.ben.click(post, custom_id=f"bag:up:{code}")
        assert counts(posts(hall)[0]) == ["1", "0"]


async def test_votes_elsewhere_edit_the_post(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        for person in (world.ada, world.ben):
            await person.click(bag, custom_id=f"bag:up:{code}")
        await until(lambda: counts(posts(hall)[0]) == ["2", "0"])
        assert len(posts(hall)) == 1


async def test_saved_twice_voted_in_and_won_it_has_one_post(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        for person in (world.ada, world.ben):
            await person.click(bag, custom_id=f"bag:up:{code}")
        await world.restart()
        await world.env.settle()
        assert len(posts(hall)) == 1
        # The hall says it: no line in the channel.
        assert not [message for message in world.channel.history() if "favorite" in message.content]


async def test_taken_back_by_everybody_it_goes_and_saved_again_it_returns(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        await world.ada.click(bag, custom_id=f"bag:save:{code}")
        assert len(posts(hall)) == 1
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        assert posts(hall) == []
        assert await row(world, code) is None
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        assert len(posts(hall)) == 1


async def test_the_winner_of_a_vote_comes_into_the_hall(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.ada.send(world.channel, "!bag vote 1 2")
        choice = world.last.components[0].children[1].custom_id
        await world.ada.click(world.last, custom_id=choice)
        world.clock.moment = datetime.now(UTC) + timedelta(days=1)
        await world.env.advance_time(3)  # the feature looks every two seconds
        await until(lambda: posts(hall))
        assert posts(hall)[0].embeds[0].title.endswith(choice.split(":")[-1])


async def test_without_a_hall_the_channel_hears_of_it_and_the_favorite_is_kept(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        for person in (world.ada, world.ben):
            await person.click(bag, custom_id=f"bag:up:{code}")
        assert "newest favorite" in world.last.content
        assert world.last.id != bag.id
        assert [file.filename for file in world.last.attachments] == [f"{code}.png"]
        assert world.code == code
        assert await row(world, code) is None


async def test_each_server_has_its_own_hall(server):
    async with server() as world:
        world.guild.create_text_channel("hall-of-fame")
        walk = world.guild.create_text_channel("walk-of-fame")
        await world.app.guilds.set_up(world.guild.id, hall_id=walk.id)
        _, code = await saved(world)
        assert len(posts(walk)) == 1
        assert (await row(world, code)).channel_id == walk.id


# Crashes -------------------------------------------------------------------------------------


async def test_a_crash_before_the_post_posts_it_later_once(server):
    async with server() as world:
        _, code = await saved(world)
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.app.store.claim_hall_post(world.guild.id, code, hall.id)
        for _ in range(2):
            await world.restart()
            await until(lambda: posts(hall))
            await world.env.settle()
        assert len(posts(hall)) == 1
        assert (await row(world, code)).message_id == posts(hall)[0].id


async def test_a_crash_before_the_claim_posts_it_later(server):
    async with server() as world:
        _, code = await saved(world)  # there is no hall yet, so this is as if nothing had been claimed
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.restart()
        await until(lambda: posts(hall))
        assert posts(hall)[0].embeds[0].title.endswith(code)


async def test_a_crash_between_post_and_its_record_finds_it_again(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        (post,) = posts(hall)
        await saved(world, 43)
        await world.app.store.claim_hall_post(world.guild.id, code, hall.id)
        await world.restart()
        await world.ben.click(bag, custom_id=f"bag:up:{code}")
        await until(lambda: counts(next(one for one in posts(hall) if one.id == post.id)) == ["1", "0"])
        assert len(posts(hall)) == 2
        assert (await row(world, code)).message_id == post.id


# Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 429])
async def test_a_post_that_discord_refuses_for_a_while_comes_once(server, status):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        world.env.inject_error("POST", f"/channels/{hall.id}/messages", status=status, times=2)
        await saved(world)
        await until(lambda: posts(hall))
        await world.env.settle()
        assert len(posts(hall)) == 1


@pytest.mark.parametrize("status", [500, 429])
async def test_an_edit_that_discord_refuses_for_a_while_is_made_later(server, status):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        world.env.inject_error("PATCH", f"/channels/{hall.id}/messages/*", status=status, times=2)
        await world.ben.click(bag, custom_id=f"bag:up:{code}")
        await until(lambda: counts(posts(hall)[0]) == ["1", "0"])


async def test_a_post_that_somebody_deleted_stays_away(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        await world.ada.delete(posts(hall)[0])
        for person in (world.ada, world.ben):  # by votes, and by becoming the community's favorite
            await person.click(bag, custom_id=f"bag:up:{code}")
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        await world.restart()
        await world.env.settle()
        assert posts(hall) == []
        assert await world.app.store.is_favorite(code, world.guild.id)


async def test_after_the_hall_was_deleted_another_one_gets_the_post(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        bag, code = await saved(world)
        world.env.backend.delete_channel(hall.id)
        await world.env.settle()
        other = world.guild.create_text_channel("hall-of-fame")
        await world.env.settle()
        await world.ben.click(bag, custom_id=f"bag:up:{code}")
        await until(lambda: posts(other))
        assert (await row(world, code)).channel_id == other.id


async def test_a_hall_that_is_gone_keeps_no_favorite_from_being_saved(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        await saved(world)
        world.env.backend.delete_channel(hall.id)
        await world.env.settle()
        _, code = await saved(world, 43)
        assert await world.app.store.is_favorite(code, world.guild.id)
        assert (world.folder / "favorites" / f"{code}.json").exists()


async def test_a_hall_in_which_the_bot_may_not_write_loses_no_favorite(server):
    async with server() as world:
        nobody = discord.PermissionOverwrite(send_messages=False)
        hall = world.guild.create_text_channel("hall-of-fame", overwrites={world.guild.default_role: nobody})
        _, code = await saved(world)
        assert posts(hall) == []
        assert await world.app.store.is_favorite(code, world.guild.id)
        assert (world.folder / "favorites" / f"{code}.json").exists()
        channel = world.env.backend.get_channel(hall.id)
        channel.overwrites.clear()  # an admin mends it
        await world.restart()
        await until(lambda: posts(hall))
        assert len(posts(hall)) == 1
