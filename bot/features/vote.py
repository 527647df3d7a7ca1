"""👍 👎 and `!bag top`: what the community likes."""

from __future__ import annotations

import difflib
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import BagBot, Context, Interaction, guild_id
from bot.client.controls import control
from bot.client.replies import answer
from bot.codes import Code
from bot.errors import Refusal
from bot.features.card import Cards
from bot.features.favorites.service import FavoriteService
from bot.features.feature import Feature
from bot.store.favorites import COMMUNITY
from bot.store.votes import EVER, UnknownDesignError, month, week

TOP = 9
PERIODS = {
    "week": ("week", "weekly", "this week", "of the week"),
    "month": ("month", "monthly", "this month", "of the month"),
    "ever": ("ever", "all", "all time", "alltime", "always", "forever"),
}
"""What people type for each."""


class VoteCog(Feature):
    """Gives each person one vote per bag, ranks the bags, and makes those with enough votes favorites."""

    def __init__(self, bot: BagBot, cards: Cards, favorites: FavoriteService) -> None:
        super().__init__(bot, cards)
        self._favorites = favorites
        self._kept: set[tuple[int, str]] = set()
        """Designs, by guild, that are known to be the community's favorites."""

    @commands.hybrid_command(name="top")
    @app_commands.describe(period="which votes count")
    @app_commands.choices(period=[app_commands.Choice(name=name, value=name) for name in words.NO_TOP])
    @commands.guild_only()
    async def top(self, context: Context, *, period: str = "ever") -> None:
        """The bags you love most: `!bag top`, or `!bag top week`."""
        period, now = _period(period), self.now()
        periods = {"week": week(now), "month": month(now), "ever": EVER}
        best = await self.store.top(guild_id(context), TOP, periods[period])
        if not best:
            raise Refusal(words.NO_TOP[period])
        await context.defer()
        notes = [words.tally(tally.up, tally.down) for _, tally in best]
        codes = [code for code, _ in best]
        message = await self.cards.grid(codes, words.TOP_TITLES[period], words.listing(codes, notes))
        message["embed"].set_footer(text=words.TOP_FOOTER)
        await context.send(**message)

    @control("up")
    async def on_up(self, interaction: Interaction, code: str) -> None:
        """👍 pressed."""
        await self._vote(interaction, code, 1)

    @control("down")
    async def on_down(self, interaction: Interaction, code: str) -> None:
        """👎 pressed."""
        await self._vote(interaction, code, -1)

    async def _vote(self, interaction: Interaction, code: str, value: int) -> None:
        """Count a vote, say that it is counted, show the count soon, and keep what reaches the threshold."""
        guild = guild_id(interaction)
        try:
            here, change = await self.store.vote(code, interaction.user.id, guild, value)
        except UnknownDesignError:  # the store is younger than the message
            named = Code.of(code)
            model = await self.studio.model(named.version)
            await self.store.add_designs([named], model.epoch, guild, None)
            here, change = await self.store.vote(code, interaction.user.id, guild, value)
        try:
            await interaction.response.defer()
        except discord.NotFound:
            # Discord has told the person that the click failed. It must not count, or pressing again would
            # take it back.
            await self.store.undo_vote(code, interaction.user.id, change)
            return
        # A click costs this one transaction; what has to be read is read for the edit.
        shown = interaction.message.id if interaction.message else 0
        self._favorites.edits.want(shown, partial(self._show_votes, interaction, code, shown))
        if here.score >= self.guilds.rules(guild).favorite_votes and (guild, code) not in self._kept:
            await self._keep_for_all(interaction, code, here.up)

    async def _keep_for_all(self, interaction: Interaction, code: str, up: int) -> None:
        guild = guild_id(interaction)
        fresh = await self._favorites.keep(code, guild, COMMUNITY)
        self._kept.add((guild, code))
        if not fresh:
            return
        copies = await self._favorites.hall.shuts_out(code)
        if copies or interaction.guild is None or self.bot.hall(interaction.guild) is None:
            picture = await self.cards.design(Code.of(code), guild, None)
            text = words.community_favorite(code, up) + (f" {words.NEAR_COPY}" if copies else "")
            await answer(interaction, text, **picture)

    async def _show_votes(self, interaction: Interaction, code: str, shown: int) -> None:
        for post in await self.store.hall_posts(code):
            if post.message_id != shown:
                self._favorites.hall.refresh(post.guild_id, code)
        # Through the interaction: it has its own rate limit, and may edit where the bot has lost its rights.
        await interaction.edit_original_response(view=await self.cards.buttons(Code.of(code)))


def _period(said: str) -> str:
    """The period that was typed. Raises Refusal, with the nearest one."""
    text = " ".join(said.lower().split())
    meant = {name: period for period, names in PERIODS.items() for name in names}
    if text not in meant:
        near = difflib.get_close_matches(text[:20], meant, 1)
        raise Refusal(words.usage(f"!bag top {meant[near[0]] if near else 'week'}"))
    return meant[text]
