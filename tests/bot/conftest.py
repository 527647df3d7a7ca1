"""A real bot in a simulated Discord, with a small real generator."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import simcord
from discord.ext import commands

from bot.app import App
from bot.client import edits, retries
from bot.drawing import queue
from bot.drawing.workers import DrawingPool
from bot.errors import Refusal
from bot.features.training import thread
from bot.settings import Config, load_config
from bot.store.store import Store
from gan import events
from gan.run import Run
from gan.words import Vocabulary
from tests.bot.world import Clock, World, begin_run, end_epoch, finish_run, make_generator

CONFIG = """
[scraper]
folder = "{folder}/shop"
dataset = "{folder}/dataset"
[gan]
dataset = "{folder}/dataset"
runs = "{folder}/runs"
[bot]
store = "sqlite+aiosqlite:///{folder}/bot.db"
favorites = "{folder}/favorites"
generators = "{folder}/generators"
cooldown_seconds = 0
server_per_minute = 0
favorite_votes = 2
grid_seconds = 0
dream_at = ""
best_at = ""
scrape_at = ""
train_at = ""
{extra}
"""


Server = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with one finished run, made once."""
    runs = tmp_path_factory.mktemp("trained") / "runs"
    run = Run(runs / "2026-01-01-0000")
    version = make_generator(run)
    begin_run(run)
    for number in (1, 2, 3):
        end_epoch(run, number)
        events.append(run.path, events.Checkpoint(epoch=number, version=version))
    finish_run(run, 3)
    return runs


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables and nothing in them, made once."""
    file = tmp_path_factory.mktemp("store") / "bot.db"
    store = Store(f"sqlite+aiosqlite:///{file.as_posix()}")

    async def make() -> None:
        await store.open()
        await store.close()

    asyncio.run(make())
    return file


@pytest.fixture
def make_config(tmp_path: Path, trained: Path) -> Callable[..., Config]:
    """Settings over a fresh folder; with the trained run, unless told otherwise."""

    def make(extra: str = "", generator: bool = True, vocabulary: Vocabulary | None = None) -> Config:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(folder=tmp_path.as_posix(), extra=extra))
        if generator and not (tmp_path / "runs").exists():
            shutil.copytree(trained, tmp_path / "runs")
            if vocabulary is not None:
                make_generator(Run(next((tmp_path / "runs").iterdir())), vocabulary=vocabulary)
        return load_config(config)

    return make


@pytest.fixture(scope="session")
def pool() -> Iterator[DrawingPool]:
    """One drawing process for all tests: each new one would load torch again."""
    shared = DrawingPool()
    yield shared
    shared.close()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits a second for the next edit or try; a test of such a wait sets it itself.

    And however slow the machine, nobody is told their place in line, and no post of a run comes between a
    command and its answer: tests that want those use the fixture `runs_posted`.
    """
    monkeypatch.setattr(edits, "SECONDS", 0.02)
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.02)
    monkeypatch.setattr(queue, "NOTICE_SECONDS", 600)
    monkeypatch.setattr(thread, "POLL_SECONDS", 10**6)
    # SimCord looks every 50 ms whether what the bot has put into threads is done: most of a test.
    monkeypatch.setitem(simcord.Env._settle_internal.__kwdefaults__, "idle", 0.005)


@pytest.fixture
def runs_posted(monkeypatch: pytest.MonkeyPatch, brisk: None) -> None:
    """Runs are posted as they go."""
    monkeypatch.setattr(thread, "POLL_SECONDS", 0.02)


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """A command line sets the log up for its process, which here is that of all tests: it is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def server(
    make_config: Callable[..., Config], tmp_path: Path, pool: DrawingPool, empty_store: Path
) -> Server:
    """Open with `async with server() as world`: the bot in a guild with #bag-dreams, Ada (owner) and Ben."""

    @asynccontextmanager
    async def open_server(
        extra: str = "", generator: bool = True, vocabulary: Vocabulary | None = None
    ) -> AsyncIterator[World]:
        if not (tmp_path / "bot.db").exists():
            shutil.copy(empty_store, tmp_path / "bot.db")
        clock = Clock()
        app = App(make_config(extra, generator, vocabulary), pool, clock)
        async with (
            app,
            simcord.run(app.create_bot(), shard_count=1, check_errors=False, settle_timeout=30) as env,
        ):
            ada_user = env.create_user("ada")
            guild = env.create_guild("Bag Lovers", owner=ada_user)
            channel = guild.create_text_channel("bag-dreams")
            ada = guild.add_member(ada_user)
            ben = guild.add_member(env.create_user("ben"))
            world = World(app, clock, env, guild, channel, ada, ben, tmp_path)
            yield world
            for error in env.errors:
                cause: BaseException = error
                while hasattr(cause, "original"):
                    cause = cause.original
                # A refusal is an answer; anything else is a bug that the bot has covered up.
                assert isinstance(cause, Refusal | commands.CommandError | world.expects), cause

    return open_server
