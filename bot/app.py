"""The composition root: builds store, studio, child processes, schedule and client; closes in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Self

import discord

from bot.client.announcer import Announcer
from bot.client.bot import BagBot, Services
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
        self.studio = Studio(self.pool, self.store, generators)
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

    def create_bot(self) -> BagBot:
        """A client, not yet started; from now on the announcer speaks through it."""
        bot = BagBot(self._services, partial(add_features, cards=self.cards))
        self.announcer.bot = bot
        return bot

    async def __aenter__(self) -> Self:
        """Open the store, then start what works in the background."""
        async with contextlib.AsyncExitStack() as stack:
            await self.store.open()
            stack.push_async_callback(self.store.close)
            await self.guilds.load()
            if self._own_pool:
                stack.callback(self.pool.close)
            children, posts = (self.trainer, self.scraper), (self.daily, self.weekly)
            for child in children:
                await stack.enter_async_context(_background(child.name, child.run))
            await stack.enter_async_context(_background("run thread", self.run_thread.run))
            await stack.enter_async_context(_background("warm-up", self.studio.warm_up, once=True))
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

        discord.py reconnects by itself, but an exception in an event parser ends a client for good; then
        a new one replaces it. Raises discord.LoginFailure or PrivilegedIntentsRequired.
        """
        while True:
            bot = self.create_bot()
            bot.once_ready = freeze_memory
            try:
                async with bot:
                    await bot.start(token)
            except (discord.LoginFailure, discord.PrivilegedIntentsRequired):
                raise
            except Exception:
                log.exception("the client died; a new one replaces it in %.0f s", RESTART_SECONDS)
            await asyncio.sleep(RESTART_SECONDS)


def freeze_memory() -> None:
    """Exempt what lives as long as the process from garbage collection.

    A full collection walks all of it, and blocked the loop for 0.1 s.
    """
    gc.collect()
    gc.freeze()


@contextlib.asynccontextmanager
async def _background(
    name: str, work: Callable[[], Awaitable[None]], once: bool = False
) -> AsyncIterator[None]:
    async def keep_going() -> None:
        while True:
            try:
                await work()
            except Exception:
                log.exception("the %s failed and is restarted", name)
            if once:
                return
            await asyncio.sleep(RESTART_SECONDS)

    task = asyncio.create_task(keep_going(), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
