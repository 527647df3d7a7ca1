"""SIGTERM while people wait: everybody gets a picture or a word, and nobody is left with "thinking…"."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bot import words
from tests.bot.world import until
from tests.wire.conftest import BotProcess, BotWire, report
from tests.wire.models import Interaction, Message

pytestmark = pytest.mark.slow

PEOPLE = 12


class Crowd:
    """People who all ask at once, some by typing and some by slash, and some who press a button."""

    def __init__(self, wire: BotWire, card: Message | None) -> None:
        self._wire = wire
        self._channels = [wire.guild.channel(f"place-{number}") for number in range(PEOPLE)]
        people = [wire.guild.join(wire.person(f"Person {number}")) for number in range(3 * PEOPLE)]
        asked = zip(people[:PEOPLE], self._channels, strict=True)
        self.typed = [person.send(channel, "!bag grid 16") for person, channel in asked]
        self.interactions: list[Interaction] = [
            person.slash(channel, "bag grid", count=16)
            for person, channel in zip(people[PEOPLE : 2 * PEOPLE], self._channels, strict=True)
        ]
        if card is not None:
            self.interactions += [person.click(card, "bag:again") for person in people[2 * PEOPLE :]]

    def left(self) -> list[str]:
        """Those who were told nothing."""
        left = [f"typed by {one.author.name}" for one in self.typed if not (one.answers or one.author.told)]
        left += [f"thinking for {one.person.name}" for one in self.interactions if one.thinking]
        silent = [one for one in self.interactions if not (one.thinking or one.answers or one.person.told)]
        return left + [f"nothing for {one.person.name}" for one in silent]


async def ends_well(bot: BotProcess, crowd: Crowd) -> None:
    assert await bot.stop(signal.SIGTERM) == 0
    report(f"ended in {bot.stop_seconds:.1f} s; left without a word: {len(crowd.left())}")
    assert not crowd.left()
    assert "Traceback" not in bot.log


async def test_people_who_wait_for_pictures_get_them_or_a_word(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        crowd = Crowd(wire, card)
        await until(lambda: wire.thinking())
        await ends_well(bot, crowd)


async def test_people_who_ask_while_the_drawing_process_loads_get_a_word(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        crowd = Crowd(wire, None)
        await until(lambda: wire.thinking())
        await ends_well(bot, crowd)


async def test_people_whom_a_direct_message_would_reach_too_late_get_a_reply(wire: BotWire) -> None:
    never = asyncio.Event()
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        wire.fail("POST", "/users/@me/channels", times=None, hold=never)
        crowd = Crowd(wire, None)
        await until(lambda: wire.thinking())
        await ends_well(bot, crowd)
    assert any(words.RESTARTING in one.content for asked in crowd.typed for one in asked.answers)


@pytest.fixture
def as_first_process():
    """What starts a command as process 1 of a namespace of its own, as a container does."""
    command = ["unshare", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make a namespace")
    return command


@pytest.mark.parametrize("wait", [True, False])
async def test_docker_stop_ends_it_as_process_1(
    wire: BotWire, as_first_process: list[str], wait: bool
) -> None:
    """The kernel keeps from process 1 every signal that it does not ask for, so it must ask soon."""
    async with wire.bot(wait=wait, before=as_first_process) as bot:
        await until(lambda: bot.children)
        (first,) = bot.children
        await until(lambda: hears_sigterm(first))
        began = time.monotonic()
        os.kill(int(first.name), signal.SIGTERM)
        assert await bot.end() == (0 if wait else 143)
        report(f"ended in {time.monotonic() - began:.1f} s")


def hears_sigterm(process: Path) -> bool:
    """Whether it has asked for SIGTERM."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", (process / "status").read_text(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)
