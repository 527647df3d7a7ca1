"""Health: /healthz and /metrics on loopback, for whoever runs the bot."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector as MetricsSource
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.drawing.generators import Model
from bot.errors import Refusal

if TYPE_CHECKING:
    from prometheus_client import Metric

    from bot.client.announcer import Announcer
    from bot.client.metrics import Metrics
    from bot.drawing.studio import Studio
    from bot.features.daily.post import RegularPost
    from bot.processes import ChildProcess
    from bot.store.store import Store

TICK_SECONDS = 0.02
STORE_SECONDS = 2.0
HOST = "127.0.0.1"
HEALTHY = "I am connected, and my store answers."
NOT_CONNECTED = "I am not connected to Discord."


class Stalls:
    """How long the event loop was held up, by waking 50 times a second."""

    def __init__(self) -> None:
        self._worst: dict[int, float] = {}

    def worst(self) -> float:
        """The longest stall of the last minute, in seconds."""
        return max(self._worst.values(), default=0.0)

    async def run(self) -> None:
        """Metrics until cancelled."""
        while True:
            due = time.perf_counter() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            second = int(now)
            self._worst[second] = max(self._worst.get(second, 0.0), now - due)
            while min(self._worst) < second - 60:
                del self._worst[min(self._worst)]


class Health(MetricsSource):
    """Answers GET /healthz and GET /metrics."""

    def __init__(
        self,
        announcer: Announcer,
        store: Store,
        studio: Studio,
        metrics: Metrics,
        children: Sequence[ChildProcess],
        posts: Sequence[RegularPost],
    ) -> None:
        self._announcer = announcer
        self._store = store
        self._studio = studio
        self._registry = metrics.registry
        self._children = children
        self._posts = posts
        self._model: Model | None = None
        self._stalls = Stalls()

    @contextlib.asynccontextmanager
    async def serve(self, port: int) -> AsyncIterator[None]:
        """Be there at a port of loopback. Raises OSError if somebody has it."""
        self._registry.register(self)
        process = ProcessCollector(registry=self._registry)
        stalls = asyncio.create_task(self._stalls.run(), name="stalls")
        app = web.Application()
        app.router.add_get("/healthz", self._on_health)
        app.router.add_get("/metrics", self._on_metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
            yield
        finally:
            await runner.cleanup()
            stalls.cancel()
            self._registry.unregister(process)
            self._registry.unregister(self)

    async def problems(self) -> list[str]:
        """What keeps the bot from working, in words; nothing if it works."""
        found = []
        bot = self._announcer.bot
        if bot is None or not bot.is_ready():
            found.append(NOT_CONNECTED)
        try:
            async with asyncio.timeout(STORE_SECONDS), self._store.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            found.append(f"My store does not answer ({type(error).__name__}).")
        found += [f"My {lane} drawing process hung and was replaced." for lane in sorted(self._studio.hung)]
        return found

    async def _on_health(self, _request: web.Request) -> web.Response:
        problems = await self.problems()
        return web.Response(text="\n".join(problems or [HEALTHY]) + "\n", status=503 if problems else 200)

    async def _on_metrics(self, _request: web.Request) -> web.Response:
        try:
            self._model = await self._studio.current()
        except Refusal:
            self._model = None
        # Nothing in it waits: the rest was looked up above.
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    def collect(self) -> Iterable[Metric]:
        """How things stand now, for Prometheus."""
        bot = self._announcer.bot
        ready = bot is not None and bot.is_ready()
        latency = bot.latency if bot is not None and ready else math.nan
        for name, what, value in (
            ("bag_ready", "Whether the client is connected and ready.", ready),
            ("bag_gateway_latency_seconds", "Between a heartbeat and Discord's answer.", latency),
            ("bag_guilds", "Servers that the bot is in.", len(bot.guilds) if bot else 0),
            ("bag_waiting_drawings", "Drawings that somebody waits for.", self._studio.waiting),
            (
                "bag_loop_stall_seconds",
                "The event loop's longest stall of the last minute.",
                self._stalls.worst(),
            ),
            ("bag_generator_epoch", "The newest generator's epoch.", self._model.epoch if self._model else 0),
        ):
            yield GaugeMetricFamily(name, what, value=float(value))
        version = self._model.version if self._model else "none"
        yield InfoMetricFamily("bag_generator", "The newest generator.", value={"version": version})
        children = GaugeMetricFamily(
            "bag_child_running", "Whether a child process is at work.", labels=["child"]
        )
        for child in self._children:
            children.add_metric([child.label], child.running)
        yield children
        posts = CounterMetricFamily("bag_posts", "Posts sent since the start.", labels=["kind"])
        for post in self._posts:
            posts.add_metric([post.kind], post.sent)
        yield posts
