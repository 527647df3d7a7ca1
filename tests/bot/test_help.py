"""`!bag help`, and that whatever people type gets one answer."""

import re

import pytest

from bot import words

HOSTILE = [
    "@everyone <@1> <@&2> <#3>",
    "`" * 50,
    "\u202e\u0000 ‮ 👜" * 20,
    "x" * 1900,
    "'; DROP TABLE votes; --",
    "../../etc/passwd",
    "{0} %s ${HOME}",
    "9" * 1800,
]


async def test_help_tells_every_command(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag help")
        embed = world.last.embeds[0]
        told = " ".join([embed.description, *(field.value for field in embed.fields)])
        group = world.env.bot.get_command("bag")
        for command in group.walk_commands():
            if not hasattr(command, "commands"):
                assert f"!{command.qualified_name}" in told


@pytest.mark.parametrize("topic", words.HELP_TOPICS)
async def test_every_example_of_a_topic_is_understood(server, topic):
    async with server() as world:
        await world.ada.send(world.channel, f"!bag help {topic}")
        (field,) = world.last.embeds[0].fields
        assert field.name == topic.capitalize()
        group = world.env.bot.get_command("bag")
        for name in re.findall(r"`!bag ([a-z]+)[ `]", field.value):
            assert group.get_command(name) is not None, name


@pytest.mark.parametrize(
    "command",
    ["", "grid", "interpolate", "morph 1", "show", "vote", "favorites", "help", "train", "train start"],
)
async def test_hostile_words_get_one_answer_that_mentions_nobody(server, command):
    async with server() as world:
        for number, hostile in enumerate(HOSTILE, 1):
            await world.ben.send(world.channel, f"!bag {command} {hostile}")
            said = [message for message in world.channel.history() if message.author.bot]
            whispers = world.whispers(world.ben)
            assert len(said) + len(whispers) == number, hostile
            assert all(len(whisper) < 400 for whisper in whispers)
            assert not any(message.mentions or message.mention_everyone for message in said)


async def test_what_is_no_command_is_left_alone(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bags are nice")
        await world.ada.send(world.channel, "bag")
        assert len(world.channel.history()) == 2
        assert not world.whispers(world.ada)


async def test_it_answers_in_private_messages_too(server):
    async with server() as world:
        await world.ada.send_dm("!bag 42")
        await world.ada.send_dm("!bag top")
        dreamt, refused = [message for message in world.ada.user.dm_channel.history() if message.author.bot]
        assert dreamt.attachments
        assert "in a server only" in refused.content
