"""/healthz and /metrics, asked by a real HTTP client."""

import re
import socket
from types import SimpleNamespace

import aiohttp
import pytest

from bot.client.metrics import Metrics
from bot.health import Health


@pytest.fixture
def port(monkeypatch):
    """A free port that the bot is told to use."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    monkeypatch.setenv("BOT_HEALTH_PORT", str(number))
    return number


async def get(port, path):
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def metrics(port):
    status, text = await get(port, "/metrics")
    assert status == 200
    return {
        name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    }


async def test_metrics_tell_how_the_bot_is(server, port):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        version = world.code.split("-")[0]
        await world.ben.click(world.last, custom_id=f"bag:up:{world.code}")
        await world.ben.send(world.channel, "!bag train start")
        seen = await metrics(port)
        assert seen["bag_ready"] == 1
        assert seen["bag_guilds"] == 1
        assert seen["bag_generator_epoch"] == 3
        assert seen[f'bag_generator_info{{version="{version}"}}'] == 1
        assert seen['bag_answer_seconds_count{outcome="ok",what="bag"}'] == 1
        assert seen['bag_answer_seconds_count{outcome="ok",what="button up"}'] == 1
        assert seen['bag_answer_seconds_count{outcome="refused",what="bag train start"}'] == 1
        assert seen['bag_answer_seconds_bucket{le="30.0",outcome="ok",what="bag"}'] == 1
        assert seen['bag_posts_total{kind="dream"}'] == 0
        assert seen['bag_child_running{child="trainer"}'] == 0
        assert seen["bag_waiting_drawings"] == 0
        assert seen["bag_loop_stall_seconds"] >= 0
        assert seen["bag_gateway_latency_seconds"] >= 0
        assert seen["process_resident_memory_bytes"] > 10**6


async def test_a_stall_of_the_loop_shows(server, port):
    import time

    async with server():
        time.sleep(0.3)  # what must never happen  # noqa: ASYNC251
        await get(port, "/healthz")
        assert (await metrics(port))["bag_loop_stall_seconds"] > 0.2


async def test_health_is_200_when_it_works_and_503_with_words_when_not(server, port, monkeypatch):
    async with server() as world:
        assert await get(port, "/healthz") == (200, "I am connected, and my store answers.\n")
        with monkeypatch.context() as patch:
            patch.setattr(world.app.store, "engine", SimpleNamespace(connect=_Broken))
            status, text = await get(port, "/healthz")
            assert (status, text) == (503, "My store does not answer (OSError).\n")
        world.app.announcer.bot = None
        assert await get(port, "/healthz") == (503, "I am not connected to Discord.\n")
        world.app.announcer.bot = world.env.bot
        assert (await get(port, "/nonsense"))[0] == 404


class _Broken:
    async def __aenter__(self):
        raise OSError("the database went away")

    async def __aexit__(self, *_):
        pass


async def test_without_a_generator_and_after_a_restart_metrics_go_on(server, port):
    async with server(generator=False) as world:
        assert (await metrics(port))["bag_generator_epoch"] == 0
        await world.ada.send(world.channel, "!bag")
        await world.restart()
        await world.ada.send(world.channel, "!bag")
        seen = await metrics(port)
        assert seen['bag_answer_seconds_count{outcome="refused",what="bag"}'] == 2


async def test_off_by_default_and_a_taken_port_is_an_error(server, port, monkeypatch):
    async with server():
        health = Health(None, None, None, Metrics(), [], [])
        with pytest.raises(OSError, match="in use"):
            async with health.serve(port):
                pass
    monkeypatch.delenv("BOT_HEALTH_PORT")
    async with server():
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(port, "/healthz")
