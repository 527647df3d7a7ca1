"""What Discord has refused is tried again: soon at first, then ever more rarely, and never on the spot."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import discord
import pytest

from bot.client import retries
from bot.client.retries import Retries, is_passing, pause

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def refusal(status, code=0):
    return discord.HTTPException(SimpleNamespace(status=status, reason="no"), {"code": code, "message": "no"})


@pytest.fixture(autouse=True)
def real(monkeypatch):
    """The pauses as they are outside of tests."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 1.0)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (refusal(429), True),
        (refusal(500), True),
        (refusal(503), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (refusal(400), False),
        (refusal(403), False),
        (refusal(404), False),
        (ZeroDivisionError(), False),
    ],
)
def test_what_may_pass(error, passes):
    assert is_passing(error) is passes


def test_pauses_double_up_to_five_minutes():
    assert [pause(refusal(500), tries) for tries in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert [pause(refusal(429, retries.TOO_OLD), tries) for tries in (1, 2, 3, 4)] == [60, 120, 240, 300]


def test_each_key_waits_by_itself_and_success_forgets():
    now = NOON
    ours = Retries(lambda: now)
    assert ours.due("a")
    assert ours.failed("a", refusal(500))
    assert not ours.due("a")
    assert ours.due("b")
    now += timedelta(seconds=1)
    assert ours.due("a")
    assert not ours.failed("a", refusal(500))  # the same trouble is no news
    now += timedelta(seconds=1)
    assert not ours.due("a")
    assert ours.failed("a", ConnectionResetError())
    ours.succeeded("a")
    assert ours.due("a")


def test_a_clock_set_back_keeps_nobody_waiting_for_hours():
    now = NOON
    ours = Retries(lambda: now)
    ours.failed("a", refusal(500))
    now -= timedelta(hours=3)
    assert ours.due("a")
