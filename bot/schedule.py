"""The schedule: scraping and training by cron in the settings' time zone, posts and pruning by interval."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.cron import LocalCron
from bot.drawing.studio import Studio
from bot.features.daily.post import RegularPost
from bot.processes import ScraperProcess, TrainerProcess
from bot.settings import Settings
from bot.store.store import Store

POST_SECONDS = 60
MISFIRE_SECONDS = 3600
log = logging.getLogger(__name__)


def build_schedule(
    settings: Settings,
    store: Store,
    studio: Studio,
    trainer: TrainerProcess,
    scraper: ScraperProcess,
    posts: Sequence[RegularPost],
) -> AsyncIOScheduler:
    """The scheduler with all its jobs, not yet started."""
    scheduler = AsyncIOScheduler(
        timezone=settings.zone,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS},
    )

    # A trigger without a zone asks the machine for its own, which not every machine can tell.
    every = partial(IntervalTrigger, timezone=settings.zone)

    async def prune() -> None:
        gone = await studio.generators.prune(await store.versions_in_use())
        if gone:
            log.info("dropped generators that nobody voted for: %s", " ".join(gone))

    for name, cron, child in (
        ("scrape", settings.scrape_at, scraper),
        ("train", settings.train_at, trainer),
    ):
        if cron and child.useful:
            scheduler.add_job(child.start, LocalCron(cron, settings.zone), [False], id=name)
    for post in posts:
        # Checked every minute rather than fired once, so that a missed hour, a sleep or a restart loses no
        # day; the store makes sure that no day gets two.
        scheduler.add_job(
            post.catch_up,
            every(seconds=POST_SECONDS),
            id=post.kind,
            next_run_time=datetime.now(settings.zone),
        )
    scheduler.add_job(prune, every(hours=1), id="prune")
    return scheduler
