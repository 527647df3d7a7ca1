"""`!bag vote`, `!bag top` and 👍 👎: what the community likes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import discord
from discord import app_commands
from discord.ext import commands

from bot import codes, complete, words
from bot.client import Context, Interaction
from bot.codes import Code
from bot.cogs.dream import DreamCommands
from bot.cogs.favorites import FavoriteCommands
from bot.cogs.feature import guild_id
from bot.errors import Refusal
from bot.store.favorites import COMMUNITY
from bot.store.rounds import OpenRound
from bot.views import design_view, pick_view, round_view

TOP = 9


class VoteCommands(FavoriteCommands):
    """Voting."""

    @DreamCommands.bag.command(name="vote")
    @app_commands.describe(designs="two to four seeds or codes; nothing for four new bags")
    @app_commands.autocomplete(designs=complete.last_code)
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
        names = [str(code) for code in named]
        opened = OpenRound(
            await self.store.open_round(guild_id(context), context.channel.id, names, closes_at),
            guild_id(context),
            context.channel.id,
            None,
            tuple(names),
            closes_at,
            False,
            dict.fromkeys(names, 0),
        )
        embed, file = await self.numbered(names, words.ROUND_TITLE, words.round_text(opened.votes, closes_at))
        message = await context.send(embed=embed, file=file, view=round_view(opened, closed=False))
        await self.store.round_posted(opened.id, message.id)

    @DreamCommands.bag.command(name="top")
    @commands.guild_only()
    async def top(self, context: Context) -> None:
        """The bags you love most: `!bag top`."""
        best = await self.store.top(guild_id(context), TOP)
        if not best:
            raise Refusal(words.NO_TOP)
        names = [code for code, _ in best]
        await context.defer()
        notes = [words.tally(tally.up, tally.down) for _, tally in best]
        await context.send(**await self.grid(names, words.TOP_TITLE, words.listing(names, notes)))

    async def on_vote(self, interaction: Interaction, code: str, value: int) -> None:
        """👍 or 👎 pressed: count, show the count, and keep what reaches the threshold."""
        named = Code.of(code)
        model = await self.studio.model(named.version)
        # Known already, unless the store is younger than the message.
        await self.store.add_designs([named], model.epoch, guild_id(interaction), None)
        tally = await self.store.vote(code, interaction.user.id, guild_id(interaction), value)
        await interaction.response.edit_message(view=design_view(code, tally))
        if tally.score >= self.guilds.rules(guild_id(interaction)).favorite_votes and await self.keep(
            code, guild_id(interaction), COMMUNITY
        ):
            await interaction.followup.send(words.community_favorite(code, tally.up))

    async def on_ballot(self, interaction: Interaction, round_id: int, code: str) -> None:
        """A choice in a vote between designs: count it and show the standing."""
        vote = await self.store.cast(round_id, interaction.user.id, code)
        if vote is None or vote.closed or vote.closes_at <= datetime.now(UTC):
            raise Refusal(words.ROUND_OVER)
        embed = interaction.message.embeds[0] if interaction.message else discord.Embed()
        embed.description = words.round_text(vote.votes, vote.closes_at)
        # Sent back as it came, the picture would be attached a second time.
        embed.set_image(url="attachment://grid.png")
        await interaction.response.edit_message(embed=embed)

    async def close_due_rounds(self) -> None:
        """Close every vote whose deadline has passed, tell the tally and keep the winner."""
        for round_id in await self.store.due_rounds(datetime.now(UTC)):
            vote = await self.store.round(round_id)
            if vote is not None and await self.store.close_round(round_id):
                await self._announce(vote)

    async def _announce(self, vote: OpenRound) -> None:
        most = max(vote.votes.values())
        winners = [code for code, count in vote.votes.items() if count == most]
        if most and len(winners) == 1:
            await self.keep(winners[0], vote.guild_id, COMMUNITY)
        channel = self.bot.get_channel(vote.channel_id)
        if not isinstance(channel, discord.abc.Messageable):
            return
        message = None
        if vote.message_id is not None:
            try:
                message = await channel.fetch_message(vote.message_id)
                embed = message.embeds[0]
                embed.description = words.round_text(vote.votes, None)
                embed.set_image(url="attachment://grid.png")
                await message.edit(embed=embed, view=round_view(vote, closed=True))
            except discord.NotFound:
                message = None
        view = pick_view(winners) if most else discord.utils.MISSING
        result = words.round_result(winners, most)
        if message is not None:
            await message.reply(result, mention_author=False, view=view)
        else:
            await channel.send(result, view=view)
