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


def commands_of(world):
    """All that one can type, without the groups that only hold others."""
    group = world.env.bot.get_command("bag")
    return [group, *(one for one in group.walk_commands() if not hasattr(one, "commands"))]


async def test_help_tells_every_command_with_an_example(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag help")
        (embed,) = world.last.embeds
        told = " ".join([embed.description, *(field.value for field in embed.fields)])
        for command in commands_of(world):
            assert f"`!{command.qualified_name}" in told
        assert len(embed) < 6000
        result = await world.ben.slash(world.channel, "bag help")
        by_slash = [field.value for field in result.response.embeds[0].fields]
        assert by_slash == [
            field.value.replace("`!bag 42`", "`!bag dream 42`").replace("`!", "`/") for field in embed.fields
        ]


@pytest.mark.parametrize("topic", words.HELP_TOPICS)
async def test_every_example_of_a_topic_is_understood(server, topic):
    async with server() as world:
        await world.ada.send(world.channel, f"!bag help {topic}")
        fields = [field for embed in world.last.embeds for field in embed.fields]
        (field,) = [field for field in fields if field.name == topic.capitalize()]
        group = world.env.bot.get_command("bag")
        for name in re.findall(r"`!bag ([a-z]+)[ `]", field.value):
            assert group.get_command(name) is not None, name


async def test_help_on_each_command_tells_its_options(server):
    async with server() as world:
        for command in commands_of(world):
            await world.ada.send(world.channel, f"!bag help {command.qualified_name.removeprefix('bag ')}")
            embed = world.last.embeds[0]
            assert embed.title == f"!{command.qualified_name}"
            assert "`!bag" in embed.description
            told = " ".join(field.value for field in embed.fields)
            names = ("words" if name == "said" else name for name in command.clean_params)
            assert all(f"`{name}`" in told for name in names)
        await world.ada.send(world.channel, "!bag help morph")
        assert "`!bag morph`" in world.last.embeds[0].fields[-1].value


async def test_slash_commands_say_what_they_do_in_the_same_words(server):
    async with server() as world:
        for command in world.env.bot.tree.walk_commands():
            assert 1 <= len(command.description) <= 100
            assert "`" not in command.description
            assert command.description != "…"
            for option in getattr(command, "parameters", ()):
                assert 1 < len(str(option.description)) <= 100, (command.qualified_name, option.name)


async def test_help_completes_topics_and_commands(server):
    async with server() as world:
        typed = await world.ada.autocomplete(world.channel, "bag help", "topic", "tra")
        assert [choice["value"] for choice in typed] == ["training", "train start", "train stop"]
        everything = await world.ada.autocomplete(world.channel, "bag help", "topic", "")
        assert len(everything) <= 25


@pytest.mark.parametrize(
    "command",
    [
        *("", "grid", "interpolate", "morph 1", "show", "breed", "breed 1", "variations", "progress"),
        *("vote", "favorites", "help", "train", "train start"),
    ],
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
        assert "only in a server" in refused.content
