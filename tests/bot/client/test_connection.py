"""How long the bot waits before it connects again, and what its log says of that."""

import logging
import sys
from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.client.connection import GOOD_SECONDS, LONGEST_SECONDS, RESERVE, OneLine, Pauses, spare_identifies


class Time:
    """Seconds that pass only when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def outage(pauses, time, seconds):
    """The pauses of an outage, in which every try fails at once; the last one ends after it."""
    made, end = [], time.now + seconds
    while time.now < end:
        made.append(pauses.delay())
        time.now += made[-1]
    return made


@pytest.mark.parametrize(("seconds", "tries"), [(1, 2), (60, 30), (3600, 60), (24 * 3600, 200)])
def test_it_is_back_soon_after_a_short_outage_and_asks_little_in_a_long_one(seconds, tries):
    time = Time()
    made = outage(Pauses(time), time, seconds)
    assert time.now - seconds <= max(1, seconds / 5)
    assert len(made) <= tries
    assert 1 <= min(made) <= max(made) <= LONGEST_SECONDS


def test_pauses_begin_anew_after_ten_good_minutes_and_not_before():
    time = Time()
    pauses = Pauses(time)
    outage(pauses, time, 3600)
    time.now += GOOD_SECONDS - 1
    assert pauses.delay() > 60
    time.now += LONGEST_SECONDS + 2 * GOOD_SECONDS
    assert pauses.delay() == 1


@pytest.mark.parametrize("error", [OSError("no route"), TimeoutError(), aiohttp.ClientError("cut")])
def test_a_broken_connection_is_one_line(error):
    try:
        raise error
    except Exception:
        record = logging.LogRecord("discord.shard", logging.ERROR, "", 1, "in %.0f s", (3,), sys.exc_info())
    assert OneLine().filter(record)
    shown = logging.Formatter().format(record)
    assert shown == f"in 3 s: {error or type(error).__name__}"


def test_a_bug_keeps_its_traceback():
    try:
        raise KeyError("id")
    except Exception:
        record = logging.LogRecord("discord.shard", logging.ERROR, "", 1, "broken", (), sys.exc_info())
    assert OneLine().filter(record)
    assert "Traceback" in logging.Formatter().format(record)


async def test_the_last_connections_of_a_day_are_not_used():
    class Client:
        remaining = RESERVE

        async def fetch_session_start_limits(self):
            return SimpleNamespace(remaining=self.remaining, reset_after=1)

    client = Client()
    with pytest.raises(ConnectionError, match="too many connections"):
        await spare_identifies(client)
    client.remaining += 1
    await spare_identifies(client)


def test_discord_py_uses_ours():
    """It has no setting for its connection and its pauses, so a new version could lose them unseen."""
    assert discord.shard.DiscordWebSocket.__module__ == "bot.client.connection"
    assert isinstance(
        discord.shard.Shard(None, SimpleNamespace(dispatch=None, _reconnect=True), None)._backoff, Pauses
    )
