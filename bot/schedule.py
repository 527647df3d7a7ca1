"""When things happen by themselves: cron expressions in the settings' time zone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.client.announcer import Herald
from bot.cron import LocalCron
from bot.drawing.studio import Studio
from bot.features.daily.post import RegularPost
from bot.features.poll import RoundCommands
from bot.processes import Child, Collector, Trainer
from bot.settings import Settings
from bot.store.store import Store

ROUND_SECONDS = 2
POST_SECONDS = 60
MISFIRE_SECONDS = 3600
log = logging.getLogger(__name__)


def build_schedule(
    settings: Settings,
    herald: Herald,
    store: Store,
    studio: Studio,
    trainer: Trainer,
    collector: Collector,
    posts: Sequence[RegularPost],
) -> AsyncIOScheduler:
    """The scheduler with all its jobs, not yet started."""
    scheduler = AsyncIOScheduler(
        timezone=settings.zone,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS},
    )

    async def start(child: Child) -> None:
        # A coroutine, since APScheduler runs plain functions in a thread and the children live on the loop.
        child.start(asked=False)

    async def close_rounds() -> None:
        cog = herald.bot.get_cog("RoundCommands") if herald.bot and herald.bot.is_ready() else None
        if isinstance(cog, RoundCommands):
            await cog.close_due_rounds()

    async def prune() -> None:
        gone = await studio.prune(await store.versions_in_use())
        if gone:
            log.info("dropped generators that nobody voted for: %s", " ".join(gone))

    for name, cron, child in (
        ("scrape", settings.scrape_at, collector),
        ("train", settings.train_at, trainer),
    ):
        if cron and child.useful:
            scheduler.add_job(start, LocalCron(cron, settings.zone), [child], id=name)
    for post in posts:
        # Looked at every minute and not fired once: so a missed hour, a sleep or a restart loses no day,
        # and the store sees to it that no day gets two.
        scheduler.add_job(
            post.catch_up,
            IntervalTrigger(seconds=POST_SECONDS),
            id=post.kind,
            next_run_time=datetime.now(settings.zone),
        )
    scheduler.add_job(close_rounds, IntervalTrigger(seconds=ROUND_SECONDS), id="rounds")
    scheduler.add_job(prune, IntervalTrigger(hours=1), id="prune")
    return scheduler
