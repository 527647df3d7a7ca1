"""`!bag`, `!bag grid`, `!bag interpolate`: new bags, and the ones between them."""

from __future__ import annotations

import re

from discord import app_commands
from discord.ext import commands

from bot import codes, words
from bot.client.bot import Context, Interaction, guild_id
from bot.client.controls import control
from bot.client.replies import answer
from bot.codes import Code
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.card import attach, grid_view
from bot.features.feature import Feature, check_same_generator

_DREAM = re.compile(r"\s*dreams?(?!\S)", re.IGNORECASE)
FEWEST, MOST = 8, 60
"""Frames from one bag of a morph to the next."""
DEFAULT_FRAMES = 0
"""30 between two bags, 16 in a loop of more."""


class DreamCog(Feature):
    """Lets anybody dream a bag, a grid of them, or a morph from one to others."""

    @commands.hybrid_group(name="bag", fallback="dream", invoke_without_command=True, case_insensitive=True)
    @app_commands.describe(code="a seed (42) or a code (k3f9x2-42); nothing for a new bag")
    @app_commands.autocomplete(code=autocomplete.code)
    async def bag(self, context: Context, *, code: str | None = None) -> None:
        """Dream a bag, or the one of a seed or a code: `!bag 42`."""
        named = await self.studio.code(self._meant(code or ""))
        await self.studio.model(named.version)
        await context.defer()
        await context.send(**await self.cards.design(named, guild_id(context), context.author.id))

    def _meant(self, said: str) -> str | None:
        """The code or seed that was typed; None for a new bag. Raises Refusal for what may be a command."""
        # By slash it is `/bag dream 42`, so `!bag dream 42` should be no riddle.
        text = _DREAM.sub("", said).strip()
        if not text or codes.is_code(text):
            return text or None
        several = codes.apart(text).split()
        if all(map(codes.is_code, several)):
            raise Refusal(words.several_bags([codes.bare(each) for each in several]))
        if command := self.nearest_command(text):
            raise Refusal(words.did_you_mean(text, command))
        return text

    @bag.command(name="grid")
    @app_commands.describe(count="how many, up to 16")
    async def grid_command(self, context: Context, count: commands.Range[int, 1, words.GRID_MAX] = 9) -> None:
        """Dream up to 16 bags at once, each to be picked, and two to be bred: `!bag grid 9`."""
        model = await self.studio.current()
        fresh = [codes.fresh(model.version) for _ in range(count)]
        await self.store.add_designs(fresh, model.epoch, guild_id(context), context.author.id)
        names = [str(code) for code in fresh]
        await context.defer()
        await context.send(**await self.cards.grid(names, words.grid_title(count), words.listing(names)))

    @bag.command(name="interpolate", aliases=["morph"], ignore_extra=False)
    @app_commands.describe(
        a="the first bag, a seed or a code",
        b="the bag that it turns into",
        **dict.fromkeys("cdefgh", "and the next"),
        frames="pictures from one bag to the next, 8 to 60",
    )
    @app_commands.autocomplete(**dict.fromkeys("abcdefgh", autocomplete.code))
    async def interpolate(
        self,
        context: Context,
        a: str,
        b: str,
        c: str | None = None,
        d: str | None = None,
        e: str | None = None,
        f: str | None = None,
        g: str | None = None,
        h: str | None = None,
        frames: commands.Range[int, FEWEST, MOST] = DEFAULT_FRAMES,
    ) -> None:
        """Turn one bag into another, or up to 8 in a loop: `!bag interpolate 42 7 1234`.

        Typed, a number from 8 to 60 at the end, after two bags or more, is that of the pictures from one bag
        to the next: `!bag morph 42 7 40`. To mean the bag of that seed, give its whole code.
        """
        named = [text for text in (a, b, c, d, e, f, g, h) if text is not None]
        # Typed, the number at the end of `!bag morph 42 7 40` is that of the frames.
        if (
            context.interaction is None
            and frames == DEFAULT_FRAMES
            and len(named) > 2
            and _is_count(named[-1])
        ):
            frames = int(named.pop())
        stops = [await self.studio.code(text) for text in named]
        stops = [stop for stop, before in zip(stops, [None, *stops], strict=False) if stop != before]
        if len(stops) < 2:
            raise Refusal(words.ONE_BAG)
        for other in stops[1:]:
            check_same_generator(stops[0], other, "interpolate")
        await context.defer()
        model = await self.studio.model(stops[0].version)
        frames = frames or (30 if len(stops) == 2 else 16)
        animation, steps, new = await self.studio.morph(stops, frames)
        await self.store.add_designs(stops, model.epoch, guild_id(context), context.author.id)
        await self.store.add_bred(new, model.epoch, guild_id(context), context.author.id)
        names = [str(step) for step in steps]
        await context.send(
            f"**{words.morph_title(stops)}**\n{words.listing(names)}",
            files=[
                attach("morph.webp", animation.webp, words.morph_alt(stops, len(stops) * (frames - 1))),
                attach("strip.png", animation.strip, words.strip_alt(stops, names)),
            ],
            view=grid_view(names),
        )

    @control("again")
    async def on_again(self, interaction: Interaction) -> None:
        """🎲: another bag."""
        await self._answer(interaction, await self.studio.code(None))

    @control("pick")
    async def on_pick(self, interaction: Interaction, picked: str) -> None:
        """A bag picked from a grid, by itself."""
        await self._answer(interaction, await self.studio.code(picked))

    async def _answer(self, interaction: Interaction, code: Code) -> None:
        self.spend(interaction)
        # Discord waits three seconds for an answer, and a drawing process that has just begun needs longer.
        await self.studio.model(code.version)
        await interaction.response.defer(thinking=True)
        message = await self.cards.design(code, guild_id(interaction), interaction.user.id)
        await answer(interaction, **message)


def _is_count(text: str) -> bool:
    return text in map(str, range(FEWEST, MOST + 1))
