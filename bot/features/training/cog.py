"""`!bag progress`: the training run now, its curves, and its timelapse so far."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import discord
from discord.ext import commands

from bot import words
from bot.client.bot import Context, Interaction
from bot.client.controls import control
from bot.errors import Refusal
from bot.features.card import progress_view
from bot.features.feature import Feature, attach
from gan import run as runs
from gan.run_state import Progress, read_epochs, read_progress


class ProgressCommands(Feature):
    """Following a run."""

    @commands.hybrid_command(name="progress")
    async def progress(self, context: Context) -> None:
        """The run now: its newest grid, its curves, how long it takes; and a timelapse: `!bag progress`."""
        run = await self._newest()
        await context.defer()
        embeds, files = await self._lay_out(run)
        await context.send(embeds=embeds, files=files, view=progress_view(run.run.name))

    @control("progress")
    async def on_progress(self, interaction: Interaction) -> None:
        """🔄: the run as it is now, in the same message."""
        self.spend(interaction)
        await interaction.response.defer()
        run = await self._newest()
        embeds, files = await self._lay_out(run)
        await interaction.edit_original_response(
            embeds=embeds, attachments=files, view=progress_view(run.run.name)
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
        await interaction.followup.send(
            words.timelapse_so_far(name, epoch), file=attach("timelapse.gif", gif, words.timelapse_alt(epoch))
        )

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
        embed.add_field(name="Trained", value=words.duration(run.epoch.seconds))
        epochs = await asyncio.to_thread(read_epochs, run.run)
        losses, quality = await self.studio.curves(epochs)
        grid = await asyncio.to_thread(_bytes, run.run.grid(run.epoch.epoch))
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


def _find(folder: Path, name: str) -> runs.Run | None:
    # Looked up and not put together: a name that somebody made up leads nowhere.
    return next((run for run in runs.every(folder) if run.name == name), None)


def _bytes(path: Path) -> bytes | None:
    """A file that may not be there (any more)."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
