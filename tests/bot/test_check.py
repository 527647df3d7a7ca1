"""`python -m bot check`: what works and what does not, in words, with a code for scripts."""

import json
import re
import shutil
from pathlib import Path

import discord
import pytest
from aiohttp import web
from discord.http import Route
from sqlalchemy import text
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.check import client_findings, findings
from bot.client import permissions
from bot.settings import load_config
from bot.store.store import Store

TOKEN = "aaaa.bbbb.cccc"
DISCORD = {
    "/users/@me": {"id": "1", "username": "Bags", "discriminator": "0", "avatar": None, "bot": True},
    "/users/@me/guilds": [],
    "/oauth2/applications/@me": {
        "id": "2",
        "name": "Bags",
        "description": "",
        "icon": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "",
        "owner": {"id": "3", "username": "ada", "discriminator": "0", "avatar": None},
        "flags": 1 << 19,
    },
}


@pytest.fixture
def config(make_config, tmp_path):
    """All is well: a dataset, a generator, a shop and a way to reach its visitor."""
    assert make_config().bot.cooldown_seconds == 0
    config = tmp_path / "config.toml"
    shop = (
        'contact = "ada@example.com"\n[scraper.shops.corner]\nkind = "shopify"\nurl = "https://shop.example"'
    )
    config.write_text(config.read_text().replace("[gan]", f"{shop}\n[gan]"))
    manifest = tmp_path / "dataset" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps({"version": 1, "image_size": 64, "count": 600, "content_hash": "0"}))
    return config


@pytest.fixture
async def discord_that_answers(monkeypatch, unused_tcp_port_factory):
    """Discord's HTTP side on loopback, with some answers changed."""
    runners = []

    async def start(**changes):
        async def handle(request):
            answers = {path: (200, body) for path, body in DISCORD.items()} | changes.get("answers", {})
            status, body = answers[request.path]
            return web.Response(
                body=json.dumps(body).encode(), status=status, content_type="application/json"
            )

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        port = unused_tcp_port_factory()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{port}")
        runners.append(runner)

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def look(config, pool):
    """All that the command finds."""

    async def look(token=None):
        return [finding async for finding in findings(load_config(config), token, pool)]

    return look


def bad(found):
    return {finding.what: finding.text for finding in found if not finding.good}


async def test_without_a_token_it_says_that_the_demo_would_run(look, tmp_path):
    found = await look()
    told = {finding.what: finding.text for finding in found}
    assert not bad(found)
    assert "demo" in told["token"]
    assert re.fullmatch(r"after epoch 3; drew [a-z0-9]+-\d+ in \d+\.\d\d s", told["generator"])
    assert told["dataset"].startswith("600 pictures of 64 × 64, built today")
    assert told["shops"] == "corner"
    assert not (tmp_path / "bot.db").exists()  # looking makes nothing


def test_the_command_prints_a_line_each_and_ends_with_a_code(config, tmp_path, monkeypatch):
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    fine = CliRunner().invoke(command_line, ["--config", str(config), "check"])
    assert fine.exit_code == 0
    assert all(line.startswith("✓ ") for line in fine.stdout.splitlines())


def test_on_a_fresh_machine_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command_line, ["check"])
    assert result.exit_code == 2
    assert result.stderr == ""
    marks = {line.split()[1]: line[0] for line in result.stdout.splitlines()}
    assert {what for what, mark in marks.items() if mark == "✗"} == {"generator", "dataset", "shops"}
    assert {what for what, mark in marks.items() if mark == "✓"} >= {"token", "store", "schedule"}


async def test_an_accepted_token_and_its_intent(look, discord_that_answers):
    await discord_that_answers()
    found = await look(TOKEN)
    told = {finding.what: finding for finding in found}
    assert told["token"].good
    assert "Bags" in told["token"].text
    assert told["intents"].good
    assert "client_id=2" in bad(found)["servers"]  # in no server: how to invite it
    asked = re.search(r"permissions=(\d+)", bad(found)["servers"])[1]
    granted = discord.Permissions(int(asked))
    assert not permissions.lacking(granted, permissions.HOME)


async def test_what_the_readme_asks_for_is_what_is_needed():
    needed = discord.Permissions(**dict.fromkeys(permissions.HOME, True))
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert f"permissions={needed.value}" in readme


@pytest.mark.parametrize(
    ("answers", "what", "hint"),
    [
        ({"/users/@me": (401, {"message": "401: Unauthorized"})}, "token", "Reset Token"),
        (
            {"/oauth2/applications/@me": (200, DISCORD["/oauth2/applications/@me"] | {"flags": 0})},
            "intents",
            "Message Content Intent",
        ),
        ({"/users/@me/guilds": (403, {"message": "no"})}, "servers", "can't be reached"),
    ],
)
async def test_what_discord_refuses_is_told_with_its_cure(look, discord_that_answers, answers, what, hint):
    await discord_that_answers(answers=answers)
    found = await look(TOKEN)
    assert hint in bad(found)[what]
    assert not any(TOKEN in finding.text for finding in found)


@pytest.mark.parametrize("token", ["nonsense", "a.b", "🔑"])
async def test_what_is_no_token_is_told_without_asking(look, token):
    found = await look(token)
    assert "three parts" in bad(found)["token"]
    assert not any(token in finding.text for finding in found)


async def test_no_network_is_no_bad_token(look, monkeypatch, unused_tcp_port):
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{unused_tcp_port}")
    found = await look(TOKEN)
    assert "can't be reached" in bad(found)["discord"]
    assert "token" not in bad(found)


async def test_each_server_is_told_with_what_it_lacks(server):
    async with server() as world:
        client, guilds = world.env.bot, world.app.guilds

        async def told():
            return [
                (finding.good, finding.text)
                async for finding in client_findings(client, guilds)
                if finding.what == "server"
            ]

        ((good, line),) = await told()
        assert good
        assert "Bag Lovers: home #bag-dreams; " in line
        await world.allow(attach_files=False, manage_threads=False)
        channel = client.get_channel(world.channel.id)
        await channel.edit(
            overwrites={channel.guild.default_role: discord.PermissionOverwrite(attach_files=False)}
        )
        ((good, line),) = await told()
        assert not good
        assert "in #bag-dreams I lack Attach Files, Manage Threads" in line
        await guilds.set_up(world.guild.id, channel_id=123)
        ((good, line),) = await told()
        assert not good
        assert "`!bag setup`" in line
        await guilds.set_up(world.guild.id, channel_id=0)
        ((good, line),) = await told()
        assert good  # silence was chosen


async def test_the_store_is_looked_at_and_left_alone(look, tmp_path):
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    await store.open()
    assert "up to date" in next(f.text for f in await look() if f.what == "store")
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    assert "newer version" in bad(await look())["store"]
    (tmp_path / "bot.db").write_bytes(b"no database at all, but long enough to be read as one " * 50)
    assert "can't be reached" in bad(await look())["store"]


async def test_a_store_that_is_not_upgraded_yet_is_read(look, tmp_path):
    shutil.copy(Path(__file__).with_name("written_by_0_1_0") / "bot.db", tmp_path)
    assert "upgraded at the next start" in next(f.text for f in await look() if f.what == "store")


async def test_a_password_in_the_stores_address_is_never_printed(look, monkeypatch):
    monkeypatch.setenv("BOT_STORE", "postgresql+asyncpg://ada:sesame@127.0.0.1:1/bags")
    found = await look()
    assert "can't be reached" in bad(found)["store"]
    assert not any("sesame" in finding.text for finding in found)
    monkeypatch.setenv("BOT_STORE", "nonsense")
    assert "does not work here" in bad(await look())["store"]


async def test_a_generator_that_can_not_be_read_is_no_traceback(look, tmp_path):
    (tmp_path / "runs" / "2026-01-01-0000" / "generator.safetensors").write_bytes(b"cut off")
    assert "can't be read" in bad(await look())["generator"]


async def test_a_shop_wants_to_know_who_calls(config, look):
    config.write_text(config.read_text().replace('contact = "ada@example.com"', ""))
    assert "contact" in bad(await look())["shops"]


async def test_a_disk_without_room_is_told(look, monkeypatch):
    monkeypatch.setattr("bot.check.ROOM", 2**80)
    assert "free up space" in bad(await look())["disk"]
