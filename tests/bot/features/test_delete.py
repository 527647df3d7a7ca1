"""`!bag delete` and *Delete this dream*: for who asked for the post, and for moderators."""

import discord
import pytest

MENU = "Delete this dream"


def there(world, message):
    return any(found.id == message.id for found in world.channel.history())


@pytest.fixture
def moderators():
    return discord.Permissions(
        view_channel=True,
        read_message_history=True,
        send_messages=True,
        manage_messages=True,
        use_application_commands=True,
    )


async def ask(world, how):
    """Ben asks for a bag; the post."""
    if how == "prefix":
        await world.ben.send(world.channel, "!bag 42")
    elif how == "slash":
        await world.ben.slash(world.channel, "bag dream", code="42")
    else:
        await world.ada.send(world.channel, "!bag 42")
        await world.ben.click(world.last, custom_id="bag:again")
    return world.last


@pytest.mark.parametrize("how", ["prefix", "slash", "button"])
async def test_who_asked_for_a_post_can_delete_it_and_nobody_else(server, how):
    async with server() as world:
        cleo = world.guild.add_member(world.env.create_user("cleo"))
        for delete in ("menu", "reply", "link"):
            post = await ask(world, how)
            await world.restart()
            for person, stays in ((cleo, True), (world.ben, False)):
                if delete == "menu":
                    result = await person.context_menu(world.channel, MENU, post)
                    said = result.response.content
                    assert result.ephemeral
                elif delete == "reply":
                    await person.send(world.channel, "!bag delete", reply_to=post)
                    said = world.whispers(person)[-1]
                else:
                    result = await person.slash(world.channel, "bag delete", message=post.jump_url)
                    said = result.response.content
                    assert result.ephemeral
                assert there(world, post) is stays, (delete, said)
                assert said == "Deleted." if not stays else "Only its requester" in said


async def test_moderators_delete_any_post_of_the_bot_and_none_of_others(server, moderators):
    async with server() as world:
        role = world.guild.create_role("Moderators", permissions=moderators)
        cleo = world.guild.add_member(world.env.create_user("cleo"), roles=[role])
        for message in (await ask(world, "prefix"), await ask(world, "slash")):
            await cleo.context_menu(world.channel, MENU, message)
            assert not there(world, message)
        channel = world.env.bot.get_channel(world.channel.id)
        await channel.send("something the bot said by itself")
        post = world.last
        await world.ben.context_menu(world.channel, MENU, post)
        assert there(world, post)
        await cleo.send(world.channel, f"!bag delete {post.jump_url}")
        assert not there(world, post)

        await world.ben.send(world.channel, "hello")
        hello = world.last
        refused = await cleo.context_menu(world.channel, MENU, hello)
        assert "my own posts" in refused.response.content
        assert there(world, hello)


async def test_a_moderator_of_one_server_is_none_in_another(server, moderators):
    async with server() as world:
        post = await ask(world, "prefix")
        elsewhere = world.env.create_guild("Elsewhere", owner=world.env.create_user("cleo"))
        there_too = elsewhere.create_text_channel("general")
        cleo = elsewhere.add_member(elsewhere.owner)
        await cleo.send(there_too, f"!bag delete {post.jump_url}")
        assert "in this server" in world.whispers(cleo)[-1]
        assert there(world, post)


async def test_in_private_messages_everybody_deletes_what_they_were_sent(server):
    async with server() as world:
        await world.ben.send_dm("!bag 42")
        post = world.ben.user.dm_channel.history()[-1]
        assert post.attachments
        await world.ben.send_dm(f"!bag delete {post.id}")
        assert not any(message.id == post.id for message in world.ben.user.dm_channel.history())


async def test_without_a_post_it_says_how(server):
    async with server() as world:
        await world.ben.send(world.channel, "!bag delete")
        await world.ben.send(world.channel, "!bag delete 123456789012345678")
        result = await world.ben.slash(world.channel, "bag delete")
        for said in world.whispers(world.ben):
            assert "`!bag delete`" in said
        assert "`/bag delete`" in result.response.content


async def test_a_post_that_is_gone_already_is_no_error(server):
    async with server() as world:
        post = await ask(world, "slash")
        world.env.inject_error("DELETE", "/channels/*/messages/*", status=404, code=10008)
        result = await world.ben.context_menu(world.channel, MENU, post)
        assert "already gone" in result.response.content
