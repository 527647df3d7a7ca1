"""The dream bag of the day: each server gets one post a local day, late rather than never, never two."""

from __future__ import annotations

import logging
from datetime import date, datetime

import discord

from bot import codes, words
from bot.client import BagBot
from bot.cogs.feature import Feature
from bot.errors import Refusal
from bot.herald import Herald
from bot.settings import Settings, cron_trigger
from bot.store.store import Store
from bot.studio import Studio

KIND = "dream"
LOOK_BACK = 50
log = logging.getLogger(__name__)


class DailyDream:
    """Posts the dream bag of the day."""

    def __init__(self, herald: Herald, store: Store, studio: Studio, settings: Settings) -> None:
        self._herald = herald
        self._store = store
        self._studio = studio
        self._settings = settings

    def due(self, now: datetime) -> bool:
        """Whether the hour of today's post has come (`now` is in the settings' time zone)."""
        if not self._settings.dream_at:
            return False
        trigger = cron_trigger(self._settings.dream_at, self._settings.zone)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = trigger.get_next_fire_time(None, midnight)
        return first is not None and first <= now

    async def catch_up(self) -> None:
        """Post what a restart or a sleep has missed today; nothing if it is not yet time."""
        now = datetime.now(self._settings.zone)
        if self.due(now):
            await self.post(now.date())

    async def post(self, day: date) -> None:
        """Post the dream bag of a day in every home channel that has not had it."""
        bot = self._herald.bot
        if bot is None:
            return
        for channel in self._herald.homes():
            try:
                await self._post(bot, channel, day)
            except Refusal as refusal:
                log.warning("no dream bag for %s yet: %s", channel.guild, refusal)
            except discord.HTTPException:
                log.exception("could not post the dream bag in %s", channel.guild)

    async def _post(self, bot: BagBot, channel: discord.TextChannel, day: date) -> None:
        model = await self._studio.current()
        fresh = codes.fresh(model.version)
        claimed = await self._store.claim_post(channel.guild.id, KIND, day, str(fresh))
        if claimed is not None:
            if claimed.message_id is not None:
                return
            # Claimed, and then a crash: it may have been posted or not. The channel knows.
            fresh = codes.parse(claimed.code, model.version)
            found = await self._find(channel, str(fresh))
            if found is not None:
                await self._store.complete_post(channel.guild.id, KIND, day, found.id)
                return
        message = await Feature(bot).design(fresh, channel.guild.id, None)
        sent = await channel.send(f"**{words.daily_title(f'{day:%A, %-d %B}')}**", **message)
        await self._store.complete_post(channel.guild.id, KIND, day, sent.id)

    async def _find(self, channel: discord.TextChannel, code: str) -> discord.Message | None:
        title = words.design_title(code)
        async for message in channel.history(limit=LOOK_BACK):
            if message.author == channel.guild.me and any(embed.title == title for embed in message.embeds):
                return message
        return None
