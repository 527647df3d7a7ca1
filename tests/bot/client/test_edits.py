"""Edits are coalesced, tried again where that helps, and the last state is always shown."""

import asyncio
from types import SimpleNamespace

import discord
import pytest

from bot.client import edits, retries
from bot.client.edits import TRIES, Edits
from bot.client.retries import TOO_OLD
from tests.bot.world import until


def refusal(status, code=0):
    """What discord.py raises when Discord refuses."""
    kinds = {403: discord.Forbidden, 404: discord.NotFound, 500: discord.DiscordServerError}
    response = SimpleNamespace(status=status, reason="refused")
    return kinds.get(status, discord.HTTPException)(response, {"code": code, "message": "no"})


class Board:
    """A message that somebody edits."""

    def __init__(self, *troubles):
        self.state = 0
        self.troubles = list(troubles)
        self.tried = 0
        self.shown = []

    async def show(self):
        """An edit: it takes a moment, and may meet trouble."""
        self.tried += 1
        state = self.state
        await asyncio.sleep(0.001)
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble
        self.shown.append(state)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(edits, "SECONDS", 0.05)
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retries, "TOO_OLD_SECONDS", 0.02)


async def test_however_many_are_wanted_few_are_made_and_the_last_state_is_shown():
    board, ours = Board(), Edits()
    for state in range(1, 501):
        board.state = state
        ours.want("board", board.show)
        if state % 10 == 0:
            await asyncio.sleep(0.001)
    await until(lambda: board.shown[-1:] == [500])
    assert len(board.shown) < 50
    assert board.shown == sorted(set(board.shown))


async def test_one_message_keeps_no_other_waiting(monkeypatch):
    monkeypatch.setattr(edits, "SECONDS", 3600)
    boards, ours = [Board() for _ in range(20)], Edits()
    for number, board in enumerate(boards):
        board.state = 1
        ours.want(number, board.show)
        ours.want(number, board.show)
    await until(lambda: all(board.shown == [1] for board in boards))
    await ours.close()


@pytest.mark.parametrize(
    "trouble",
    [refusal(500), refusal(503), refusal(429), refusal(429, TOO_OLD), ConnectionResetError()],
    ids=["500", "503", "429", "30046", "connection"],
)
async def test_what_may_pass_is_tried_again(trouble):
    board, ours = Board(trouble, trouble), Edits()

    async def show():
        board.state += 1  # meanwhile somebody has voted
        await board.show()

    ours.want("board", show)
    await until(lambda: board.shown)
    assert (board.tried, board.shown) == (3, [3])  # the newest, not the one that failed


@pytest.mark.parametrize("status", [403, 404, 400])
async def test_what_will_not_pass_is_dropped(status):
    board, ours = Board(refusal(status)), Edits()
    ours.want("board", board.show)
    await until(lambda: board.tried)
    board.state = 7
    ours.want("board", board.show)
    await until(lambda: board.shown)
    assert (board.tried, board.shown) == (2, [7])


async def test_after_some_tries_it_is_dropped_and_the_next_one_starts_afresh(caplog):
    board, ours = Board(*[refusal(500)] * TRIES), Edits()
    ours.want("board", board.show)
    await until(lambda: "stays out of date" in caplog.text)
    assert board.tried == TRIES
    board.state = 3
    ours.want("board", board.show)
    await until(lambda: board.shown)
    assert board.shown == [3]


async def test_a_bug_in_one_edit_stops_no_other(caplog):
    board, ours = Board(ZeroDivisionError()), Edits()
    ours.want("board", board.show)
    await until(lambda: "ZeroDivisionError" in caplog.text)
    ours.want("board", board.show)
    await until(lambda: board.shown)


async def test_what_still_waits_is_shown_at_the_end(monkeypatch):
    monkeypatch.setattr(edits, "SECONDS", 3600)
    board, deaf, ours = Board(), Board(None, refusal(403)), Edits()
    for state in (1, 2):
        for one in (board, deaf):
            one.state = state
            ours.want(one, one.show)
        await until(lambda: board.shown and deaf.shown)
    await ours.close()
    assert board.shown == [1, 2]
    assert deaf.shown == [1]  # refused, and closing went on
