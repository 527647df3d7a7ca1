"""`!bag`, `!bag grid`, `!bag interpolate`: dreaming."""

from __future__ import annotations

from discord.ext import commands

from bot import codes, words
from bot.client import Context, Interaction
from bot.codes import Code
from bot.cogs.feature import Feature, attach, guild_id
from bot.errors import Refusal

FRAMES = range(8, 61)


class DreamCommands(Feature):
    """Dreaming."""

    @commands.hybrid_group(name="bag", fallback="dream", invoke_without_command=True, case_insensitive=True)
    async def bag(self, context: Context, *, code: str | None = None) -> None:
        """Dream a bag: `!bag`, or the bag of a seed or code: `!bag 42`."""
        # By slash it is `/bag dream 42`, so `!bag dream 42` should be no riddle.
        named = await self.studio.code((code or "").removeprefix("dream").strip() or None)
        await self.studio.model(named.version)
        await context.defer()
        await context.send(**await self.design(named, guild_id(context), context.author.id))

    @bag.command(name="grid")
    async def grid_command(self, context: Context, count: int = 9) -> None:
        """Dream up to 16 bags at once: `!bag grid 9`."""
        if not 1 <= count <= words.GRID_MAX:
            raise Refusal(words.out_of_range("A grid", 1, words.GRID_MAX))
        model = await self.studio.current()
        fresh = [codes.fresh(model.version) for _ in range(count)]
        await self.store.add_designs(fresh, model.epoch, guild_id(context), context.author.id)
        names = [str(code) for code in fresh]
        await context.defer()
        await context.send(**await self.grid(names, words.grid_title(count), words.listing(names)))

    @bag.command(name="interpolate", aliases=["morph"])
    async def interpolate(self, context: Context, a: str, b: str, frames: int = 30) -> None:
        """Turn one bag into another: `!bag interpolate 42 7`."""
        if frames not in FRAMES:
            raise Refusal(words.out_of_range("The number of frames", FRAMES[0], FRAMES[-1]))
        start, end = await self.studio.code(a), await self.studio.code(b)
        if start.version != end.version:
            hint = f"!bag interpolate {start} {start.version}-{end.seed}"
            raise Refusal(words.two_generators(str(start), str(end), hint))
        await context.defer()
        morph = await self.studio.morph(start, end, frames)
        await context.send(
            f"**{words.morph_title(str(start), str(end))}**",
            files=[
                attach("morph.webp", morph.webp, words.morph_alt(str(start), str(end), frames)),
                attach("strip.png", morph.strip, words.strip_alt(str(start), str(end))),
            ],
        )

    async def on_again(self, interaction: Interaction) -> None:
        """🎲: another bag."""
        await self._answer(interaction, await self.studio.code(None))

    async def on_pick(self, interaction: Interaction, picked: str) -> None:
        """A bag picked from a grid, by itself."""
        await self._answer(interaction, await self.studio.code(picked))

    async def _answer(self, interaction: Interaction, code: Code) -> None:
        # Discord waits three seconds for an answer, and a drawing process that has just begun needs longer.
        await self.studio.model(code.version)
        await interaction.response.defer(thinking=True)
        message = await self.design(code, guild_id(interaction), interaction.user.id)
        await interaction.followup.send(**message)
