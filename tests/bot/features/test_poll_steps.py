"""What a poll needs next, by its row and the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.features.poll import Step, next_step
from bot.store.polls import PollState

DEADLINE = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPEN = PollState(1, 2, 3, 4, ("k3f9x2-1", "k3f9x2-2"), DEADLINE, False, False, {"k3f9x2-1": 0, "k3f9x2-2": 0})
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "at", "step"),
    [
        ({}, DEADLINE - SECOND, Step.NOTHING),
        ({}, DEADLINE, Step.END),
        ({"message_id": None}, DEADLINE - SECOND, Step.POST),
        ({"message_id": None}, DEADLINE + SECOND, Step.END),
        ({"closed": True}, DEADLINE + SECOND, Step.END),
        ({"closed": True, "announced": True}, DEADLINE + SECOND, Step.NOTHING),
    ],
)
def test_what_a_poll_needs(changes, at, step):
    assert next_step(replace(OPEN, **changes), at) is step


@pytest.mark.parametrize(
    ("votes", "winners"), [((0, 0), []), ((2, 1), ["k3f9x2-1"]), ((2, 2), ["k3f9x2-1", "k3f9x2-2"])]
)
def test_who_wins(votes, winners):
    assert replace(OPEN, votes=dict(zip(OPEN.codes, votes, strict=True))).winners == winners
