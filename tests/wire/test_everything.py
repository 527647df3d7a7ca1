"""Everything that people can do, once: Discord would refuse nothing of it, and nobody waits in vain."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bot.world import until
from tests.wire import limits
from tests.wire.conftest import BotWire
from tests.wire.models import Interaction, Message
from tests.wire.people import Person

pytestmark = pytest.mark.slow


def leaves(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The subcommands of a command that can be used, each with its full name."""
    below = [
        one
        for one in node.get("options", ())
        if one["type"] in (limits.SUB_COMMAND, limits.SUB_COMMAND_GROUP)
    ]
    if not below:
        yield path, node
    for one in below:
        yield from leaves(one, f"{path} {one['name']}")


def value(option: dict[str, Any], wire: BotWire, card: Message) -> object:
    """Something sensible for an option."""
    if option.get("choices"):
        return option["choices"][0]["value"]
    if option["type"] == 6:
        return wire.ben
    if option["type"] == 11:
        return wire.files[card.files[0]["id"]]
    if option["type"] == 4:
        return max(option.get("min_value", 1), 8)
    known = {"topic": "grid", "value": "none", "message": str(card.id), "designs": "42 7"}
    seeds = dict(zip("abcdefgh", map(str, range(42, 50)), strict=True))
    return (known | seeds).get(option["name"], "42")


async def heard(person: Person, message: Message) -> None:
    """Wait until the bot has answered a message, in the channel or in private."""
    told = len(person.told)
    await until(lambda: message.answers or len(person.told) > told)


async def settle(interaction: Interaction) -> None:
    """Wait until an interaction is answered in full."""
    await interaction.acknowledgement()
    await until(lambda: not interaction.thinking)


async def test_every_command_that_help_names_is_answered(wire: BotWire) -> None:
    async with wire.bot() as bot:
        text = (await wire.ada.send(wire.channel, "!bag help").answer()).text
        examples = dict.fromkeys(re.findall(r"`(!bag[^`]*)`", text))
        assert len(examples) > 15
        for number, example in enumerate(examples):
            channel = wire.guild.channel(f"place-{number}")  # each has a rate limit of its own
            typed = wire.ada.send(channel, example.replace("@ada", f"<@{wire.ada.id}>"))
            await heard(wire.ada, typed)
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


async def test_every_slash_command_and_all_that_it_suggests_is_answered(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        menus = [one["name"] for one in wire.commands if one["type"] == 3]
        commands = [leaf for one in wire.commands if one["type"] == 1 for leaf in leaves(one, one["name"])]
        assert len(commands) > 15
        assert menus
        for path, leaf in commands:
            channel = wire.guild.channel(path.replace(" ", "-"))
            given = {one["name"]: value(one, wire, card) for one in leaf.get("options", ())}
            needed = {
                one["name"]: given[one["name"]] for one in leaf.get("options", ()) if one.get("required")
            }
            for options in (needed, given) if given != needed else (needed,):
                used = wire.ada.slash(channel, path, **options)
                await settle(used)
                await used.answer()
            for option in leaf.get("options", ()):
                if option.get("autocomplete"):
                    typing = wire.ada.type(channel, path, **(needed | {option["name"]: "4"}))
                    await typing.acknowledgement()
                    assert typing.choices is not None, path
        for entry in menus:
            await settle(wire.ada.menu(await wire.ada.send(wire.channel, "!bag 7").picture(), entry))
        assert not wire.thinking()
        assert not wire.failed()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


async def test_every_button_list_and_form_is_answered(wire: BotWire) -> None:
    async with wire.bot() as bot:
        used: set[str] = set()

        def unused() -> tuple[Message, dict[str, Any]] | None:
            for message in list(wire.messages.values()):
                for control in message.controls:
                    if kind(control) not in used and not control.get("disabled"):
                        return message, control
            return None

        def kind(control: dict[str, Any]) -> str:
            """A control without what it is about: `bag:setup:hour` is not `bag:setup:zone`."""
            return ":".join(control["custom_id"].split(":")[: 3 if ":setup:" in control["custom_id"] else 2])

        for number, command in enumerate(
            ["", "grid 4", "vote", "setup", "favorites", "progress", "forget me"]
        ):
            channel = wire.guild.channel(f"place-{number}")
            await heard(wire.ada, wire.ada.send(channel, f"!bag {command}"))
        while (found := unused()) is not None:
            message, control = found
            used.add(kind(control))
            if control["type"] == limits.BUTTON:
                pressed = wire.ada.click(message, control["custom_id"])
            elif control["type"] == limits.STRING_SELECT:
                values = [option["value"] for option in control["options"]]
                pressed = wire.ada.choose(message, control["custom_id"], *values[: control["max_values"]])
            else:
                pressed = wire.ada.choose(message, control["custom_id"], str(wire.channel.id))
            await settle(pressed)
            if pressed.modal is not None:
                await settle(wire.ada.submit(pressed))
        assert len(used) > 15
        assert not wire.thinking()
        assert not wire.failed()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
