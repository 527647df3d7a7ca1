"""Many people at once, or one who asks too often: nobody is told by DM what a click could say, or nothing."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.bot.world import until
from tests.wire.conftest import BotProcess, BotWire, report
from tests.wire.discord_server import Call
from tests.wire.models import Message
from tests.wire.people import Person

pytestmark = pytest.mark.slow

ASKED_AT_ONCE = 40
VOTERS = 200
PEOPLE = 60
PAGE = 9
"""Favorites on a page."""
NOTICE_SECONDS = 5.0
"""A channel gets one notice in this time."""
DMS = "POST /users/@me/channels"


async def test_who_asks_too_often_gets_one_private_word(wire: BotWire) -> None:
    async with wire.bot(BOT_COOLDOWN_SECONDS="600") as bot:
        asked = [wire.ben.send(wire.channel, "!bag") for _ in range(ASKED_AT_ONCE)]
        await until(lambda: wire.ben.told and any(one.answers for one in asked))
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    assert sum(len(one.answers) for one in asked) == 1
    assert len(wire.ben.told) == 1
    assert "One moment" in wire.ben.told[0]
    assert len(wire.called(DMS)) == 1


async def test_buttons_that_make_work_count_in_the_cooldown(wire: BotWire) -> None:
    wire.rate_limits.limits.clear()

    def somebody() -> Person:
        return wire.guild.join(wire.person("Somebody"))

    async with wire.bot(BOT_COOLDOWN_SECONDS="600") as bot:
        cards = [await somebody().send(wire.channel, f"!bag {n}").picture() for n in range(PAGE + 1)]
        for card in cards:
            await somebody().click(card, "bag:save").answer()
        first = await somebody().send(wire.channel, "!bag favorites").picture()
        second = await somebody().send(wire.channel, "!bag favorites").picture()
        await somebody().click(second, "bag:favorites:0:1").acknowledgement()
        await until(
            lambda: any(one["label"] == "◀" and not one.get("disabled") for one in second.controls[1:])
        )
        behind = await somebody().click(cards[0], "bag:more").answer()
        pressed: list[tuple[Message, str]] = [
            (cards[0], "bag:save"),
            (cards[0], "bag:again"),
            (behind, "bag:mate"),
            (behind, "bag:vary"),
            (first, "bag:favorites:0:1"),  # ▶
            (second, "bag:favorites:0:0"),  # ◀
        ]
        for message, button in pressed:
            person = somebody()
            await person.slash(wire.channel, "bag help").answer()
            assert "One moment" in (await person.click(message, button).answer()).content, button
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    assert not wire.called(DMS)


async def test_two_hundred_votes_at_once_cost_no_private_word(wire: BotWire) -> None:
    people = [wire.guild.join(wire.person(f"Person {number}")) for number in range(VOTERS)]
    async with wire.bot() as bot:
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        clicks = [person.click(card, "bag:up") for person in people]
        for click in clicks:
            await click.acknowledgement()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    with closing(sqlite3.connect(wire.folder / "bot.db")) as store:
        stored = {person for (person,) in store.execute("SELECT user_id FROM votes")}
    late = [click for click in clicks if not click.acknowledged]
    report(f"{VOTERS} clicks at once: {len(late)} too late, {len(stored)} stored")
    assert {click.person.id for click in clicks if click.acknowledged} <= stored
    assert not wire.called(DMS)
    assert not [person for person in people if person.told]
    assert len(wire.called("POST /interactions/*/callback")) == VOTERS


async def test_people_in_line_share_few_notices_and_all_are_answered(wire: BotWire) -> None:
    people = [wire.guild.join(wire.person(f"Person {number}")) for number in range(PEOPLE)]
    async with wire.bot(BOT_COOLDOWN_SECONDS="2") as bot:
        await wire.ada.send(wire.channel, "!bag 42").picture()
        drawing = drawing_process(bot)
        os.kill(drawing, signal.SIGSTOP)
        began = time.monotonic()
        try:
            asked = [person.send(wire.channel, "!bag grid 16") for person in people]
            await until(lambda: notices(wire, began))
        finally:
            os.kill(drawing, signal.SIGCONT)
        await until(lambda: all(one.answers or one.author.told for one in asked))
        await until(lambda: not [one for one in wire.channel.messages.values() if one.is_notice])
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    at = [call.at for call in notices(wire, began)]
    report(
        f"{PEOPLE} people at once: {len(at)} notices, {sum(not one.answers for one in asked)} only a word, "
        f"{len(wire.rate_limits.exceeded)} requests too many"
    )
    # However long each is on its way, it is not here before it was its turn.
    assert all(later - began >= NOTICE_SECONDS * number for number, later in enumerate(at))
    assert max(len(one.answers) for one in asked) == 1


def notices(wire: BotWire, since: float) -> list[Call]:
    """The bot's requests for a notice since then: an earlier bag, for which torch is loaded, may have one."""
    sent = [one for one in wire.called("POST /channels/*/messages") if one.at >= since]
    return [one for one in sent if "⏳" in (one.payload.get("content") or "")]


def drawing_process(bot: BotProcess) -> int:
    """The id of the process that draws for the bot."""
    (drawing,) = [one for one in bot.children if b"spawn_main" in (one / "cmdline").read_bytes()]
    return int(drawing.name)
