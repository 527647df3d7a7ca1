"""How commands are called, and that the bot calls them as people do: with its prefix, or by slash."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from discord import app_commands

from bot import words
from tests.bot.world import until

TYPED = [
    *(
        "",
        "42",
        "help",
        "banana",
        "favrites",
        "42, 7",
        "9999999999",
        "zzzz-1",
        "grid many",
        "show 99",
        "progress",
    ),
    *("interpolate 1", "interpolate 1 1", "interpolate 1 zzzz-2", "breed 1 1", "breed", "vote 1", "vote x y"),
    *(
        "top",
        "top centuries",
        "favorites",
        "favorites nobody",
        "delete",
        "forget",
        "forget me",
        "train",
        "export",
    ),
    *("setup", "setup color red", "setup zone Mars", "setup votes 0", "help bananas", "help favrites"),
]
SLASHED = [
    *(
        ("help", {}),
        ("help", {"topic": "grid"}),
        ("help", {"topic": "morph"}),
        ("help", {"topic": "favrites"}),
    ),
    *(("dream", {"code": said}) for said in ("42", "banana", "favrites", "42, 7", "9999999999", "zzzz-1")),
    *(("show", {"code": "99"}), ("vote", {"designs": "1"}), ("breed", {"a": "1", "b": "1"})),
    *(("interpolate", {"a": "1", "b": "1"}), ("top", {"period": "week"}), ("favorites", {}), ("delete", {})),
    *(("setup", {}), ("setup", {"what": "zone", "value": "Mars"}), ("forget me", {}), ("export", {})),
]


def sent(world, since=0):
    """All that the bot has sent to Discord, without its answers to nobody: the commands' registration."""
    requests = world.env.http_requests[since:]
    return [
        json.dumps(request.json, ensure_ascii=False)
        for request in requests
        if "/commands" not in request.path
    ]


async def test_every_word_and_example_has_the_prefix(server):
    async with server('prefix = "?"') as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        for typed in TYPED:
            await world.ada.send(world.channel, f"?bag {typed}")
        for name in world.env.bot.get_command("bag").all_commands:
            await world.ada.send(world.channel, f"?bag help {name}")
            assert "`?bag" in world.last.embeds[0].description
        await world.ada.send(world.channel, "?bag setup")
        await world.ada.click(world.last, custom_id="bag:setup:look")
        await world.ada.send(world.channel, "?bag 42")
        card, code = world.last, world.code
        await world.more(world.ben, card, f"bag:mate:{code}")
        for action in (f"save:{code}", "again"):
            await world.ben.click(card, custom_id=f"bag:{action}")
        await until(lambda: hall.history())
        await world.app.guilds.set_up(world.guild.id, dream_at="0 9 * * *")
        await world.catch_up(world.app.daily, datetime(2026, 11, 21, 9, tzinfo=UTC))
        assert "Dream bag of" in world.last.content
        elsewhere = world.env.create_guild("Elsewhere", owner=world.ada.user)
        general = elsewhere.create_text_channel("general")
        await world.kick(elsewhere)
        await world.invite(elsewhere)
        assert "`?bag setup`" in general.last_message.content
        assert all(
            "type ?bag and" in shown.embeds[0].footer.text for shown in (card, hall.last_message, world.last)
        )
        said = sent(world)
        assert sum("?bag" in one for one in said) > 50
        assert [one for one in said if "!bag" in one] == []


async def test_what_answers_a_slash_command_has_the_slash(server):
    async with server('prefix = "?"') as world:
        for name, options in SLASHED:
            before = len(world.env.http_requests)
            result = await world.ada.slash(world.channel, f"bag {name}", **options)
            assert result.acknowledged
            said = "".join(sent(world, before))
            assert not re.search(r"[!?]bag", said), (name, options, said)
            if name not in ("forget me", "export", "favorites", "setup"):
                assert "/bag " in said, (name, options, said)
        panel = await world.ada.slash(world.channel, "bag setup")
        assert "`/bag setup zone" in panel.response.embeds[0].description
        await world.ada.click(panel.response, custom_id="bag:setup:look")
        assert "?bag" not in "".join(sent(world, before))


def test_every_command_in_a_word_is_found_and_is_one_by_slash():
    text = Path(words.__file__).read_text("utf-8")
    assert set(re.findall(r"(.)!bag\b", text)) <= {"`", " ", '"'}  # the last is an example, quoted later
    assert (
        words.typed("`!bag`, `!bag 42` and !bag and the code", "?")
        == "`?bag`, `?bag 42` and ?bag and the code"
    )
    assert words.typed("`!bag`, `!bag 42`, `!bag top week`", "?", slash=True) == (
        "`/bag dream`, `/bag dream 42`, `/bag top week`"
    )
    assert words.typed("“!bag” is what you said, \\!bag", "?") == "“!bag” is what you said, \\!bag"


async def test_every_slash_command_keeps_its_name_in_a_word(server):
    async with server() as world:
        for command in world.env.bot.tree.walk_commands():
            if isinstance(command, app_commands.Command):
                typed = f"`!{command.qualified_name}`"
                assert (
                    words.typed(typed.replace(" dream", ""), "!", slash=True)
                    == f"`/{command.qualified_name}`"
                )


@pytest.mark.parametrize("prefix", ["Psst ", "?", "B!"])
async def test_a_prefix_is_known_in_capitals_and_a_mention_does_as_well(server, prefix):
    async with server(f'prefix = "{prefix}"') as world:
        me = f"<@{world.env.bot.user.id}>"
        for said in (
            *(
                f"{prefix}bag 42",
                f"{prefix.upper()}bag 42",
                f"{prefix.lower()}BAG 42",
                f"{prefix} Bag dream 42",
            ),
            *(f"{me} bag 42", f"{me}bag 42", f"{me} 42", f"<@!{me[2:]} Bag 42", f"{me} #42"),
        ):
            await world.ada.send(world.channel, said)
            assert world.code.endswith("-42"), said
        await world.ada.send(world.channel, f"{me} bag")
        assert world.last.attachments
        await world.ada.send(world.channel, f"{me} grid 2")
        assert world.last.embeds[0].title == "2 dreams"
        await world.ada.send(world.channel, me)
        assert f"`{prefix}bag 42`" in world.last.embeds[0].fields[0].value
        before = len(world.channel.history())
        for said in (f"{me} is so cute", f"hello {me}", f"{me} 42 is my number", "!bag 42", f"{me} ."):
            await world.ada.send(world.channel, said)
        assert len(world.channel.history()) == before + 5
        assert not world.whispers(world.ada)
