"""A vote that Discord showed as taken is in the store, however the bot ends."""

import asyncio
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.wire.conftest import BotWire, report
from tests.wire.models import Interaction, Message

pytestmark = pytest.mark.slow

PEOPLE, CLICKS = 200, 10
VOTES = {"up", "down", "ballot"}
"""Actions of buttons."""


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("command", ["", "vote"])
async def test_no_acknowledged_vote_is_lost(wire: BotWire, command: str, by: signal.Signals) -> None:
    people = [wire.guild.join(wire.person(f"Person {number}")) for number in range(PEOPLE)]
    wire.rate_limits.limits.clear()
    async with wire.bot() as bot:
        message = await wire.ada.send(wire.channel, f"!bag {command}").picture()
        # 👍 and 👎 by turns: the same one twice would take a vote back.
        buttons = [one["custom_id"] for one in message.controls if one["custom_id"].split(":")[1] in VOTES]
        cast: dict[int, list[tuple[str, Interaction]]] = {person.id: [] for person in people}
        for wave in range(CLICKS):
            for number, person in enumerate(people):
                button = buttons[(wave + number) % len(buttons)]
                cast[person.id].append((button, person.click(message, button)))
            await asyncio.gather(*(clicks[-1][1].acknowledgement() for clicks in cast.values()))
        code = await bot.stop(by)
        assert code == (0 if by is signal.SIGTERM else -by)
        stored = read(wire, message, command)
    taken = sum(click.acknowledged for clicks in cast.values() for _, click in clicks)
    lost = sum(not holds(clicks, stored.get(person)) for person, clicks in cast.items())
    report(f"{by.name}: {taken} clicks taken, {lost} votes lost, ended in {bot.stop_seconds:.1f} s")
    assert taken > 0
    assert lost == 0


def read(wire: BotWire, message: Message, command: str) -> dict[int, str]:
    """By person, the custom id of the button that the store holds for them."""
    with closing(sqlite3.connect(wire.folder / "bot.db")) as store:
        if command == "vote":
            rows = store.execute("SELECT user_id, 'bag:ballot:' || round_id || ':' || code FROM ballots")
        else:
            rows = store.execute(
                "SELECT user_id, CASE value WHEN 1 THEN 'bag:up:' ELSE 'bag:down:' END || code FROM votes"
            )
        return dict(rows.fetchall())


def holds(clicks: list[tuple[str, Interaction]], stored: str | None) -> bool:
    """Whether the store holds the last acknowledged click, or one after it: that may be kept or dropped."""
    possible = []
    for button, click in reversed(clicks):
        possible.append(button)
        if click.acknowledged:
            return stored in possible
    return True
