"""Telling a training run: one thread a run, a grid after each epoch, the timelapse at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import discord

from bot import words
from bot.cogs.feature import attach
from bot.herald import Herald
from bot.progress import Progress, follow
from bot.store.store import Store
from gan import events
from gan.run import Run, newest

POLL_SECONDS = 0.5
log = logging.getLogger(__name__)


class RunTeller:
    """Follows the newest run's events and tells them in every home channel."""

    def __init__(self, herald: Herald, store: Store, runs: Path, grid_seconds: float) -> None:
        self._herald = herald
        self._store = store
        self._runs = runs
        self._grid_seconds = grid_seconds
        self._awake_since = datetime.now(UTC)
        self._progress: Progress | None = None
        self._offset = 0
        self._posted: dict[int, float] = {}

    async def run(self) -> None:
        """Tell runs until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> None:
        """Tell what is new since the last step."""
        progress = self._progress = await asyncio.to_thread(self._follow)
        if progress is None:
            return
        for channel in self._herald.homes():
            try:
                await self._tell(channel, progress)
            except discord.HTTPException:
                log.exception("could not tell run %s in %s", progress.run.name, channel.guild)

    def _follow(self) -> Progress | None:
        run = newest(self._runs)
        if run is None:
            return None
        before = self._progress
        if before is None or before.run != run:
            before, self._offset = None, 0
        new, self._offset = events.read(run.path, self._offset)
        return follow(run, new, before)

    async def _tell(self, channel: discord.TextChannel, progress: Progress) -> None:
        guild, name = channel.guild, progress.run.name
        told = await self._store.run_post(guild.id, name)
        if told is None:
            if progress.ending is not None and progress.ending.time < self._awake_since:
                return  # over before anybody was here to watch
            thread_id = await self._begin(channel, progress)
            await self._store.set_run_post(guild.id, name, thread_id, 0, False)
            told_epoch, told_ended = 0, False
        else:
            thread_id, told_epoch, told_ended = told.thread_id, told.epoch, told.ended
        epoch = progress.epoch
        is_new = epoch is not None and epoch.epoch > told_epoch
        if progress.ending is None and told_ended and is_new:
            told_ended = False  # it was resumed
        waited = time.monotonic() - self._posted.get(guild.id, float("-inf"))
        post_grid = is_new and (progress.ending is not None or waited >= self._grid_seconds)
        post_ending = progress.ending is not None and not told_ended
        if not (post_grid or post_ending):
            return
        place = await self._thread(channel, thread_id)
        if epoch is not None and post_grid:
            await self._post_grid(place, progress, epoch)
            self._posted[guild.id] = time.monotonic()
            await self._store.set_run_post(guild.id, name, thread_id, epoch.epoch, told_ended)
        if progress.ending is not None and post_ending:
            await self._post_ending(place, progress.run, progress.ending)
            await self._store.set_run_post(
                guild.id, name, thread_id, epoch.epoch if epoch else told_epoch, True
            )

    async def _begin(self, channel: discord.TextChannel, progress: Progress) -> int:
        message = await channel.send(words.run_begins(progress.started))
        try:
            thread = await message.create_thread(name=words.run_thread(progress.run.name))
        except discord.Forbidden:
            log.warning("no permission to create threads in %s: the run is told in the channel", channel)
            return channel.id
        return thread.id

    async def _thread(
        self, channel: discord.TextChannel, thread_id: int
    ) -> discord.Thread | discord.TextChannel:
        if thread_id == channel.id:
            return channel
        thread = channel.guild.get_thread(thread_id)
        if thread is not None:
            return thread
        try:
            fetched = await channel.guild.fetch_channel(thread_id)
        except discord.NotFound:
            return channel  # somebody deleted the thread; the run goes on in the channel
        return fetched if isinstance(fetched, discord.Thread) else channel

    async def _post_grid(
        self, place: discord.Thread | discord.TextChannel, progress: Progress, epoch: events.Epoch
    ) -> None:
        data = await asyncio.to_thread((progress.run.path / epoch.grid).read_bytes)
        name, alt, line = (
            f"epoch-{epoch.epoch:04d}.png",
            words.epoch_alt(epoch.epoch),
            words.epoch_line(epoch),
        )
        await place.send(line, file=attach(name, data, alt))
        if isinstance(place, discord.Thread) and isinstance(place.parent, discord.TextChannel):
            # The message that the thread hangs on has the thread's id. It shows the newest grid to those who
            # only pass by; where Discord refuses (an old message, a deleted one), the thread has it all.
            begins = f"{words.run_begins(progress.started)}\n{line}"
            try:
                message = place.parent.get_partial_message(place.id)
                await message.edit(content=begins, attachments=[attach(name, data, alt)])
            except discord.HTTPException as error:
                log.info("run %s: its first message stays as it is: %s", progress.run.name, error)

    async def _post_ending(
        self,
        place: discord.abc.Messageable,
        of: Run,
        ending: events.Finished | events.Stopped | events.Failed,
    ) -> None:
        match ending:
            case events.Finished():
                timelapse = await asyncio.to_thread((of.path / ending.timelapse).read_bytes)
                losses = await asyncio.to_thread((of.path / ending.losses).read_bytes)
                await place.send(
                    words.run_finished(ending.epoch),
                    files=[
                        attach("timelapse.gif", timelapse, words.timelapse_alt(ending.epoch)),
                        attach("losses.png", losses, words.LOSSES_ALT),
                    ],
                )
            case events.Stopped():
                await place.send(words.run_stopped(ending.epoch))
            case events.Failed():
                await place.send(words.run_failed(ending.reason))
