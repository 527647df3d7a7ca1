"""`!bag progress`, `!bag train`, `!bag scrape`: following a training run, and starting what feeds it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import View

from bot import words
from bot.client.bot import Context, Interaction
from bot.client.controls import button, control, view
from bot.client.replies import answer
from bot.errors import Refusal
from bot.features.card import MAX_UPLOAD, attach
from bot.features.feature import Feature
from bot.formats import duration
from gan import run as runs
from gan.run_state import Progress, read_epochs, read_progress


class TrainingCog(Feature):
    """Shows anybody how the training is going; lets admins start and stop it, and scrape for new bags."""

    @commands.hybrid_command(name="progress")
    async def progress(self, context: Context) -> None:
        """The run now: its newest grid, its curves, how long it takes; and a timelapse: `!bag progress`."""
        run = await self._newest()
        await context.defer()
        embeds, files = await self._lay_out(run)
        await context.send(embeds=embeds, files=files, view=_buttons(run.run.name))

    @control("progress")
    async def on_progress(self, interaction: Interaction) -> None:
        """🔄: the run as it is now, in the same message."""
        self.spend(interaction)
        await interaction.response.defer()
        run = await self._newest()
        embeds, files = await self._lay_out(run)
        await interaction.edit_original_response(
            embeds=embeds, attachments=files, view=_buttons(run.run.name)
        )

    @control("timelapse")
    async def on_timelapse(self, interaction: Interaction, name: str) -> None:
        """🎞️: the grids of a run so far, one after the other."""
        self.spend(interaction)
        run = await asyncio.to_thread(_find, self.bot.services.runs, name)
        if run is None:
            raise Refusal(words.NO_GRIDS)
        await interaction.response.defer(thinking=True)
        gif, epoch = await self.studio.timelapse(run)
        await answer(
            interaction,
            words.timelapse_so_far(name, epoch),
            file=attach("timelapse.gif", gif, words.timelapse_alt(epoch)),
        )

    @commands.hybrid_group(name="train", invoke_without_command=True, case_insensitive=True)
    async def train(self, context: Context) -> None:
        """Begin or stop a training run: `!bag train start`."""
        raise Refusal(words.usage("!bag train start"))

    @train.command(name="start")
    @commands.has_guild_permissions(manage_guild=True)
    async def train_start(self, context: Context) -> None:
        """Begin or resume a training run: `!bag train start`."""
        if not await self.bot.services.trainer.start():
            raise Refusal(words.BUSY_TRAINING)
        await context.send(words.TRAIN_STARTED)

    @train.command(name="stop")
    @commands.has_guild_permissions(manage_guild=True)
    async def train_stop(self, context: Context) -> None:
        """Save a checkpoint and rest: `!bag train stop`."""
        if not await self.bot.services.trainer.stop():
            raise Refusal(words.NOT_TRAINING)
        await context.send(words.TRAIN_STOPPING)

    @commands.hybrid_command(name="scrape")
    @commands.has_guild_permissions(manage_guild=True)
    @app_commands.describe(what="Start, or stop what is going on")
    @app_commands.choices(what=[app_commands.Choice(name=what, value=what) for what in ("start", "stop")])
    async def scrape(self, context: Context, what: str = "start") -> None:
        """Collect new bags from the shops: `!bag scrape`; `!bag scrape stop` ends it early."""
        scraper = self.bot.services.scraper
        match what.lower():
            case "start":
                if not await scraper.start():
                    raise Refusal(words.BUSY_SCRAPING)
                await context.send(words.SCRAPE_STARTED)
            case "stop":
                if not await scraper.stop():
                    raise Refusal(words.NOT_SCRAPING)
                await context.send(words.SCRAPE_STOPPING)
            case _:
                raise Refusal(words.usage("!bag scrape stop"))

    async def _newest(self) -> Progress:
        run = await asyncio.to_thread(read_progress, self.bot.services.runs)
        if run is None:
            raise Refusal(words.NO_RUN)
        return run

    async def _lay_out(self, run: Progress) -> tuple[Sequence[discord.Embed], Sequence[discord.File]]:
        embed = discord.Embed(title=f"{words.PROGRESS_TITLE} {run.run.name}")
        embed.add_field(name="State", value=words.STATES[run.state])
        embed.add_field(name="Bags", value=f"{run.started.images:,}")
        embed.add_field(name="Device", value=run.started.device)
        if run.epoch is None:
            return [embed], []
        embed.description = words.epoch_line(run.epoch)
        embed.add_field(name="Losses", value=words.losses_line(run.epoch.loss_d, run.epoch.loss_g))
        embed.add_field(name="Trained", value=duration(run.epoch.seconds))
        epochs = await asyncio.to_thread(read_epochs, run.run)
        losses, quality = await self.studio.curves(epochs)
        grid = await asyncio.to_thread(run.run.read, run.run.grid(run.epoch.epoch), MAX_UPLOAD)
        embeds, files = [embed], []
        for name, data, alt in (
            ("grid.png", grid, words.epoch_alt(run.epoch.epoch)),
            ("losses.png", losses, words.LOSSES_ALT),
            ("quality.png", quality, words.QUALITY_ALT),
        ):
            if data is not None:
                if name != "grid.png":
                    embeds.append(discord.Embed())
                embeds[-1].set_image(url=f"attachment://{name}")
                files.append(attach(name, data, alt))
        return embeds, files


def _buttons(run: str) -> View:
    return view(
        button("progress", emoji=words.REFRESH, label="now"),
        button("timelapse", run, emoji=words.FILM, label="timelapse"),
    )


def _find(folder: Path, name: str) -> runs.Run | None:
    # Looked up and not put together: a name that somebody made up leads nowhere.
    return next((run for run in runs.every(folder) if run.name == name), None)
