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
from bot.store.votes import Tally

MAX_UPLOAD = 8 * 2**20
"""Bytes per file. Discord takes 10 MiB from everybody today, and used to take 8."""


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
        return Message(
            embed=design_embed(code, picture, model.epoch),
            files=[picture_file(code, picture, model.epoch)],
            view=design_view(str(code), await self._store.tally(str(code))),
        )

    async def grid(self, codes: Sequence[str], title: str, text: str) -> Message:
        """1 to 16 designs as one numbered picture, with lists to pick and to breed from. Raises Refusal."""
        embed, file = await self.numbered(codes, title, text)
        embed.set_footer(text=words.GRID_FOOTER)
        return Message(embed=embed, files=[file], view=grid_view(codes))

    async def numbered(
        self, codes: Sequence[str], title: str, text: str
    ) -> tuple[discord.Embed, discord.File]:
        """1 to 16 designs as one numbered picture, with text above it. Raises Refusal."""
        columns = next(n for n in (1, 2, 3, 4) if n * n >= len(codes))
        data = await self._studio.grid([Code.of(code) for code in codes], columns)
        embed = discord.Embed(title=title, description=text)
        embed.set_image(url="attachment://grid.png")
        return embed, attach("grid.png", data, words.grid_alt(codes))


def design_embed(code: Code, picture: Picture, epoch: int) -> discord.Embed:
    """A design's card, in the color of the bag."""
    embed = discord.Embed(title=words.design_title(str(code)), color=picture.rgb)
    embed.set_image(url=f"attachment://{code}.png")
    embed.set_footer(text=words.design_footer(epoch))
    return embed


def picture_file(code: Code, picture: Picture, epoch: int) -> discord.File:
    """A design's picture with its alt text."""
    return attach(f"{code}.png", picture.large, words.design_alt(str(code), picture.color, epoch))


def attach(name: str, data: bytes, alt: str) -> discord.File:
    """A file with alt text. Every file that the bot sends is made here. Raises Refusal if it is too large."""
    if len(data) > MAX_UPLOAD:
        raise Refusal(words.too_large(name, len(data), MAX_UPLOAD))
    return discord.File(BytesIO(data), name, description=alt)


def design_view(code: str, tally: Tally) -> View:
    """👍 👎 💾 🎲 🔀 💞 under a design."""
    return view(
        button("up", code, emoji=words.UP, label=str(tally.up)),
        button("down", code, emoji=words.DOWN, label=str(tally.down)),
        button("save", code, emoji=words.SAVE, label="save"),
        button("again", emoji=words.AGAIN, label="another"),
        button("vary", code, emoji=words.VARY, label="vary"),
        button("mate", code, emoji=words.BREED, label="breed"),
    )


def grid_view(codes: Sequence[str], *more: Control) -> View:
    """The lists under a grid, to pick one design and to breed two, and `more` below."""
    lists = [pick(codes)]
    if len(set(codes)) > 1:
        options = _numbered(codes)
        lists.append(
            select("breed", placeholder=words.BREED_TWO, min_values=2, max_values=2, options=options)
        )
    return view(*lists, *more)


def pick(codes: Sequence[str]) -> Control:
    """The list from which one design is picked; its options are the codes, so it needs no other state."""
    return select("pick", placeholder=words.PICK, options=_numbered(codes))


def _numbered(codes: Sequence[str]) -> list[discord.SelectOption]:
    numbers = {code: number for number, code in reversed(list(enumerate(codes, 1)))}
    return [
        discord.SelectOption(label=f"{numbers[code]} · {code}", value=code) for code in dict.fromkeys(codes)
    ]
