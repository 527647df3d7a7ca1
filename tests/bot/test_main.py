"""The command line: what only a person can mend is one line and code 2."""

import os
import subprocess
import sys

import pytest
from aiohttp import web
from discord.http import Route
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.__main__ import secret_token, until_stopped
from bot.app import App


def bag_dreams(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


def test_a_token_that_is_none_is_refused_at_once():
    result = bag_dreams(DISCORD_TOKEN="nonsense")
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "DISCORD_TOKEN" in result.stderr
    assert "nonsense" not in result.stderr


@pytest.mark.parametrize("token", ["nonsense", "a.b"])
def test_a_token_of_another_shape_is_refused(monkeypatch, token):
    monkeypatch.setenv("DISCORD_TOKEN", token)
    result = CliRunner().invoke(command_line, [])
    assert result.exit_code == 2
    assert "three parts" in result.stderr
    assert token not in result.stderr


def test_a_wrong_setting_ends_the_start(tmp_path, monkeypatch):
    config = tmp_path / "config.toml"
    config.write_text("[bot]\nfavorite_votes = -1\n")
    monkeypatch.setenv("DISCORD_TOKEN", "aaaa.bbbb.cccc")
    result = CliRunner().invoke(command_line, ["--config", str(config)])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "favorite_votes" in result.stderr


def test_no_child_process_inherits_the_token(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "aaaa.bbbb.cccc")
    assert secret_token() == "aaaa.bbbb.cccc"
    child = "import os; print('DISCORD_TOKEN' in os.environ)"
    assert subprocess.check_output([sys.executable, "-c", child], text=True) == "False\n"


@pytest.fixture
def discord_that_answers(monkeypatch, unused_tcp_port):
    """Discord's HTTP side on loopback, answering every request with a status and JSON."""

    def answer(status, body):
        async def handle(_):
            return web.json_response(body, status=status)

        async def start():
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
            return runner

        monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{unused_tcp_port}")
        return start

    return answer


def test_a_token_that_discord_refuses_is_one_line(make_config, discord_that_answers, capsys):
    import typer

    start = discord_that_answers(401, {"message": "401: Unauthorized", "code": 0})

    async def serve():
        runner = await start()
        try:
            async with App(make_config()) as app:
                await app.serve("aaaa.bbbb.cccc")
        finally:
            await runner.cleanup()

    with pytest.raises(typer.Exit) as ending:
        until_stopped(serve())
    assert ending.value.exit_code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "refused DISCORD_TOKEN" in line
    assert "aaaa" not in line


async def test_without_the_message_content_intent_it_says_where_to_switch_it_on(make_config, pool):
    import discord
    import simcord

    intents = discord.Intents.default()
    app = App(make_config(), pool)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with simcord.run(app.create_bot(), shard_count=1, approved_intents=intents):
            pass
    await app.store.close()


async def test_a_client_that_dies_is_replaced(make_config, pool, monkeypatch):
    """An exception in a gateway event parser ends a client for good."""
    import asyncio

    from bot.client.bot import BagBot

    monkeypatch.setattr("bot.app.RESTART_SECONDS", 0.01)
    starts = asyncio.Queue()

    async def start(self, token, **_):
        await starts.put(self)
        raise KeyError("an event of a kind that discord.py does not know")

    monkeypatch.setattr(BagBot, "start", start)
    async with App(make_config(), pool) as app:
        serving = asyncio.create_task(app.serve("aaaa.bbbb.cccc"))
        clients = {await starts.get() for _ in range(3)}
        serving.cancel()
    assert len(clients) == 3
