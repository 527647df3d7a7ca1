"""`!bag progress`: the training run now."""

from __future__ import annotations

import asyncio

import discord

from bot import words
from bot.client import Context
from bot.cogs.dream import DreamCommands
from bot.cogs.feature import Feature, attach
from bot.errors import Refusal
from bot.progress import Progress, read_progress


class ProgressCommands(Feature):
    """Following a run."""

    @DreamCommands.bag.command(name="progress")
    async def progress(self, context: Context) -> None:
        """The run now: `!bag progress`."""
        run = await asyncio.to_thread(read_progress, self.bot.services.runs)
        if run is None:
            raise Refusal(words.NO_RUN)
        embed, files = await asyncio.to_thread(_lay_out, run)
        await context.send(embed=embed, files=files)


def _lay_out(run: Progress) -> tuple[discord.Embed, list[discord.File]]:
    embed = discord.Embed(title=f"{words.PROGRESS_TITLE} {run.run.name}")
    embed.add_field(name="State", value=words.STATES[run.state])
    embed.add_field(name="Bags", value=f"{run.started.images:,}")
    embed.add_field(name="Device", value=run.started.device)
    files = []
    if run.epoch is not None:
        embed.description = words.epoch_line(run.epoch)
        embed.add_field(name="Losses", value=words.losses_line(run.epoch.loss_d, run.epoch.loss_g))
        embed.add_field(name="Trained", value=words.duration(run.epoch.seconds))
        pictures = {
            "grid.png": (run.run.grid(run.epoch.epoch), words.epoch_alt(run.epoch.epoch)),
            "losses.png": (run.run.losses, words.LOSSES_ALT),
        }
        for name, (path, alt) in pictures.items():
            if path.exists():
                files.append(attach(name, path.read_bytes(), alt))
        if files and files[0].filename == "grid.png":
            embed.set_image(url="attachment://grid.png")
    return embed, files
