"""How designs become messages: one design's card with its buttons, or many as a numbered grid."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TypedDict

import discord
from discord.ui import View

from bot import words
from bot.client.controls import Control, button, select, view
from bot.codes import Code
from bot.drawing.jobs import Picture
from bot.drawing.studio import Studio
from bot.errors import Refusal
from bot.store.store import Store

MAX_UPLOAD = 8 * 2**20
"""Bytes per file. Discord takes 10 MiB from everybody today, and used to take 8."""


FEW = 4
"""Designs of a grid that have buttons of their own."""


class Message(TypedDict):
    """The arguments of `send` that make a message."""

    embed: discord.Embed
    files: list[discord.File]
    view: View


class Cards:
    """Draws designs and lays them out as messages."""

    def __init__(self, studio: Studio, store: Store) -> None:
        self._studio = studio
        self._store = store

    async def design(self, code: Code, guild_id: int, user_id: int | None) -> Message:
        """A design's card. Remembers the design, and who asked for it (None: the bot itself).

        Raises Refusal if it can't be drawn.
        """
        model = await self._studio.model(code.version)
        picture = await self._studio.picture(code)
        await self._store.add_designs([code], model.epoch, guild_id, user_id, [picture.look])
        bag = words.bag_of(*await self._studio.words([code]))
        return Message(
            embed=design_embed(code, picture, model.epoch, bag),
            files=[picture_file(code, picture, model.epoch, bag)],
            view=await self.buttons(code),
        )

    async def buttons(self, code: Code) -> View:
        """👍 👎 💾 🎲 … under a design: one row, as the rest is behind the last (see `more`)."""
        tally = await self._store.tally(str(code))
        return view(
            button("up", code, emoji=words.UP, label=str(tally.up)),
            button("down", code, emoji=words.DOWN, label=str(tally.down)),
            button("save", code, emoji=words.SAVE, label="save"),
            button("again", *filter(None, [code.words]), emoji=words.AGAIN, label="another"),
            button("more", code, label=words.MORE),
        )

    async def more(self, code: Code) -> View:
        """🔀 💞 of a design, and 🎨 👜 if its generator knows such words. Raises Refusal."""
        vocabulary = (await self._studio.model(code.version)).vocabulary
        restyles: list[Control] = []
        for number, facet in enumerate(vocabulary.facets if vocabulary else ()):
            if facet.name in words.RESTYLES and len(facet.words) > 1:
                emoji, kinds = words.RESTYLES[facet.name]
                restyles.append(button("restyle", number, code, emoji=emoji, label=kinds))
        return view(
            button("vary", code, emoji=words.VARY, label="vary"),
            button("mate", code, emoji=words.BREED, label="breed"),
            *restyles,
        )

    async def grid(self, codes: Sequence[str], title: str, text: str, columns: int = 0) -> Message:
        """1 to 16 designs as one numbered picture, with lists to pick and to breed from. Raises Refusal.

        With 0 columns it is a square.
        """
        embed, file = await self.numbered(codes, title, text, columns)
        embed.set_footer(text=words.GRID_FOOTER if len(codes) > FEW else words.SMALL_GRID_FOOTER)
        return Message(embed=embed, files=[file], view=grid_view(codes))

    async def numbered(
        self, codes: Sequence[str], title: str, text: str, columns: int = 0
    ) -> tuple[discord.Embed, discord.File]:
        """1 to 16 designs as one numbered picture, with text above it. Raises Refusal."""
        columns = columns or next(n for n in (1, 2, 3, 4) if n * n >= len(codes))
        designs = [Code.of(code) for code in codes]
        data = await self._studio.grid(designs, columns)
        bags = [words.bag_of(said) for said in await self._studio.words(designs)]
        embed = discord.Embed(title=title, description=text)
        embed.set_image(url="attachment://grid.png")
        return embed, attach("grid.png", data, words.grid_alt(codes, bags))


def design_embed(code: Code, picture: Picture, epoch: int, bag: str) -> discord.Embed:
    """A design's card, in the color of the bag; `bag` says what it is, if its generator knows words."""
    embed = discord.Embed(title=words.design_title(str(code)), color=picture.rgb)
    embed.set_image(url=f"attachment://{code}.png")
    embed.set_footer(text=words.design_footer(epoch, bag))
    return embed


def picture_file(code: Code, picture: Picture, epoch: int, bag: str) -> discord.File:
    """A design's picture with its alt text."""
    return attach(f"{code}.png", picture.large, words.design_alt(str(code), picture.color, epoch, bag))


def attach(name: str, data: bytes, alt: str) -> discord.File:
    """A file with alt text. Every file that the bot sends is made here. Raises Refusal if it is too large."""
    if len(data) > MAX_UPLOAD:
        raise Refusal(words.too_large(name, len(data), MAX_UPLOAD))
    return discord.File(BytesIO(data), name, description=alt)


def grid_view(codes: Sequence[str], *more: Control) -> View:
    """What can be done with the designs of a grid, and `more` below.

    Of up to FEW each has a button to pick it and one to vary it, as image bots have them; of more, lists are
    there to pick one and to breed two.
    """
    some = list(dict.fromkeys(codes))
    if len(some) <= FEW:
        numbered = list(enumerate(some, 1))
        for control in more:
            control.item.row = 2
        return view(
            *(button("pick", code, label=str(number), row=0) for number, code in numbered),
            *(button("vary", code, emoji=words.VARY, label=str(number), row=1) for number, code in numbered),
            *more,
        )
    breed = select("breed", placeholder=words.BREED_TWO, min_values=2, max_values=2, options=_numbered(codes))
    return view(pick(codes), breed, *more)


def pick(codes: Sequence[str]) -> Control:
    """The list from which one design is picked; its options are the codes, so it needs no other state."""
    return select("pick", placeholder=words.PICK, options=_numbered(codes))


def _numbered(codes: Sequence[str]) -> list[discord.SelectOption]:
    numbers = {code: number for number, code in reversed(list(enumerate(codes, 1)))}
    return [
        discord.SelectOption(label=f"{numbers[code]} · {code}", value=code) for code in dict.fromkeys(codes)
    ]
