"""A run is told once and whole, also where its thread can't be made or takes nothing more."""

from collections import Counter

import pytest

from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator, until
from tests.wire.conftest import BotProcess, BotWire
from tests.wire.models import Channel, Message

pytestmark = pytest.mark.slow

THREADS = "/channels/*/messages/*/threads"
REFUSED = {"too many threads": (400, 160006), "not allowed": (403, 50013), "gone": (404, 10008)}
"""How Discord refuses a new thread: status and code."""
SHUT = {"too many threads": (400, 160006), "locked": (403, 50083), "gone": (404, 10003)}
"""How it refuses a message in one."""
AT_MOST = 3
"""Tries of what is refused for good."""


def begin(wire: BotWire, number: int) -> Run:
    """A run that has ended its first epoch."""
    run = Run(wire.folder / "runs" / f"2026-02-{number:02}-0000")
    version = make_generator(run)
    begin_run(run)
    end_epoch(run, 1)
    events.append(run.path, events.Checkpoint(epoch=1, version=version))
    return run


def told(channel: Channel, run: Run) -> list[Message]:
    """What the channel says of a run, from its first message on."""
    messages = list(channel.messages.values())
    first = next((n for n, one in enumerate(messages) if run.name in one.content), len(messages))
    return messages[first:]


def grids(messages: list[Message]) -> list[str]:
    """The files that show an epoch."""
    return [
        file["filename"] for one in messages for file in one.files if file["filename"].startswith("epoch-")
    ]


def endings(messages: list[Message]) -> int:
    """How often a run's end is told."""
    return sum("The run is done" in one.content for one in messages)


async def ends_quietly(bot: BotProcess) -> None:
    assert await bot.stop() == 0
    assert "Traceback" not in bot.log


async def test_a_run_whose_thread_is_refused_is_told_in_the_channel(wire: BotWire) -> None:
    async with wire.bot(BOT_GRID_SECONDS="0") as bot:
        for number, (status, code) in enumerate(REFUSED.values(), 1):
            refused = wire.fail("POST", THREADS, times=None, status=status, code=code)
            run = begin(wire, number)
            await until(lambda run=run: grids(told(wire.channel, run)))
            end_epoch(run, 2)
            await until(lambda run=run: len(grids(told(wire.channel, run))) == 2)
            end_epoch(run, 3)
            finish_run(run, 3)
            await until(lambda run=run: endings(told(wire.channel, run)))
            said = told(wire.channel, run)
            assert grids(said) == [f"epoch-{epoch:04}.png" for epoch in (1, 2, 3)]
            assert endings(said) == 1
            assert 1 <= refused.hits <= AT_MOST
            refused.end()
        await ends_quietly(bot)
    assert not wire.channel.threads


async def test_a_run_goes_on_in_the_channel_when_its_thread_takes_no_more(wire: BotWire) -> None:
    async with wire.bot(BOT_GRID_SECONDS="0") as bot:
        for number, (status, code) in enumerate(SHUT.values(), 1):
            run = begin(wire, number)
            await until(lambda number=number: len(wire.channel.threads) == number)
            thread = wire.channel.threads[-1]
            await until(lambda thread=thread: grids(list(thread.messages.values())))
            path = f"/channels/{thread.id}/messages"
            refused = wire.fail("POST", path, times=None, status=status, code=code)
            end_epoch(run, 2)
            await until(lambda run=run: "epoch-0002.png" in grids(told(wire.channel, run)[1:]))
            end_epoch(run, 3)
            finish_run(run, 3)
            await until(lambda run=run: endings(told(wire.channel, run)))
            # The first message is edited to show the newest grid, so only those after it are posts.
            said = told(wire.channel, run)[1:]
            assert Counter(grids(said)) == {"epoch-0002.png": 1, "epoch-0003.png": 1}
            assert endings(said) == 1
            assert 1 <= refused.hits <= AT_MOST
        await ends_quietly(bot)


@pytest.mark.parametrize("after_effect", [True, False])
async def test_what_is_cut_on_its_way_is_posted_once(wire: BotWire, after_effect: bool) -> None:
    async with wire.bot(BOT_GRID_SECONDS="0") as bot:
        for number, status in enumerate((None, 500), 1):
            cut = {"status": status, "cut": status is None, "after_effect": after_effect}
            wire.fail("POST", f"/channels/{wire.channel.id}/messages", **cut)
            lost = wire.fail("POST", THREADS, **cut)
            run = begin(wire, number)
            await until(lambda lost=lost: lost.hits)
            await until(lambda number=number: len(wire.channel.threads) == number)
            thread = wire.channel.threads[-1]
            await until(lambda thread=thread: grids(list(thread.messages.values())))
            for epoch in (2, 3):
                lost = wire.fail("POST", f"/channels/{thread.id}/messages", **cut)
                end_epoch(run, epoch)
                name = f"epoch-{epoch:04}.png"
                await until(lambda n=name, thread=thread: n in grids(list(thread.messages.values())))
                await until(lambda lost=lost: lost.hits)
            wire.fail("POST", f"/channels/{thread.id}/messages", **cut)
            finish_run(run, 3)
            await until(lambda thread=thread: endings(list(thread.messages.values())) and thread.archived)
        await ends_quietly(bot)
    for thread in wire.channel.threads:
        said = list(thread.messages.values())
        assert grids(said) == [f"epoch-{epoch:04}.png" for epoch in (1, 2, 3)]
        assert endings(said) == 1
    assert len(wire.channel.messages) == len(wire.channel.threads) == 2
