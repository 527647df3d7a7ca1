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
