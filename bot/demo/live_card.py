"""The demo's live card: one message, edited in place, that shows how far collecting and training are."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import discord
import numpy as np

from bot import words
from bot.app import App
from bot.client.connection import REFUSED
from bot.client.replies import dress
from bot.features.card import attach
from bot.formats import counted, duration
from bot.store.database import utc_now
from gan.grid import grid, png
from gan.run_state import Progress, read_progress
from scraper.files import Files

LOOK_SECONDS = 2.0
NEWEST = 8
"""Bags that are shown while they are collected."""
BAR = 20
"""Characters of the bar."""
TRY = (
    "Now try `!bag`, `!bag grid 9`, `!bag interpolate 42 7`, or press 🔀 under a bag. "
    "`!bag help` shows everything else."
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collected:
    """What the catalog holds: how many bags, and the newest as PNG (None: no bag yet)."""

    bags: int
    newest: bytes | None


@dataclass(frozen=True)
class State:
    """What the card shows; `picture` is a PNG with its alt text."""

    title: str
    text: str
    picture: tuple[bytes, str] | None


def state(drawn: int, collected: Collected, progress: Progress | None, in_dataset: int) -> State:
    """What to show of `drawn` bags in the shop: how many are collected, and how far the run is."""
    if progress is None:
        share = collected.bags / drawn
        picture = collected.newest and (collected.newest, f"The newest {NEWEST} bags that were collected.")
        counts = f"{collected.bags:,} of {counted(drawn, 'bag')}"
        return State("👜 Collecting bags", f"{bar(share)} {counts}", picture or None)
    kept = progress.started.images
    learning = (
        f"{drawn:,} bags in the shop → {in_dataset:,} in the dataset (without twins) → {kept:,} to learn "
        f"from; the other {in_dataset - kept:,} are kept aside, to measure how good the dreams are."
    )
    epoch = progress.epoch
    if progress.ending is not None:
        title = "✅ The training run is done" if progress.state == "finished" else "⏸ The training run rests"
        return State(title, f"{words.epoch_line(epoch)}\n{TRY}" if epoch else TRY, _grid(progress))
    if epoch is None:
        return State("🧵 Training begins", learning, None)
    if epoch.seconds_left == 0:
        return State("📏 Measuring the quality", f"{bar(1)} the last epoch is done", _grid(progress))
    left = epoch.seconds_left
    share = epoch.seconds / (epoch.seconds + left) if left else 0.0
    told = f"{bar(share)} {duration(left)} left" if left else f"epoch {epoch.epoch}"
    return State("🧵 Training", f"{told}\n{words.epoch_line(epoch)}\n{learning}", _grid(progress))


def bar(share: float) -> str:
    """A bar that is filled to a share in [0, 1]."""
    full = round(BAR * min(max(share, 0.0), 1.0))
    return f"`{'█' * full}{'░' * (BAR - full)}`"


def _grid(progress: Progress) -> tuple[bytes, str] | None:
    if progress.epoch is None:
        return None
    number = progress.epoch.epoch
    data = progress.run.read(progress.run.grid(number), 4 * 2**20)
    return (data, words.epoch_alt(number)) if data else None


def collected(folder: Path, image_size: int) -> Collected:
    """What the catalog in `folder` holds by now; reads beside the collector."""
    try:
        address = f"{(folder / 'catalog.sqlite').absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as db:
            (bags,) = db.execute("SELECT COUNT(*) FROM pictures").fetchone()
            slots = [
                slot for (slot,) in db.execute("SELECT id FROM pictures ORDER BY id DESC LIMIT ?", (NEWEST,))
            ]
    except sqlite3.Error:  # not there yet
        return Collected(0, None)
    files = Files(folder, image_size)
    try:
        squares = [square for slot in slots if (square := files.squares.read(slot)) is not None]
    finally:
        files.close()
    return Collected(bags, png(grid(np.stack(squares), columns=NEWEST, scale=2)) if squares else None)


class LiveCard:
    """Posts the card in the home channel and keeps it up to date until the run has ended."""

    def __init__(self, app: App, drawn: int) -> None:
        self._app = app
        self._drawn = drawn
        self._began = utc_now()

    async def run(self) -> None:
        """Show what happens, until cancelled or until the run that is going on, or comes next, has ended."""
        shown: State | None = None
        message: discord.Message | None = None
        while True:
            now = await asyncio.to_thread(self._look)
            if now != shown:
                try:
                    message = await self._show(now, message, shown)
                    shown = now
                except REFUSED as error:
                    log.info("the live card stays as it is: %s", error)
            if now.title.startswith(("✅", "⏸")):
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> State:
        config = self._app.config
        progress = read_progress(config.gan.runs)
        if progress is not None and progress.ending is not None and progress.ending.time < self._began:
            progress = None  # of an earlier evening
        manifest = config.gan.dataset / "items.jsonl"
        in_dataset = 0
        if progress is not None and manifest.exists():
            with manifest.open("rb") as rows:
                in_dataset = sum(1 for _ in rows)
        found = collected(config.scraper.folder, config.scraper.square_size) if progress is None else None
        return state(self._drawn, found or Collected(0, None), progress, in_dataset)

    async def _show(
        self, now: State, message: discord.Message | None, shown: State | None
    ) -> discord.Message | None:
        embed = discord.Embed(title=now.title, description=now.text)
        files = []
        if now.picture is not None:
            data, alt = now.picture
            embed.set_image(url="attachment://now.png")
            if message is None or shown is None or shown.picture != now.picture:
                files.append(attach("now.png", data, alt))
        dressed = dress({"embed": embed}, self._app.guilds.prefix)
        if message is None:
            homes = self._app.announcer.homes()
            return await homes[0].send(**dressed, files=files) if homes else None
        if files or now.picture is None:
            return await message.edit(**dressed, attachments=files)
        return await message.edit(**dressed)
