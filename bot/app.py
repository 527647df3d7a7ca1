"""The composition root: builds store, studio, children, schedule and client, and closes in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

import discord

import gan.settings
import scraper.settings
from bot import settings as bot_settings
from bot.client.announcer import Herald
from bot.client.bot import BagBot, Services
from bot.client.metrics import Watch
from bot.drawing.studio import Studio
from bot.drawing.workers import Easel
from bot.features import add_features
from bot.features.daily.dream import DailyDream
from bot.features.daily.taste import Taste
from bot.features.daily.weekly import WeeklyBest
from bot.features.training.thread import RunTeller
from bot.guilds import Guilds
from bot.health import Health
from bot.processes import Collector, Trainer
from bot.schedule import build_schedule
from bot.settings import SettingsError
from bot.store.store import Store

RESTART_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class House:
    """The settings of all three packages, and the file they came from (children read it too)."""

    config: Path
    bot: bot_settings.Settings
    gan: gan.settings.Settings
    scraper: scraper.settings.Settings


def load_house(config: Path) -> House:
    """Read config.toml for all three packages. Raises SettingsError with one line."""
    try:
        return House(
            config, bot_settings.load(config), gan.settings.load(config), scraper.settings.load(config)
        )
    except (gan.settings.SettingsError, scraper.settings.SettingsError) as error:
        raise SettingsError(str(error)) from error


def create_bot(house: House) -> BagBot:
    """The client, not yet started, for any harness to drive. Schedules and run posts need an `App`."""
    return App(house).create_bot()


class App:
    """Everything that lives as long as the process; clients come and go in it.

    `async with App(house) as app` opens the store and starts the schedule and the children's keepers.
    """

    def __init__(self, house: House, easel: Easel | None = None) -> None:
        settings = house.bot
        runs = house.gan.runs
        self.house = house
        self.herald = Herald()
        self.watch = Watch()
        self.store = Store(settings.store)
        self.guilds = Guilds(self.store, settings)
        self._own_easel = easel is None
        self.easel = easel or Easel()
        self.studio = Studio(self.easel, self.store, runs, settings.generators, settings.generators_kept)
        self.trainer = Trainer(house.config, runs, settings.train_minutes, self.herald.say)
        self.collector = Collector(
            house.config, house.scraper.folder, len(house.scraper.shops), self.herald.say
        )
        self.taste = Taste(self.store, self.studio, self.easel)
        late = timedelta(hours=settings.late_hours)
        self.daily = DailyDream(self.herald, self.store, self.guilds, late, self.taste.pick)
        self.weekly = WeeklyBest(self.herald, self.store, self.guilds, late)
        self.teller = RunTeller(self.herald, self.store, runs, settings.grid_seconds)
        self._services = Services(
            settings, runs, self.store, self.guilds, self.studio, self.trainer, self.collector, self.watch
        )
        self._stack = contextlib.AsyncExitStack()

    def create_bot(self) -> BagBot:
        """A client, not yet started; from now on the herald speaks through it."""
        bot = BagBot(self._services, add_features)
        self.herald.bot = bot
        return bot

    async def __aenter__(self) -> Self:
        """Open the store, then start what works in the background."""
        async with contextlib.AsyncExitStack() as stack:
            await self.store.open()
            await self.guilds.load()
            stack.push_async_callback(self.store.close)
            if self._own_easel:
                stack.callback(self.easel.close)
            children, posts = (self.trainer, self.collector), (self.daily, self.weekly)
            for child in children:
                await stack.enter_async_context(_background(child.name, child.run))
            await stack.enter_async_context(_background("run teller", self.teller.run))
            await stack.enter_async_context(_background("warm-up", self.studio.warm_up, once=True))
            schedule = build_schedule(
                self.house.bot,
                self.herald,
                self.store,
                self.studio,
                self.trainer,
                self.collector,
                posts,
            )
            schedule.start()
            stack.callback(schedule.shutdown, wait=False)
            await asyncio.to_thread(self.trainer.resume_interrupted)
            if port := self.house.bot.health_port:
                health = Health(self.herald, self.store, self.studio, self.watch, children, posts)
                await stack.enter_async_context(health.serve(port))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close in reverse: no new jobs, children stopped in good order, store last."""
        await self._stack.aclose()

    async def serve(self, token: str) -> None:
        """Keep a client connected until cancelled.

        discord.py reconnects by itself, but an exception in an event parser ends a client for good: then
        another one takes its place. Raises discord.LoginFailure or PrivilegedIntentsRequired.
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
                log.exception("the client died; another takes its place in %.0f s", RESTART_SECONDS)
            await asyncio.sleep(RESTART_SECONDS)


def freeze_memory() -> None:
    """Exempt what lives as long as the process from garbage collection.

    A full collection goes through all of it and held the loop for 0.1 s.
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
                log.exception("the %s stumbled and goes on", name)
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
