"""`!bag`, `!bag grid`, `!bag interpolate`: new bags, and the ones between them."""

from __future__ import annotations

import contextlib
import difflib
import re
from typing import Annotated, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot import codes, words
from bot.client.bot import Context, Interaction, guild_id
from bot.client.controls import control
from bot.client.replies import answer, whisper
from bot.codes import Code
from bot.drawing.generators import Model
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.card import attach, grid_view
from bot.features.feature import ALIKE, Feature, check_same_generator
from gan.words import slug

_DREAM = re.compile(r"\s*dreams?(?!\S)", re.IGNORECASE)
FEWEST, MOST = 8, 60
"""Frames from one bag of a morph to the next."""
_NUMBER = re.compile(r"(?<!\S)-?[0-9]{1,9}(?!\S)")
CLEARLY = 0.8
"""How alike a word is to a command of which it is a slip and nothing else, by difflib, in [0, 1]."""
DEFAULT_GRID = 9
DEFAULT_FRAMES = 0
"""30 between two bags, 16 in a loop of more."""


class Count(app_commands.Transformer, commands.Converter[int]):
    """How many bags a grid shows. Of a typed command it is left out where words begin."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """The option of the slash command."""
        return discord.AppCommandOptionType.integer

    @property
    def min_value(self) -> int:
        """The fewest."""
        return 1

    @property
    def max_value(self) -> int:
        """The most."""
        return words.GRID_MAX

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> Any:
        """Discord has checked it."""
        return value

    async def convert(self, context: commands.Context[Any], argument: str) -> int:
        """Read it. Raises commands.BadArgument if it is none, or out of range."""
        if argument not in map(str, range(1, words.GRID_MAX + 1)):
            raise commands.BadArgument(argument)
        return int(argument)


class DreamCog(Feature):
    """Lets anybody dream a bag, a grid of them, or a morph from one to others."""

    @commands.hybrid_group(name="bag", fallback="dream", invoke_without_command=True, case_insensitive=True)
    @app_commands.rename(said="words")
    @app_commands.describe(
        code="a seed (42) or a code (k3f9x2-42); nothing for a new bag",
        said="what it should be, such as: red tote",
    )
    @app_commands.autocomplete(code=autocomplete.code, said=autocomplete.words)
    async def bag(self, context: Context, *, code: str = "", said: str = "") -> None:
        """Dream a bag, or that of a seed, a code or your words: `!bag 42`, `!bag red tote`, `!bag 42 red`.

        A command goes before a word of the same name; after `!bag dream` it is a word.
        """
        # By slash it is `/bag dream 42`, so `!bag dream 42` should be no riddle.
        named, wanted = await self._meant(_DREAM.sub("", f"{code} {said}").strip())
        model = await self.studio.model(named.version)
        if wanted:
            (named,), new = await self.studio.reworded(named, [wanted])
            await self.store.add_bred(new, model.epoch, guild_id(context), context.author.id)
        await context.defer()
        await context.send(**await self.cards.design(named, guild_id(context), context.author.id))

    async def _meant(self, text: str) -> tuple[Code, tuple[str, ...]]:
        """The design that was typed, or a new one, and the words beside it.

        Raises Refusal, also for what may be a command.
        """
        if not text:
            return await self.studio.code(None), ()
        model: Model | None = None
        with contextlib.suppress(Refusal):  # a whole code needs no current generator, nor does a slip
            model = await self.studio.current()
        pieces = [text] if codes.is_code(text) else codes.apart(text).split()
        named = [piece for piece in pieces if codes.is_code(piece) and not _is_said(piece, model)]
        rest = " ".join(piece for piece in pieces if piece not in named)
        if len(named) > 1 and not rest:
            raise Refusal(words.several_bags([codes.bare(each) for each in named]))
        code = await self.studio.code(named[0]) if len(named) == 1 else None
        if code is not None:
            if not rest:
                return code, ()
            model = await self.studio.model(code.version)
        self._refuse_slip(text, rest, model)
        if code is not None and model is not None:
            return code, model.understand(rest)
        if model is None or named or not any(map(str.isalpha, rest)):
            return await self.studio.code(text), ()  # which says what is wrong with it
        if model.vocabulary is None:
            raise Refusal(f"{words.not_a_code(text, model.version)} {words.WORDLESS}")
        return codes.fresh(model.version), model.understand(rest)

    def _refuse_slip(self, text: str, rest: str, model: Model | None) -> None:
        """Raise Refusal if a text begins with no word that is known, and rather with a command's slip."""
        first = slug(text.split()[0])
        unknown = model.unknown(rest) if model else ()
        if model is not None and first not in unknown:
            return
        word = model.vocabulary.nearest(first) if model and model.vocabulary else None
        alike = difflib.SequenceMatcher(None, first, slug(word)).ratio() if word else 0
        if command := self.nearest_command(text, max(ALIKE, alike)):
            # “red” is like “breed”, and may well have been meant.
            is_clear = model is None or model.vocabulary or self.nearest_command(text, CLEARLY)
            note = "" if is_clear else f" {words.WORDLESS}"
            raise Refusal(words.did_you_mean(text, command) + note)

    @bag.command(name="grid")
    @app_commands.rename(said="words")
    @app_commands.describe(count="how many, up to 16", said="what they should be, such as: red tote")
    @app_commands.autocomplete(said=autocomplete.words)
    async def grid_command(
        self, context: Context, count: Annotated[int | None, Count | None] = None, *, said: str = ""
    ) -> None:
        """Dream up to 16 bags at once, to pick from and to breed: `!bag grid 9`, `!bag grid 9 tote`."""
        model = await self.studio.current()
        # Typed, `!bag grid 17` and `!bag grid totes 4` are all words.
        numbers = _NUMBER.findall(said)
        if count is None and len(numbers) == 1:
            count, said = int(numbers[0]), _NUMBER.sub("", said)
            if not 1 <= count <= words.GRID_MAX:
                raise Refusal(words.out_of_range("That number", 1, words.GRID_MAX))
        count = count or DEFAULT_GRID
        wanted = model.understand(said) if said.strip() else ()
        fresh = [model.code(codes.fresh_seed(), wanted) for _ in range(count)]
        await self.store.add_designs(fresh, model.epoch, guild_id(context), context.author.id)
        names = [str(code) for code in fresh]
        await context.defer()
        title = words.grid_title(count, words.bag_of(model.by_facet(wanted), brand=True))
        await context.send(**await self.cards.grid(names, title, words.listing(names)))

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
            # In an embed of its own the strip has its full width; beside the animation it would be a stamp.
            embed=discord.Embed().set_image(url="attachment://strip.png"),
            files=[
                attach("morph.webp", animation.webp, words.morph_alt(stops, len(stops) * (frames - 1))),
                attach("strip.png", animation.strip, words.strip_alt(stops, names)),
            ],
            view=grid_view(names),
        )

    @control("again")
    async def on_again(self, interaction: Interaction, said: str = "") -> None:
        """🎲: another bag, of the same words if some were said."""
        model = await self.studio.current()
        wanted = model.understand(said) if said else ()
        await self._answer(interaction, model.code(codes.fresh_seed(), wanted))

    @control("pick")
    async def on_pick(self, interaction: Interaction, picked: str) -> None:
        """A bag picked from a grid, by itself."""
        await self._answer(interaction, await self.studio.code(picked))

    @control("more")
    async def on_more(self, interaction: Interaction, code: str) -> None:
        """…: what else can be done with the bag above, for its person alone."""
        await whisper(interaction, words.more_of(code), view=await self.cards.more(Code.of(code)))

    async def _answer(self, interaction: Interaction, code: Code) -> None:
        self.spend(interaction)
        # Discord waits three seconds for an answer, and a drawing process that has just begun needs longer.
        await self.studio.model(code.version)
        await interaction.response.defer(thinking=True)
        message = await self.cards.design(code, guild_id(interaction), interaction.user.id)
        await answer(interaction, **message)


def _is_said(piece: str, model: Model | None) -> bool:
    """Whether the generator knows a text that looks like a code as words, such as “black-backpack”."""
    return bool(model and model.vocabulary and any(map(str.isalpha, piece)) and not model.unknown(piece))


def _is_count(text: str) -> bool:
    return text in map(str, range(FEWEST, MOST + 1))
