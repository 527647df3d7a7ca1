"""What the features share: the services, and how a design becomes a message."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypedDict

import discord
from discord.ext import commands

from bot import words
from bot.client import permissions
from bot.client.queue_notice import Patience
from bot.codes import Code
from bot.drawing.queue import asking
from bot.errors import Refusal
from bot.features.card import design_view, grid_view

if TYPE_CHECKING:
    from bot.client.bot import BagBot, Interaction
    from bot.drawing.jobs import Picture

MAX_UPLOAD = 8 * 2**20
"""Bytes of a file. Discord takes 10 MiB where nobody pays for more, and has taken 8."""


class Message(TypedDict):
    """What `send` takes."""

    embed: discord.Embed
    files: list[discord.File]
    view: discord.ui.View


class Feature(commands.Cog):
    """A base of the cog."""

    def __init__(self, bot: BagBot) -> None:
        self.bot = bot
        self.settings = bot.services.settings
        self.guilds = bot.services.guilds
        self.store = bot.services.store
        self.studio = bot.services.studio

    async def cog_load(self) -> None:
        """Join `!bag`, and take the controls that are this feature's."""
        group = self.bot.get_command("bag")
        if isinstance(group, commands.HybridGroup):
            for command in self.get_commands():
                group.add_command(command)
        for name in dir(type(self)):
            for action in getattr(getattr(type(self), name), "__control__", ()):
                self.bot.controls[action] = getattr(self, name)

    async def cog_check(self, context: commands.Context[Any]) -> bool:
        """Nobody asks too often, nor where I can't answer. Raises Refusal or BotMissingPermissions."""
        self.bot.limits.spend(context.author.id, guild_id(context), context.message.created_at)
        if context.interaction is None:
            lacks = permissions.lacking(context.bot_permissions, permissions.to_speak(context.channel))
            if lacks:
                raise commands.BotMissingPermissions(lacks)
        return True

    async def cog_before_invoke(self, context: commands.Context[Any]) -> None:
        """From here on it is this person who waits for pictures."""
        asking.set(Patience(context))

    def spend(self, interaction: Interaction) -> None:
        """Count a button that draws. Raises Refusal if its person or server asks too often."""
        self.bot.limits.spend(interaction.user.id, guild_id(interaction), interaction.created_at)

    async def design(self, code: Code, guild_id: int, user_id: int | None) -> Message:
        """Draw a design, remember it and lay it out with its buttons. Raises Refusal."""
        model = await self.studio.model(code.version)
        picture = await self.studio.picture(code)
        await self.store.add_designs([code], model.epoch, guild_id, user_id, [picture.look])
        embed = design_embed(code, picture, model.epoch)
        return Message(
            embed=embed,
            files=[picture_file(code, picture, model.epoch)],
            view=design_view(str(code), await self.store.tally(str(code))),
        )

    async def numbered(
        self, codes: Sequence[str], title: str, text: str, footer: str | None = None
    ) -> tuple[discord.Embed, discord.File]:
        """Designs as one numbered picture, with text. Raises Refusal."""
        columns = next(n for n in (1, 2, 3, 4) if n * n >= len(codes))
        data = await self.studio.grid([Code.of(code) for code in codes], columns)
        embed = discord.Embed(title=title, description=text)
        embed.set_image(url="attachment://grid.png")
        if footer:
            embed.set_footer(text=footer)
        return embed, attach("grid.png", data, words.grid_alt(codes))

    async def grid(self, codes: Sequence[str], title: str, text: str) -> Message:
        """Designs as one numbered picture with lists to pick and to breed from. Raises Refusal."""
        embed, file = await self.numbered(codes, title, text, words.GRID_FOOTER)
        return Message(embed=embed, files=[file], view=grid_view(codes))

    def same_generator(self, a: Code, b: Code, command: str) -> None:
        """Raise Refusal, with a hint, for designs of two generators: their latents mean different things."""
        if a.version != b.version:
            version = a.version if b.seed is not None else b.version
            pair = [code if code.version == version else Code(version, code.name) for code in (a, b)]
            possible = all(code in (a, b) or code.seed is not None for code in pair)
            hint = f"!bag {command} {pair[0]} {pair[1]}" if possible else "!bag grid"
            raise Refusal(words.two_generators(str(a), str(b), hint))


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


def guild_id(place: Any) -> int:
    """The server of a context or interaction; 0 for private messages."""
    return place.guild.id if place.guild else 0
