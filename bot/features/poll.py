"""`!bag vote`: a poll between designs, closed and announced exactly once, whatever restarts lie between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands, tasks
from discord.ui import View

from bot import codes, words
from bot.client.bot import BagBot, Context, Interaction, guild_id
from bot.client.connection import REFUSED
from bot.client.controls import button, control, view
from bot.client.history import find_own
from bot.client.retries import Retries
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.card import Cards, Message, pick
from bot.features.favorites.service import FavoriteService
from bot.features.feature import Feature
from bot.store.favorites import COMMUNITY
from bot.store.polls import PollState

Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
CHECK_SECONDS = 2
log = logging.getLogger(__name__)


class Step(Enum):
    """What a poll needs next."""

    POST = "its message"
    END = "to be closed and announced"
    NOTHING = "nothing"


def next_step(poll: PollState, now: datetime) -> Step:
    """What a poll needs at `now`: usually nothing until its deadline."""
    if poll.announced:
        return Step.NOTHING
    if poll.closes_at <= now:
        return Step.END
    return Step.POST if poll.message_id is None else Step.NOTHING


class PollCog(Feature):
    """Lets members choose between two to four designs; the winner becomes a favorite.

    The row is written before the message and completed after it; it is closed before the end is announced and
    marked afterwards. If either is missing after a crash, the channel tells whether the message got out.
    """

    def __init__(self, bot: BagBot, cards: Cards, favorites: FavoriteService) -> None:
        super().__init__(bot, cards)
        self._favorites = favorites
        self._one_at_a_time = asyncio.Lock()
        self._being_posted: set[int] = set()
        self._retries = Retries(self.now)

    async def cog_load(self) -> None:
        """Start looking for polls that are due."""
        await super().cog_load()
        self._watch.start()

    async def cog_unload(self) -> None:
        """Stop looking."""
        self._watch.cancel()

    @commands.hybrid_command(name="vote")
    @app_commands.describe(designs="two to four seeds or codes, or words for four; nothing for four new bags")
    @app_commands.autocomplete(designs=autocomplete.codes_or_words)
    @commands.guild_only()
    async def vote(self, context: Context, *, designs: str = "") -> None:
        """Open a vote between designs: `!bag vote`, `!bag vote 42 7`, or four of `!bag vote red tote`."""
        pieces = codes.apart(designs).split()
        model = await self.studio.current() if not any(map(codes.is_code, pieces)) else None
        if model is not None and (model.vocabulary is not None or not pieces):
            wanted = model.understand(designs) if pieces else ()
            named = [model.code(codes.fresh_seed(), wanted) for _ in range(4)]
        else:
            named = [await self.studio.code(text) for text in pieces[:5]]
        named = list(dict.fromkeys(named))
        if not 2 <= len(named) <= 4:
            raise Refusal(words.POLL_CODES)
        await context.defer()
        for code in named:
            model = await self.studio.model(code.version)
            await self.store.add_designs([code], model.epoch, guild_id(context), context.author.id)
        closes_at = self.now() + timedelta(minutes=self.settings.vote_minutes)
        poll = await self.store.open_poll(
            guild_id(context), context.channel.id, [str(code) for code in named], closes_at
        )
        self._being_posted.add(poll.id)
        try:
            try:
                message = await context.send(**await self._lay_out(poll))
            except Exception:
                # Nobody has seen it, and the requester is told why.
                await self.store.drop_poll(poll.id)
                raise
            await self.store.poll_posted(poll.id, message.id)
        finally:
            self._being_posted.discard(poll.id)

    @control("ballot")
    async def on_ballot(self, interaction: Interaction, number: str, code: str) -> None:
        """A design chosen: count it and show the standing soon."""
        poll_id = int(number)
        if not await self.store.cast(poll_id, interaction.user.id, code):
            raise Refusal(words.POLL_OVER)
        await interaction.response.defer()
        if interaction.message is not None:
            edit = partial(self._edit, poll_id, interaction.edit_original_response)
            self._favorites.edits.want(interaction.message.id, edit)

    @tasks.loop(seconds=CHECK_SECONDS)
    async def _watch(self) -> None:
        if self.bot.is_ready():
            try:
                await self.close_due_polls()
            except Exception:  # which would end the loop for good
                log.exception("could not look for polls that are due")

    async def close_due_polls(self) -> None:
        """Post what a crash kept from being posted; close and announce what is past its deadline."""
        async with self._one_at_a_time:
            now = self.now()
            for poll_id in await self.store.pending_polls(now):
                if not self._retries.due(poll_id):
                    continue
                try:
                    await self._bring_up_to_date(poll_id, now)
                    self._retries.succeeded(poll_id)
                except Exception as error:  # a poll in trouble delays no other
                    if self._retries.failed(poll_id, error):
                        expected = isinstance(error, (Refusal, *REFUSED))
                        log.warning(
                            "poll %d has to wait: %s", poll_id, error, exc_info=None if expected else error
                        )

    async def _bring_up_to_date(self, poll_id: int, now: datetime) -> None:
        poll = await self.store.poll(poll_id)
        if poll is None or poll_id in self._being_posted:
            return
        match next_step(poll, now):
            case Step.POST:
                await self._post_late(poll)
            case Step.END:
                await self._end(poll_id)

    async def _post_late(self, poll: PollState) -> None:
        channel = await self._channel(poll)
        if channel is None:
            await self.store.drop_poll(poll.id)
            return
        try:
            message = await self._posted(channel, poll) or await channel.send(**await self._lay_out(poll))
        except discord.Forbidden as error:
            log.warning("poll %d can't be shown: %s", poll.id, error)
            await self.store.drop_poll(poll.id)
            return
        await self.store.poll_posted(poll.id, message.id)

    async def _end(self, poll_id: int) -> None:
        closing = await self.store.close_poll(poll_id)
        if closing is None:
            return
        poll, was_open = closing
        if len(poll.winners) == 1:
            await self._keep_winner(poll)
        channel = await self._channel(poll)
        if channel is not None:
            try:
                await self._announce(channel, poll, was_open)
            except discord.Forbidden as error:
                log.warning("the end of poll %d can't be announced: %s", poll.id, error)
        await self.store.poll_announced(poll_id)

    async def _announce(self, channel: Place, poll: PollState, was_open: bool) -> None:
        message_id = poll.message_id
        if message_id is None:
            posted = await self._posted(channel, poll)
            if posted is None:
                return  # nobody has seen it
            message_id = posted.id
        result = words.poll_result(poll.id, poll.winners, poll.most)
        if was_open or not await self._announced(channel, message_id, result):
            await channel.send(
                result,
                view=view(pick(poll.winners)) if poll.winners else discord.utils.MISSING,
                reference=discord.MessageReference(
                    message_id=message_id, channel_id=poll.channel_id, fail_if_not_exists=False
                ),
                mention_author=False,
            )
        shown = channel.get_partial_message(message_id)
        self._favorites.edits.want(message_id, partial(self._edit, poll.id, shown.edit))

    async def _keep_winner(self, poll: PollState) -> None:
        try:
            await self._favorites.keep(poll.winners[0], poll.guild_id, COMMUNITY)
        except (Refusal, OSError) as error:
            log.warning("the winner of poll %d is not kept: %s", poll.id, error)

    async def _lay_out(self, poll: PollState) -> Message:
        text = words.poll_text(poll.votes, poll.closes_at)
        embed, file = await self.cards.numbered(poll.codes, words.poll_title(poll.id), text)
        return Message(embed=embed, files=[file], view=_ballots(poll))

    async def _edit(self, poll_id: int, edit: Callable[..., Awaitable[Any]]) -> None:
        poll = await self.store.poll(poll_id)
        if poll is None:
            return
        closes_at = None if poll.closed else poll.closes_at
        embed = discord.Embed(
            title=words.poll_title(poll.id), description=words.poll_text(poll.votes, closes_at)
        )
        embed.set_image(url="attachment://grid.png")  # the one that is attached already
        await edit(embed=embed, view=_ballots(poll))

    async def _channel(self, poll: PollState) -> Place | None:
        """Where a poll takes place; None if that is gone, or hidden from the bot."""
        try:
            channel = self.bot.get_channel(poll.channel_id) or await self.bot.fetch_channel(poll.channel_id)
        except (discord.NotFound, discord.Forbidden):
            return None
        return channel if isinstance(channel, Place) else None

    async def _posted(self, channel: Place, poll: PollState) -> discord.Message | None:
        title = words.poll_title(poll.id)
        me = channel.guild.me.id
        return await find_own(channel, me, lambda message: any(one.title == title for one in message.embeds))

    async def _announced(self, channel: Place, after: int, result: str) -> discord.Message | None:
        me = channel.guild.me.id
        return await find_own(channel, me, lambda message: message.content == result, after)


def _ballots(poll: PollState) -> View:
    """One button per design."""
    style = discord.ButtonStyle.primary
    return view(
        *(
            button("ballot", poll.id, code, label=f"{number} · {code}", style=style, disabled=poll.closed)
            for number, code in enumerate(poll.codes, 1)
        )
    )
