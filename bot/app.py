"""The composition root: builds store, studio, child processes, schedule and client; closes in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Self

import discord
from discord.webhook.async_ import async_context

from bot import words
from bot.client.announcer import Announcer
from bot.client.bot import BagBot, Services
from bot.client.connection import REFUSED, Answers, OneLine, Pauses
from bot.client.metrics import Metrics
from bot.drawing.generators import Generators
from bot.drawing.studio import Studio
from bot.drawing.workers import DrawingPool
from bot.features import add_features
from bot.features.card import Cards
from bot.features.daily.dream import DailyDream
from bot.features.daily.taste import Taste
from bot.features.daily.weekly import WeeklyBest
from bot.features.training.thread import RunThread
from bot.guilds import Guilds
from bot.health import Health
from bot.processes import ScraperProcess, TrainerProcess
from bot.schedule import build_schedule
from bot.settings import Config
from bot.store.database import utc_now
from bot.store.store import Store

RESTART_SECONDS = 5.0
IDENTIFY_SECONDS = 5.0
"""Discord takes one IDENTIFY in five seconds."""
HOPELESS = (4004, 4010, 4011, 4012, 4013)
"""Discord's reasons for closing a connection that no further try will change: token, shards, version."""
log = logging.getLogger(__name__)


class App:
    """Everything that lives as long as the process; clients come and go in it.

    `async with App(config) as app` opens the store and starts the schedule and the keepers of the child
    processes. `pool` shares drawing processes with others; `now` gives the time, aware.
    """

    def __init__(
        self, config: Config, pool: DrawingPool | None = None, now: Callable[[], datetime] = utc_now
    ) -> None:
        settings, runs = config.bot, config.gan.runs
        self.config = config
        self.announcer = Announcer()
        self.metrics = Metrics()
        self.store = Store(settings.store, now)
        self.guilds = Guilds(self.store, settings)
        self._own_pool = pool is None
        self.pool = pool or DrawingPool()
        generators = Generators(runs, settings.generators, settings.generators_kept)
        self.studio = Studio(self.pool, self.store, generators, config.gan.dataset)
        self.cards = Cards(self.studio, self.store)
        say = self.announcer.say
        self.trainer = TrainerProcess(config.path, runs, settings.train_minutes, say)
        self.scraper = ScraperProcess(config.path, config.scraper.folder, len(config.scraper.shops), say)
        late = timedelta(hours=settings.late_hours)
        self.taste = Taste(self.store, self.studio, self.pool)
        self.daily = DailyDream(self.announcer, self.store, self.guilds, self.cards, late, now, self.taste)
        self.weekly = WeeklyBest(self.announcer, self.store, self.guilds, self.cards, late, now)
        self.run_thread = RunThread(self.announcer, self.store, runs, settings.grid_seconds, now)
        self._services = Services(
            settings,
            runs,
            self.store,
            self.guilds,
            self.studio,
            self.trainer,
            self.scraper,
            self.metrics,
            now,
        )
        self._stack = contextlib.AsyncExitStack()

    def create_bot(self, message_content: bool = True) -> BagBot:
        """A client, not yet started; from now on the announcer speaks through it."""
        bot = BagBot(self._services, partial(add_features, cards=self.cards), message_content)
        self.announcer.bot = bot
        return bot

    async def __aenter__(self) -> Self:
        """Open the store, then start what works in the background."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.store.close)
            await stack.enter_async_context(self.store.alone(min(self.config.bot.shard_ids, default=0)))
            await self.store.open()
            await self.guilds.load()
            if self._own_pool:
                stack.callback(self.pool.close)
            children, posts = (self.trainer, self.scraper), (self.daily, self.weekly)
            await stack.enter_async_context(
                _background(
                    *(_keep_going(child.name, child.run) for child in children),
                    _keep_going("run thread", self.run_thread.run),
                    _once("warm-up", self.studio.warm_up),
                )
            )
            schedule = build_schedule(
                self.config.bot, self.store, self.studio, self.trainer, self.scraper, posts
            )
            schedule.start()
            stack.callback(schedule.shutdown, wait=False)
            await self.trainer.resume()
            if port := self.config.bot.health_port:
                health = Health(self.announcer, self.store, self.studio, self.metrics, children, posts)
                await stack.enter_async_context(health.serve(port))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close in reverse: no new jobs, child processes stopped in good order, store last."""
        await self._stack.aclose()

    async def serve(self, token: str) -> None:
        """Keep a client connected until cancelled.

        discord.py reconnects by itself; a client that ends all the same is replaced, after growing pauses.
        Raises discord.LoginFailure, discord.PrivilegedIntentsRequired and discord.ConnectionClosed for what
        only a person can mend.
        """
        async_context.set(Answers())  # type: ignore[no-untyped-call]  # untyped there
        for name in ("discord.client", "discord.shard", "discord.gateway", "discord.app_commands.tree"):
            logging.getLogger(name).addFilter(OneLine())
        pauses, message_content = Pauses(), True
        while True:
            bot = self.create_bot(message_content)
            bot.once_ready = freeze_memory
            try:
                await _connected(bot, token)
            except discord.LoginFailure:
                raise
            except discord.PrivilegedIntentsRequired:
                if not message_content:
                    raise
                log.warning(words.INTENT_OFF)
                message_content = False
                pause = IDENTIFY_SECONDS
            except (
                discord.ConnectionClosed,
                discord.GatewayNotFound,
                *REFUSED,
            ) as error:
                if isinstance(error, discord.ConnectionClosed) and error.code in HOPELESS:
                    raise
                pause = pauses.delay()
                log.warning("not connected, trying again in %.0f s: %s", pause, error or type(error).__name__)
            except Exception:
                pause = pauses.delay()
                log.exception("the client died; a new one replaces it in %.0f s", pause)
            else:
                pause = pauses.delay()
            await asyncio.sleep(pause)


async def _connected(bot: BagBot, token: str) -> None:
    """Run a client to its end; raises what `start` does. Cancelled, it closes the client."""
    # In a task of its own: Python 3.11's wait_for forgets a cancellation that comes as a connection is made,
    # and nothing would stop the bot.
    running: asyncio.Task[None] | None = None
    try:
        async with bot:
            running = asyncio.create_task(bot.start(token), name="client")
            await asyncio.wait([running])
            running.result()
    finally:
        while running is not None and not running.done():
            running.cancel()
            await asyncio.wait([running], timeout=1)


def freeze_memory() -> None:
    """Exempt what lives as long as the process from garbage collection.

    A full collection walks all of it, and blocked the loop for 0.1 s.
    """
    gc.collect()
    gc.freeze()


@contextlib.asynccontextmanager
async def _background(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_going(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await _once(name, work)
        await asyncio.sleep(RESTART_SECONDS)


async def _once(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:
        log.exception("the %s failed", name)
