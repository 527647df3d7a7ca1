"""An answer that Discord took counts as given; one that came too late passes in silence."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from bot import words
from tests.bot.world import until
from tests.wire.conftest import BotWire
from tests.wire.faults import Fault
from tests.wire.models import Interaction, Message

pytestmark = pytest.mark.slow

CALLBACK = "/interactions/*/callback"
TAKEN: dict[str, Callable[[BotWire], Fault]] = {
    "500": lambda wire: wire.fail("POST", CALLBACK, status=500, after_effect=True),
    "502": lambda wire: wire.fail("POST", CALLBACK, status=502, after_effect=True),
    "504": lambda wire: wire.fail("POST", CALLBACK, status=504, after_effect=True),
    "cut": lambda wire: wire.fail("POST", CALLBACK, cut=True, after_effect=True),
    "40060": lambda wire: wire.fail("POST", CALLBACK, status=400, code=40060, after_effect=True),
}
"""What comes back of a callback that took effect; of a second try comes 40060."""

ZONES = ["Europe/Paris", "Asia/Tokyo", "Africa/Lagos", "America/Lima", "Asia/Kolkata"]


async def test_an_answer_that_got_through_counts_as_given(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        for seed, (trouble, make) in enumerate(TAKEN.items()):
            channel = wire.guild.channel(f"place-{trouble}")
            card = await wire.ada.send(channel, f"!bag {seed}").picture()

            fault = make(wire)  # a deferral without a message: the vote's
            await wire.ben.click(card, "bag:up").acknowledgement()
            await until(lambda card=card: card.control("bag:up")["label"] == "1")
            assert fault.hits == 1

            make(wire)  # "thinking…" for all
            asked = wire.ben.slash(channel, "bag dream", code=str(seed))
            assert (await asked.picture()).code == card.code

            make(wire)  # "thinking…" in private
            saved = await wire.ben.click(card, "bag:save").answer()
            assert card.code in saved.content
            assert saved in wire.ben.whispers

            make(wire)  # a message at once
            panel = await wire.ada.slash(channel, "bag setup").answer()

            make(wire)  # a form, and a message's change
            form = await wire.ada.click(panel, "bag:setup:more").acknowledgement()
            assert form.modal is not None
            make(wire)
            zone = ZONES[seed]
            await wire.ada.submit(form, zone=zone).acknowledgement()
            await until(lambda panel=panel, zone=zone: zone in panel.text)

            make(wire)  # suggestions
            typing = await wire.ben.type(channel, "bag show", code=str(seed)).acknowledgement()
            assert typing.choices is not None
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    assert votes(wire) == [1] * len(TAKEN)
    told = [text for person in (wire.ada, wire.ben) for text in person.told if text]
    assert len(told) == len(TAKEN), "nothing is told but what was saved"
    assert not wire.called("POST /users/@me/channels")
    assert all(len(one.answers) <= 1 for one in wire.interactions)
    assert not wire.thinking()
    assert not wire.failed()


async def test_an_answer_that_came_too_late_passes_in_silence(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        panel = await wire.ada.slash(wire.channel, "bag setup").answer()
        late = wire.fail("POST", CALLBACK, times=None, status=404, code=10062)
        person = wire.guild.join(wire.person("Cleo"))
        pressed = [
            wire.ben.click(card, "bag:up"),
            *(person.click(card, f"bag:{action}") for action in ("down", "save", "again", "more")),
            person.slash(wire.channel, "bag dream", code="7"),
            person.slash(wire.channel, "bag help"),
            person.slash(wire.channel, "bag dream", code="no such bag"),
            person.type(wire.channel, "bag show", code="4"),
            person.menu(card, next(one["name"] for one in wire.commands if one["type"] == 3)),
            wire.ada.click(panel, "bag:setup:more"),
        ]
        await until(lambda: late.hits >= len(pressed))
        late.end()
        await wire.ada.click(card, "bag:up").acknowledgement()
        await until(lambda: card.control("bag:up")["label"] == "1")
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    assert late.hits == len(pressed), "a late answer is not tried again"
    assert votes(wire) == [1], "Discord has told the others that their click failed"
    assert not wire.called("POST /users/@me/channels")
    assert not wire.ben.told
    assert not person.told
    assert not [one for one in pressed if one.answers]


async def test_a_picture_that_got_through_is_not_posted_twice(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        asked: list[Message | Interaction] = []
        for seed, cut in enumerate((False, True)):
            channel = wire.guild.channel(f"place-{seed}")
            wire.fail("POST", "/channels/*/messages", status=500, cut=cut, after_effect=True)
            asked.append(wire.ben.send(channel, f"!bag {seed}"))
            await asked[-1].picture()
        card = await wire.ada.send(wire.channel, "!bag 42").picture()
        more = await wire.ben.click(card, "bag:more").answer()
        for trouble in ({"status": 500}, {"status": 502}, {"cut": True}):
            for ask in (
                lambda: wire.ben.slash(wire.channel, "bag dream", code="42"),
                lambda: wire.ben.click(more, "bag:vary"),
                lambda: wire.ben.click(more, "bag:mate"),
            ):
                asked.append(interaction := ask())
                wire.fail("*", f"/webhooks/*/{interaction.token}*", after_effect=True, **trouble)
        await until(lambda: all(one.answers for one in asked))
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    assert [len(one.answers) for one in asked] == [1] * len(asked)
    assert not [one for one in asked if words.DISCORD_DOWN in one.answers[0].content]


def votes(wire: BotWire) -> list[int]:
    """All that are stored."""
    with closing(sqlite3.connect(wire.folder / "bot.db")) as store:
        return [value for (value,) in store.execute("SELECT value FROM votes")]
