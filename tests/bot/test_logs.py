"""The log: one JSON object a line for machines, text for people; who asked what, never a word or a token."""

import json
import logging
import os
import subprocess
import sys
from io import StringIO

import pytest

from bot import logs

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB"
INTERACTION = "aW50ZXJhY3Rpb246MTQ1NjA3NDQ0MzkwOmFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"


@pytest.fixture
def log_as(monkeypatch):
    """Set the log up inside of a test (pytest has its own idea of standard error in between); a function
    that gives what was written.
    """
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def begin(look):
        written = StringIO()
        monkeypatch.setattr(sys, "stderr", written)
        root.handlers.clear()  # what is there would be closed
        logs.set_up(look)
        return written.getvalue

    yield begin
    root.handlers[:], root.level = before, level


async def test_each_command_and_button_is_a_line_that_says_who_what_where_and_how_long(server, log_as):
    written = log_as("json")
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        await world.ben.click(world.last, custom_id=f"bag:up:{world.code}")
        await world.ben.slash(world.channel, "bag top")
        await world.ben.send(world.channel, "!bag train start")
        await world.ben.send(world.channel, "!bag banana-split-for-ada")
        seen = [json.loads(line) for line in written().splitlines()]
    asked = [line for line in seen if line["logger"] == "bot.client.metrics"]
    assert [(line["what"], line["how"], line["user"], line["outcome"]) for line in asked] == [
        ("bag", "prefix", world.ada.id, "ok"),
        ("button up", "button", world.ben.id, "ok"),
        ("bag top", "slash", world.ben.id, "ok"),
        ("bag train start", "prefix", world.ben.id, "refused"),
        ("bag", "prefix", world.ben.id, "refused"),
    ]
    for line in asked:
        assert line["guild"] == world.guild.id
        assert line["ms"] > 0
        assert line["level"] == "INFO"
        assert line["time"]
    assert "banana-split" not in json.dumps(seen)


async def test_what_fails_is_counted_as_failed_and_its_traceback_stays_on_one_line(
    server, log_as, monkeypatch
):
    written = log_as("json")
    async with server() as world:
        world.expects = ZeroDivisionError

        async def broken(*_):
            raise ZeroDivisionError("by nought")

        monkeypatch.setattr(world.app.store, "top", broken)
        await world.ada.send(world.channel, "!bag top")
        seen = [json.loads(line) for line in written().splitlines()]
    assert [line["outcome"] for line in seen if line["logger"] == "bot.client.metrics"] == ["failed"]
    (trouble,) = [line for line in seen if line["level"] == "ERROR"]
    assert "ZeroDivisionError: by nought" in trouble["traceback"]


@pytest.mark.parametrize("look", ["json", "text"])
@pytest.mark.parametrize("secret", [TOKEN, INTERACTION])
def test_a_token_is_in_no_line_not_even_in_a_traceback(log_as, look, secret):
    written = log_as(look)
    address = f"https://discord.com/api/v10/webhooks/123/{secret}/messages/@original"
    logging.getLogger("discord.http").warning(
        "We are being rate limited. PATCH %s responded with 429", address
    )
    try:
        raise ValueError(address)
    except ValueError:
        logging.getLogger("bot").exception("unexpected")
    text = written()
    assert "rate" in text
    assert "ValueError" in text
    assert secret[10:40] not in "".join(text.split())


def test_a_service_writes_json_and_can_be_told_otherwise():
    code = "import logging; from bot import logs; logs.set_up({!r}); logging.getLogger('bot').info('hello')"

    def written(look):
        done = subprocess.run(
            [sys.executable, "-c", code.format(look)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"TERM": "dumb"},
        )
        return done.stderr

    assert json.loads(written("auto"))["message"] == "hello"
    assert "bot: hello" in written("text")


def record(day, level, text, error=None):
    """A record of a day, counted from an arbitrary one."""
    created = (20_000 + day) * logs.DAY + 3600.0
    info = (type(error), error, error.__traceback__) if error else None
    return logging.makeLogRecord(
        {"name": "bot", "levelno": level, "levelname": "X", "msg": text, "created": created, "exc_info": info}
    )


@pytest.mark.parametrize("look", ["json", "text"])
def test_a_day_on_which_everything_goes_wrong_fills_ten_megabytes_and_no_more(log_as, look):
    written, handle = log_as(look), logging.getLogger("bot").handle
    for _ in range(300):
        handle(record(0, logging.INFO, "usual " + "x" * 50_000))
    usual = len(written())
    assert usual <= 8_100_000
    handle(record(0, logging.WARNING, "seen all the same"))
    assert "seen all the same" in written()[usual:]
    for _ in range(300):
        handle(record(0, logging.ERROR, "trouble " + "x" * 50_000))
    assert len(written()) <= 10_100_000
    assert written().count("from now on lines are left out") == 1
    handle(record(0, logging.ERROR, "never seen"))
    handle(record(1, logging.INFO, "a new day"))
    tail = written()[-2000:]
    assert "never seen" not in tail
    assert "left out of the log of the day before" in tail
    assert "a new day" in tail


@pytest.mark.parametrize("look", ["json", "text"])
def test_the_same_traceback_is_written_whole_once_and_then_in_a_line(log_as, look):
    written = log_as(look)

    def fail(text):
        try:
            raise ValueError(text)
        except ValueError as error:
            logging.getLogger("bot").handle(record(0, logging.ERROR, "unexpected", error))

    for text in ("one", "one", "two", "one"):
        fail(text)
    assert written().count("Traceback (most recent call last)") == 2
    assert written().count("ValueError: one (its traceback is further up)") == 2


@pytest.mark.parametrize("look", ["json", "text"])
def test_a_message_of_megabytes_is_cut(log_as, look):
    written = log_as(look)
    logging.getLogger("bot").error("begins %s ends", "x" * 5_000_000)
    try:
        raise ValueError("y" * 5_000_000 + " the reason")
    except ValueError:
        logging.getLogger("bot").exception("unexpected")
    assert len(written()) < 50_000
    for part in ("begins", "ends", "4,980,012 characters", "unexpected", "Traceback", "the reason"):
        assert part in written()
    if look == "json":
        assert [json.loads(line)["level"] for line in written().splitlines()] == ["ERROR", "ERROR"]
