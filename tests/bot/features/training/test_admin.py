"""What is for people with Manage Server is refused to everybody else, in every form and place."""

import discord
import pytest

from bot import words

ADMINS = words.HELP_TOPICS["admins"]


@pytest.fixture
def managers():
    return discord.Permissions(
        view_channel=True, send_messages=True, manage_guild=True, use_application_commands=True
    )


async def test_each_of_them_has_a_check(server):
    async with server() as world:
        commands = world.env.bot.get_command("bag").walk_commands()
        refused = {command.qualified_name.removeprefix("bag ") for command in commands if command.checks}
        assert set(ADMINS) <= refused


async def test_they_are_refused_to_others_by_prefix_and_by_slash(server):
    async with server() as world:
        for number, command in enumerate(ADMINS, 1):
            await world.ben.send(world.channel, f"!bag {command}")
            assert len(world.whispers(world.ben)) == number
            result = await world.ben.slash(world.channel, f"bag {command}")
            assert result.ephemeral
            for said in (world.whispers(world.ben)[-1], result.response.content):
                assert "Manage Server" in said, command
        assert all(message.author.id == world.ben.id for message in world.channel.history())
        assert not world.app.trainer.running
        assert not world.app.scraper.running


async def test_in_private_messages_nobody_is_an_admin(server):
    async with server() as world:
        for command in ADMINS:
            await world.ada.send_dm(f"!bag {command}")
            said = world.whispers(world.ada)[-1]
            assert "only in a server" in said or "Manage Server" in said, command
            result = await world.ada.user.slash(f"bag {command}")
            assert "only in a server" in result.response.content or "Manage Server" in result.response.content
        assert not world.app.trainer.running
        assert not world.app.scraper.running


async def test_the_permission_counts_and_not_the_owner_alone(server, managers):
    async with server() as world:
        role = world.guild.create_role("Managers", permissions=managers)
        cleo = world.guild.add_member(world.env.create_user("cleo"), roles=[role])
        await cleo.send(world.channel, "!bag setup votes 5")
        result = await cleo.slash(world.channel, "bag setup", what="votes", value="6")
        assert result.response.embeds
        assert world.app.guilds.rules(world.guild.id).favorite_votes == 6
        await cleo.send(world.channel, "!bag train stop")
        assert "No training run" in world.whispers(cleo)[0]
