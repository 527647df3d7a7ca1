"""`!bag vote`: a vote between designs, closed and told once, whatever restarts lie between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot import codes, words
from bot.client.bot import BagBot, Context, Interaction
from bot.client.controls import control
from bot.client.history import find_own
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.card import pick_view, round_view
from bot.features.favorites.cog import Keeper
from bot.features.feature import Feature, Message, guild_id
from bot.store.favorites import COMMUNITY
from bot.store.polls import OpenRound

Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
LONGEST_PAUSE = 300.0
"""Seconds until what Discord has refused is tried again; the first time one second, then twice as long."""
log = logging.getLogger(__name__)


class RoundCommands(Feature):
    """Votes between designs.

    The row comes before the message and is completed after it; it is closed before its end is told and marked
    afterwards. Whoever finds one that is neither looks in the channel.
    """

    def __init__(self, bot: BagBot, keeper: Keeper) -> None:
        super().__init__(bot)
        self.keeper = keeper
        self._one_at_a_time = asyncio.Lock()
        self._being_posted: set[int] = set()
        self._pauses: dict[int, tuple[float, float]] = {}

    @commands.hybrid_command(name="vote")
    @app_commands.describe(designs="two to four seeds or codes; nothing for four new bags")
    @app_commands.autocomplete(designs=autocomplete.last_code)
    @commands.guild_only()
    async def vote(self, context: Context, *, designs: str = "") -> None:
        """Open a vote between designs: `!bag vote`, or `!bag vote 42 7`."""
        named = [await self.studio.code(text) for text in designs.split()[:5]]
        if not named:
            model = await self.studio.current()
            named = [codes.fresh(model.version) for _ in range(4)]
        named = list(dict.fromkeys(named))
        if not 2 <= len(named) <= 4:
            raise Refusal(words.ROUND_CODES)
        await context.defer()
        for code in named:
            model = await self.studio.model(code.version)
            await self.store.add_designs([code], model.epoch, guild_id(context), context.author.id)
        closes_at = datetime.now(UTC) + timedelta(minutes=self.settings.vote_minutes)
        vote = await self.store.open_round(
            guild_id(context), context.channel.id, [str(code) for code in named], closes_at
        )
        self._being_posted.add(vote.id)
        try:
            message = await context.send(**await self._laid_out(vote))
        except Exception:
            # Nobody has seen it, and whoever asked is told why.
            await self.store.drop_round(vote.id)
            raise
        finally:
            self._being_posted.discard(vote.id)
        await self.store.round_posted(vote.id, message.id)

    @control("ballot")
    async def on_ballot(self, interaction: Interaction, number: str, code: str) -> None:
        """A choice in a vote between designs: count it and show the standing soon."""
        round_id = int(number)
        await interaction.response.defer()
        if not await self.store.cast(round_id, interaction.user.id, code):
            raise Refusal(words.ROUND_OVER)
        if interaction.message is not None:
            edit = partial(self._edit_round, round_id, interaction.edit_original_response)
            self.keeper.edits.want(interaction.message.id, edit)

    async def close_due_rounds(self) -> None:
        """Post what a crash has kept from being posted; close what is past its deadline, and tell."""
        async with self._one_at_a_time:
            for round_id in await self.store.unposted_rounds():
                if round_id not in self._being_posted:
                    await self._patiently(round_id, self._post_late)
            for round_id in await self.store.due_rounds(datetime.now(UTC)):
                await self._patiently(round_id, self._end)

    async def _patiently(self, round_id: int, work: Callable[[int], Awaitable[None]]) -> None:
        """Do what a vote needs; one in trouble waits and keeps no other waiting."""
        now = asyncio.get_running_loop().time()
        until, pause = self._pauses.get(round_id, (0.0, 1.0))
        if now < until:
            return
        try:
            await work(round_id)
            self._pauses.pop(round_id, None)
        except Exception as error:
            expected = isinstance(error, Refusal | discord.HTTPException | OSError)
            log.warning("vote %d has to wait: %s", round_id, error, exc_info=None if expected else error)
            self._pauses[round_id] = now + pause, min(2 * pause, LONGEST_PAUSE)

    async def _post_late(self, round_id: int) -> None:
        vote = await self.store.round(round_id)
        if vote is None or vote.closes_at <= datetime.now(UTC):
            return  # `_end` sees to it
        channel = await self._channel(vote)
        if channel is None:
            await self.store.drop_round(round_id)
            return
        try:
            message = await self._posted(channel, vote) or await channel.send(**await self._laid_out(vote))
        except discord.Forbidden as error:
            log.warning("vote %d can't be shown: %s", round_id, error)
            await self.store.drop_round(round_id)
            return
        await self.store.round_posted(round_id, message.id)

    async def _end(self, round_id: int) -> None:
        closing = await self.store.close_round(round_id)
        if closing is None:
            return
        vote, was_open = closing
        if len(vote.winners) == 1:
            await self._keep_winner(vote)
        channel = await self._channel(vote)
        if channel is not None:
            try:
                await self._tell_end(channel, vote, was_open)
            except discord.Forbidden as error:
                log.warning("the end of vote %d can't be told: %s", round_id, error)
        await self.store.round_announced(round_id)

    async def _tell_end(self, channel: Place, vote: OpenRound, was_open: bool) -> None:
        message_id = vote.message_id
        if message_id is None:
            posted = await self._posted(channel, vote)
            if posted is None:
                return  # nobody has seen it
            message_id = posted.id
        result = words.round_result(vote.id, vote.winners, vote.most)
        if was_open or not await self._told(channel, message_id, result):
            await channel.send(
                result,
                view=pick_view(vote.winners) if vote.winners else discord.utils.MISSING,
                reference=discord.MessageReference(
                    message_id=message_id, channel_id=vote.channel_id, fail_if_not_exists=False
                ),
                mention_author=False,
            )
        shown = channel.get_partial_message(message_id)
        self.keeper.edits.want(message_id, partial(self._edit_round, vote.id, shown.edit))

    async def _keep_winner(self, vote: OpenRound) -> None:
        try:
            await self.keeper.keep(vote.winners[0], vote.guild_id, COMMUNITY)
        except (Refusal, OSError) as error:
            log.warning("the winner of vote %d is not kept: %s", vote.id, error)

    async def _laid_out(self, vote: OpenRound) -> Message:
        embed, file = await self.numbered(
            vote.codes, words.round_title(vote.id), words.round_text(vote.votes, vote.closes_at)
        )
        return Message(embed=embed, files=[file], view=round_view(vote, vote.closed))

    async def _edit_round(self, round_id: int, edit: Callable[..., Awaitable[object]]) -> None:
        vote = await self.store.round(round_id)
        if vote is None:
            return
        closes_at = None if vote.closed else vote.closes_at
        embed = discord.Embed(
            title=words.round_title(vote.id), description=words.round_text(vote.votes, closes_at)
        )
        embed.set_image(url="attachment://grid.png")  # the one that is attached already
        await edit(embed=embed, view=round_view(vote, vote.closed))

    async def _channel(self, vote: OpenRound) -> Place | None:
        """Where a vote takes place; None if that is gone, or hidden from the bot."""
        try:
            channel = self.bot.get_channel(vote.channel_id) or await self.bot.fetch_channel(vote.channel_id)
        except (discord.NotFound, discord.Forbidden):
            return None
        return channel if isinstance(channel, Place) else None

    async def _posted(self, channel: Place, vote: OpenRound) -> discord.Message | None:
        title = words.round_title(vote.id)
        me = channel.guild.me.id
        return await find_own(channel, me, lambda message: any(one.title == title for one in message.embeds))

    async def _told(self, channel: Place, after: int, result: str) -> discord.Message | None:
        me = channel.guild.me.id
        return await find_own(channel, me, lambda message: message.content == result, after)
