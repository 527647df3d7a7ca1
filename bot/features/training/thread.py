"""Telling a training run: one thread a run, a grid after each epoch, the timelapse at the end."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import discord

from bot import words
from bot.client.announcer import Herald
from bot.features.feature import MAX_UPLOAD, attach
from bot.store.models import RunPost
from bot.store.store import Store
from gan import events
from gan.run import Run, every
from gan.run_state import Progress, follow

POLL_SECONDS = 0.5
AT_ONCE = 4
RETRY_SECONDS = 10.0
LOOK_BACK = 300
Place = discord.Thread | discord.TextChannel
log = logging.getLogger(__name__)


class RunTeller:
    """Follows the events of the newest two runs and tells them in every home channel.

    The row of a server and run is written before the first message and after every other one. Who does not
    know whether a message got out, after a restart or a refusal, looks for it.
    """

    def __init__(self, herald: Herald, store: Store, runs: Path, grid_seconds: float) -> None:
        self._herald = herald
        self._store = store
        self._runs = runs
        self._grid_seconds = grid_seconds
        self._awake_since = datetime.now(UTC)
        self._followed: dict[Run, tuple[Progress | None, int]] = {}
        self._posted: dict[int, float] = {}
        self._retry_at: dict[int, float] = {}
        self._told: dict[tuple[int, str], RunPost | None] = {}
        """By server and run the row, if it says all that is out; None for a run that is not to be told."""

    async def run(self) -> None:
        """Tell runs until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> None:
        """Tell what is new since the last step."""
        runs = await asyncio.to_thread(self._follow)
        now = time.monotonic()
        homes = [home for home in self._herald.homes() if now >= self._retry_at.get(home.guild.id, 0)]
        crowd = asyncio.Semaphore(AT_ONCE)

        async def tell(channel: discord.TextChannel) -> None:
            async with crowd:
                await self._tell_all(channel, runs)

        await asyncio.gather(*(tell(home) for home in homes))

    def _follow(self) -> list[Progress]:
        """The newest run, and before it the last one: it may have ended while nobody was there to tell it."""
        followed = {}
        for run in every(self._runs)[-2:]:
            before, offset = self._followed.get(run, (None, 0))
            new, offset = events.read(run.path, offset)
            followed[run] = follow(run, new, before), offset
        self._followed = followed
        return [progress for progress, _ in followed.values() if progress is not None]

    async def _tell_all(self, channel: discord.TextChannel, runs: Sequence[Progress]) -> None:
        guild_id = channel.guild.id
        for progress in runs:
            try:
                await self._tell(channel, progress, newest=progress is runs[-1])
            except Exception as error:
                self._told.pop((guild_id, progress.run.name), None)
                self._retry_at[guild_id] = time.monotonic() + RETRY_SECONDS
                log.warning(
                    "could not tell run %s in %s: %s",
                    progress.run.name,
                    channel.guild,
                    error,
                    exc_info=not isinstance(error, discord.HTTPException),
                )
                return

    async def _tell(self, channel: discord.TextChannel, progress: Progress, newest: bool) -> None:
        key = guild_id, name = channel.guild.id, progress.run.name
        epoch, ending = progress.epoch, progress.ending
        known = key in self._told
        row = self._told[key] if known else await self._store.run_post(guild_id, name)
        if row is None:
            if not newest or (ending is not None and ending.time < self._awake_since):
                self._told[key] = None
                return  # over before anybody was here to watch
            row, known = RunPost(guild_id=guild_id, run=name, thread_id=0, epoch=0, ended=False), True
            await self._remember(row)
            row.thread_id = await self._begin(channel, progress, None)
            await self._remember(row)
        elif not row.thread_id:
            row.thread_id = await self._begin(channel, progress, await _first_message(channel, name))
            await self._remember(row)
        if epoch is not None and epoch.epoch > row.epoch:
            row.ended = False  # if it was, it went on since
        if not known and not row.ended:
            await self._look_back(await self._place(channel, row.thread_id), progress, row)
        self._told[key] = row
        waited = time.monotonic() - self._posted.get(guild_id, float("-inf"))
        post_grid = epoch is not None and epoch.epoch > row.epoch
        post_grid = post_grid and (ending is not None or waited >= self._grid_seconds)
        if not post_grid and (ending is None or row.ended):
            return
        place = await self._awake(await self._place(channel, row.thread_id))
        if epoch is not None and post_grid:
            recovered = [why for after, why in progress.recovered if row.epoch <= after < epoch.epoch]
            place = await self._post_grid(place, channel, progress, epoch, recovered)
            self._posted[guild_id] = time.monotonic()
            row.thread_id, row.epoch = place.id, epoch.epoch
            await self._remember(row)
        if ending is not None and not row.ended:
            await self._post_ending(place, channel, progress.run, ending)
            await _archive(place)
            row.ended = True
            await self._remember(row)

    async def _remember(self, row: RunPost) -> None:
        await self._store.set_run_post(row.guild_id, row.run, row.thread_id, row.epoch, row.ended)

    async def _begin(
        self, channel: discord.TextChannel, progress: Progress, message: discord.Message | None
    ) -> int:
        """The id of the run's thread, or of the channel if there may be none."""
        if message is None:
            message = await channel.send(words.run_begins(progress.run.name, progress.started))
        elif (thread := await _channel(channel.guild, message.id)) is not None:
            return thread.id
        try:
            return (await message.create_thread(name=words.run_thread(progress.run.name))).id
        except (discord.Forbidden, discord.NotFound) as error:
            log.warning("no thread in %s, so the run is told in the channel: %s", channel, error)
            return channel.id

    async def _place(self, channel: discord.TextChannel, thread_id: int) -> Place:
        if thread_id == channel.id:
            return channel
        found = await _channel(channel.guild, thread_id)
        # Somebody deleted the thread, or there never was one: the run is told in the channel.
        return found if isinstance(found, discord.Thread) else channel

    async def _awake(self, place: Place) -> Place:
        if isinstance(place, discord.Thread) and place.archived:
            try:
                return await place.edit(archived=False)
            except discord.HTTPException as error:
                log.info("thread %s stays archived: %s", place, error)
        return place

    async def _look_back(self, place: Place, progress: Progress, row: RunPost) -> None:
        """Correct the row by what is out."""
        begin, ending = (
            words.run_mark(row.run),
            words.run_ending(progress.ending) if progress.ending else None,
        )
        ended = False
        try:
            async for message in place.history(limit=LOOK_BACK):
                if message.author != place.guild.me:
                    continue
                if message.content.startswith(begin):
                    break
                ended = ended or message.content == ending
                grids = [re.fullmatch(r"epoch-(\d+)\.png", file.filename) for file in message.attachments]
                if grids and grids[0]:
                    row.epoch = max(row.epoch, int(grids[0][1]))
                    break
        except discord.Forbidden as error:
            log.warning("no look back at run %s in %s: %s", row.run, place.guild, error)
        if ended and (progress.epoch is None or row.epoch >= progress.epoch.epoch):
            await _archive(place)
            row.ended = True
        await self._remember(row)

    async def _post_grid(
        self,
        place: Place,
        channel: discord.TextChannel,
        progress: Progress,
        epoch: events.Epoch,
        recovered: Sequence[events.Recovered],
    ) -> Place:
        name, alt, line = (
            f"epoch-{epoch.epoch:04d}.png",
            words.epoch_alt(epoch.epoch),
            words.epoch_line(epoch),
        )
        data = await asyncio.to_thread(_read, [(progress.run.path / epoch.grid, name, alt)])
        text = "\n".join([*(words.run_recovered(why.epoch, why.reason) for why in recovered), line])
        place = await _send(place, channel, text, lambda: [attach(*file) for file in data])
        if isinstance(place, discord.Thread) and isinstance(place.parent, discord.TextChannel):
            # The message that the thread hangs on has the thread's id. It shows the newest grid to those who
            # only pass by; where Discord refuses (an old message, a deleted one), the thread has it all.
            begins = f"{words.run_begins(progress.run.name, progress.started)}\n{line}"
            try:
                message = place.parent.get_partial_message(place.id)
                await message.edit(content=begins, attachments=[attach(*file) for file in data])
            except discord.HTTPException as error:
                log.info("run %s: its first message stays as it is: %s", progress.run.name, error)
        return place

    async def _post_ending(
        self,
        place: Place,
        channel: discord.TextChannel,
        run: Run,
        ending: events.Finished | events.Stopped | events.Failed,
    ) -> None:
        pictures = []
        if isinstance(ending, events.Finished):
            pictures = [
                (run.path / ending.timelapse, "timelapse.gif", words.timelapse_alt(ending.epoch)),
                (run.path / ending.losses, "losses.png", words.LOSSES_ALT),
                (run.quality, "quality.png", words.QUALITY_ALT),
            ]
        files = await asyncio.to_thread(_read, pictures)
        await _send(place, channel, words.run_ending(ending), lambda: [attach(*file) for file in files])


async def _channel(guild: discord.Guild, channel_id: int) -> discord.abc.GuildChannel | discord.Thread | None:
    """A channel or thread, also an archived one; None if it is gone or out of sight."""
    found = guild.get_channel_or_thread(channel_id)
    if found is not None:
        return found
    try:
        return await guild.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData):
        return None


async def _first_message(channel: discord.TextChannel, run: str) -> discord.Message | None:
    begin = words.run_mark(run)
    async for message in channel.history(limit=LOOK_BACK):
        if message.author == channel.guild.me and message.content.startswith(begin):
            return message
    return None


async def _send(
    place: Place, channel: discord.TextChannel, text: str, files: Callable[[], list[discord.File]]
) -> Place:
    """Send to the thread, or to the channel if the thread is gone or forbidden; where it got out."""
    try:
        await place.send(text, files=files())
    except (discord.NotFound, discord.Forbidden) as error:
        if place == channel:
            raise
        log.warning("thread %s takes no message, the channel gets it: %s", place, error)
        await channel.send(text, files=files())
        return channel
    return place


async def _archive(place: Place) -> None:
    if isinstance(place, discord.Thread) and not place.archived:
        try:
            await place.edit(archived=True)
        except discord.HTTPException as error:
            log.info("thread %s stays open: %s", place, error)


def _read(files: Sequence[tuple[Path, str, str]]) -> list[tuple[str, bytes, str]]:
    """Those of the files (path, name, alt text) that are there and that a message can hold."""
    found, room = [], MAX_UPLOAD
    for path, name, alt in files:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        if len(data) <= room:
            room -= len(data)
            found.append((name, data, alt))
    return found
