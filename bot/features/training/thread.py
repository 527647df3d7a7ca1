"""Posts a training run: one thread per run and server, a grid after each epoch, the timelapse at the end."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import discord

from bot import words
from bot.client.announcer import Announcer
from bot.client.connection import REFUSED
from bot.client.history import find_own, own_messages
from bot.client.retries import Retries, is_passing
from bot.features.card import MAX_UPLOAD, attach
from bot.store.models import RunPost
from bot.store.store import Store
from gan import events
from gan.run import Run, every
from gan.run_state import Progress, follow

POLL_SECONDS = 0.5
AT_ONCE = 4
"""Servers that are posted to at the same time."""
THREAD_EXISTS = 160004
"""Discord's code for: this message has a thread already."""
Place = discord.Thread | discord.TextChannel
Ending = events.Finished | events.Stopped | events.Failed
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What to post of a run in one server now."""

    grid: events.Epoch | None
    """The epoch whose grid is due."""
    recovered: tuple[events.Recovered, ...]
    """What went wrong since the last grid, told with this one."""
    ending: Ending | None


def plan(progress: Progress, posted: int, ended: bool, grid_due: bool) -> Plan:
    """What to post of a run after the grid of epoch `posted` (0: none), and its ending if `ended`.

    Between grids some time passes, then `grid_due` is true; only the newest one is posted, and the last one
    always.
    """
    epoch, ending = progress.epoch, progress.ending
    is_new = epoch is not None and epoch.epoch > posted
    if epoch is None or not is_new or not (grid_due or ending is not None):
        return Plan(None, (), None if ended and not is_new else ending)
    recovered = tuple(why for reached, why in progress.recovered if posted <= reached < epoch.epoch)
    return Plan(epoch, recovered, ending)


def is_left_out(progress: Progress, newest: bool, since: datetime) -> bool:
    """Whether a run new to a server stays untold: not the newest, or over when the bot started (`since`)."""
    return not newest or (progress.ending is not None and progress.ending.time < since)


class RunThread:
    """Follows the events of the newest two runs and posts them in every home channel.

    The row of a server and run is written before the first message and after every other one. When it is not
    known whether a message got out, after a restart or a refusal, the channel is searched for it.
    """

    def __init__(
        self,
        announcer: Announcer,
        store: Store,
        runs: Path,
        grid_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._announcer = announcer
        self._store = store
        self._runs = runs
        self._grid_time = timedelta(seconds=grid_seconds)
        self._now = now
        self._since = now()
        self._followed: dict[Run, tuple[Progress | None, int]] = {}
        self._posted_at: dict[int, datetime] = {}
        self._retries = Retries(now)
        self._known: dict[tuple[int, str], RunPost | None] = {}
        """By server and run the row, if it says all that is out; None for a run that is not posted."""

    async def run(self) -> None:
        """Post runs until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> None:
        """Post what is new since the last step."""
        runs = await asyncio.to_thread(self._follow)
        homes = [home for home in self._announcer.homes() if self._retries.due(home.guild.id)]
        crowd = asyncio.Semaphore(AT_ONCE)

        async def post(channel: discord.TextChannel) -> None:
            async with crowd:
                await self._post_all(channel, runs)

        await asyncio.gather(*(post(home) for home in homes))

    def _follow(self) -> list[Progress]:
        """The newest run, and before it the previous one, which may have ended while the bot was away."""
        followed = {}
        for run in every(self._runs)[-2:]:
            before, offset = self._followed.get(run, (None, 0))
            new, offset = events.read(run.path, offset)
            followed[run] = follow(run, new, before), offset
        self._followed = followed
        return [progress for progress, _ in followed.values() if progress is not None]

    async def _post_all(self, channel: discord.TextChannel, runs: Sequence[Progress]) -> None:
        guild_id = channel.guild.id
        for progress in runs:
            try:
                await self._post(channel, progress, newest=progress is runs[-1])
            except Exception as error:
                self._known.pop((guild_id, progress.run.name), None)
                if self._retries.failed(guild_id, error):
                    expected = isinstance(error, REFUSED)
                    log.warning(
                        "could not post run %s in %s: %s",
                        progress.run.name,
                        channel.guild,
                        error,
                        exc_info=None if expected else error,
                    )
                if self._retries.is_hopeless(guild_id, error):
                    await self._skip(channel, progress)
                return
        self._retries.succeeded(guild_id)

    async def _post(self, channel: discord.TextChannel, progress: Progress, newest: bool) -> None:
        row = await self._row(channel, progress, newest)
        if row is None:
            return
        last = self._posted_at.get(row.guild_id)
        grid_due = last is None or self._now() - last >= self._grid_time
        todo = plan(progress, row.epoch, row.ended, grid_due)
        if todo.grid is None and todo.ending is None:
            return
        place = await _unarchived(await self._place(channel, row.thread_id))
        if todo.grid is not None:
            place = await self._post_grid(place, channel, progress, todo.grid, todo.recovered)
            self._posted_at[row.guild_id] = self._now()
            row.thread_id, row.epoch, row.ended = place.id, todo.grid.epoch, False
            await self._remember(row)
        if todo.ending is not None:
            await self._post_ending(place, channel, progress.run, todo.ending)
            await _archive(place)
            row.ended = True
            await self._remember(row)

    async def _skip(self, channel: discord.TextChannel, progress: Progress) -> None:
        """Take for posted what there is of a run, so that it is not tried for ever."""
        log.warning("run %s: %s refuses it, so it is left out there", progress.run.name, channel.guild)
        row = await self._store.run_post(channel.guild.id, progress.run.name)
        place = row.thread_id if row is not None and row.thread_id else channel.id
        epoch = progress.epoch.epoch if progress.epoch is not None else 0
        ended = progress.ending is not None
        await self._store.set_run_post(channel.guild.id, progress.run.name, place, epoch, ended)

    async def _row(self, channel: discord.TextChannel, progress: Progress, newest: bool) -> RunPost | None:
        """What is out of a run in a server, its first message included; None if the run is left out."""
        key = guild_id, name = channel.guild.id, progress.run.name
        left_out = is_left_out(progress, newest, self._since)  # until it is resumed
        row = self._known.get(key)
        if row is not None or (left_out and key in self._known):
            return row
        row = await self._store.run_post(guild_id, name)
        if row is None and left_out:
            self._known[key] = None
            return None
        if row is None:
            row = RunPost(guild_id=guild_id, run=name, thread_id=0, epoch=0, ended=False)
            await self._remember(row)
            row.thread_id = await self._begin(channel, progress, None)
            await self._remember(row)
        else:
            if not row.thread_id:
                row.thread_id = await self._begin(channel, progress, await _first_message(channel, name))
                await self._remember(row)
            if not row.ended or (progress.epoch is not None and progress.epoch.epoch > row.epoch):
                await self._look_back(await self._place(channel, row.thread_id), progress, row)
        self._known[key] = row
        return row

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
        except discord.HTTPException as error:
            if is_passing(error):
                raise
            if error.code == THREAD_EXISTS:  # of an earlier try, of which no answer came back
                return message.id
            log.warning("no thread in %s, so the run is posted in the channel: %s", channel, error)
            return channel.id

    async def _place(self, channel: discord.TextChannel, thread_id: int) -> Place:
        if thread_id == channel.id:
            return channel
        found = await _channel(channel.guild, thread_id)
        # Somebody deleted the thread, or there never was one: the run is posted in the channel.
        return found if isinstance(found, discord.Thread) else channel

    async def _look_back(self, place: Place, progress: Progress, row: RunPost) -> None:
        """Correct the row by what the channel or thread shows."""
        begin = words.run_mark(row.run)
        ending = words.run_ending(progress.ending) if progress.ending else None
        ended = False
        try:
            async for message in own_messages(place, place.guild.me.id):
                if message.content.startswith(begin):
                    break
                ended = ended or message.content == ending
                grids = [re.fullmatch(r"epoch-(\d+)\.png", file.filename) for file in message.attachments]
                if grids and grids[0]:
                    row.epoch = max(row.epoch, int(grids[0][1]))
                    break
        except discord.Forbidden as error:
            log.warning("no look back at run %s in %s: %s", row.run, place.guild, error)
        row.ended = ended and (progress.epoch is None or row.epoch >= progress.epoch.epoch)
        if row.ended:
            await _archive(place)
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
        data = await asyncio.to_thread(_read, progress.run, [(progress.run.path / epoch.grid, name, alt)])
        text = "\n".join([*(words.run_recovered(why.epoch, why.reason) for why in recovered), line])
        place = await _send(place, channel, text, lambda: [attach(*file) for file in data])
        if isinstance(place, discord.Thread) and isinstance(place.parent, discord.TextChannel):
            # The message that the thread hangs on has the thread's id. It shows passers-by the newest grid;
            # where Discord refuses (an old message, a deleted one), the thread has it all.
            begins = f"{words.run_begins(progress.run.name, progress.started)}\n{line}"
            try:
                message = place.parent.get_partial_message(place.id)
                await message.edit(content=begins, attachments=[attach(*file) for file in data])
            except REFUSED as error:
                log.info("run %s: its first message stays as it is: %s", progress.run.name, error)
        return place

    async def _post_ending(
        self,
        place: Place,
        channel: discord.TextChannel,
        run: Run,
        ending: Ending,
    ) -> None:
        pictures = []
        if isinstance(ending, events.Finished):
            pictures = [
                (run.path / ending.timelapse, "timelapse.gif", words.timelapse_alt(ending.epoch)),
                (run.path / ending.losses, "losses.png", words.LOSSES_ALT),
                (run.quality, "quality.png", words.QUALITY_ALT),
            ]
        files = await asyncio.to_thread(_read, run, pictures)
        # Each in an embed of its own, or Discord makes a mosaic of stamps.
        embeds = [discord.Embed().set_image(url=f"attachment://{name}") for name, _, _ in files]
        text = words.run_ending(ending)
        await _send(
            place, channel, text, lambda: [attach(name, data, alt) for name, data, alt in files], embeds
        )


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
    return await find_own(channel, channel.guild.me.id, lambda message: message.content.startswith(begin))


async def _send(
    place: Place,
    channel: discord.TextChannel,
    text: str,
    files: Callable[[], list[discord.File]],
    embeds: Sequence[discord.Embed] = (),
) -> Place:
    """Send to the thread, or to the channel if the thread takes nothing; returns where it was sent."""
    try:
        await place.send(text, files=files(), embeds=embeds)
    except discord.HTTPException as error:
        if place == channel or is_passing(error):
            raise
        log.warning("thread %s takes no message, the channel gets it: %s", place, error)
        await channel.send(text, files=files(), embeds=embeds)
        return channel
    return place


async def _unarchived(place: Place) -> Place:
    if isinstance(place, discord.Thread) and place.archived:
        try:
            return await place.edit(archived=False)
        except REFUSED as error:
            log.info("thread %s stays archived: %s", place, error)
    return place


async def _archive(place: Place) -> None:
    if isinstance(place, discord.Thread) and not place.archived:
        try:
            await place.edit(archived=True)
        except REFUSED as error:
            log.info("thread %s stays open: %s", place, error)


def _read(run: Run, files: Sequence[tuple[Path, str, str]]) -> list[tuple[str, bytes, str]]:
    """Those of a run's files (path, name, alt text) that are there and that a message can hold."""
    found, room = [], MAX_UPLOAD
    for path, name, alt in files:
        data = run.read(path, room)
        if data is not None:
            room -= len(data)
            found.append((name, data, alt))
    return found
