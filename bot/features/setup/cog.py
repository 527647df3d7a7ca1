"""`!bag setup`: where and when the bot posts in a server, and what it lacks; for admins."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, TypedDict, cast

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client import permissions
from bot.client.bot import Context, Interaction, channel_name, named_channel
from bot.client.controls import control
from bot.client.replies import dress
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.feature import Feature
from bot.features.setup import times
from bot.features.setup.panel import SETUP_FORM, SetupModal, setup_view
from bot.guilds import BY_VOTES, OFF
from gan.seeds import SEEDS

VOTES = range(1, 1001)


class Panel(TypedDict):
    """What `send` and `edit_message` take."""

    embed: discord.Embed
    view: discord.ui.View


class SetupCog(Feature):
    """Lets a server's admins choose where and when the bot posts there, and see what it lacks."""

    @commands.hybrid_command(name="setup")
    @commands.has_guild_permissions(manage_guild=True)
    @app_commands.describe(what="What to set; leave it out to see how things stand", value="Its new value")
    @app_commands.choices(
        what=[app_commands.Choice(name=text, value=key) for key, text in words.SETUP_KEYS.items()]
    )
    async def setup(self, context: Context, what: str = "", *, value: str = "") -> None:
        """Where and when I post, and what I lack: `!bag setup`, `!bag setup zone Europe/Paris`."""
        guild = _guild(context)
        if what:
            await self.guilds.set_up(guild.id, **await self._read(guild, what.lower(), value))
        await context.send(**await self._panel(guild), ephemeral=True)

    @setup.autocomplete("value")
    async def _suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        match getattr(interaction.namespace, "what", None):
            case "channel" | "hall":
                channels = interaction.guild.text_channels if interaction.guild else []
                found = {f"#{channel.name}": f"<#{channel.id}>" for channel in channels} | {"none": "none"}
            case "zone":
                found = {name: name for name in await asyncio.to_thread(times.near, current, 25)}
                return [app_commands.Choice(name=name, value=name) for name in found]
            case "hour":
                found = {name: name for name in ["never", *(f"{hour:02d}:00" for hour in range(24))]}
            case "best":
                found = {f"{day} 18:00": f"{day} 18:00" for day in times.DAYS} | {"never": "never"}
            case "theme":
                others = [name for name in (BY_VOTES, "none") if name.startswith(current.lower())]
                choices = [app_commands.Choice(name=name, value=name) for name in others]
                return [*choices, *await autocomplete.words(interaction, current)][:25]
            case "votes":
                found = {str(votes): str(votes) for votes in range(1, 26)}
            case _:
                found = {}
        wanted = current.lower()
        fitting = [(name, value) for name, value in found.items() if wanted in name.lower()]
        return [app_commands.Choice(name=name[:100], value=value) for name, value in fitting[:25]]

    @control("setup")
    async def on_setup(self, interaction: Interaction, what: str, value: str = "") -> None:
        """A choice made in the panel; the panel then shows how things stand."""
        guild = self._admins(interaction)
        if what in ("channel", "hall") and not value:
            value = "none"
        if what == "more":
            await interaction.response.send_modal(SetupModal(self.guilds.rules(guild.id)))
            return
        if what != "look":
            await self.guilds.set_up(guild.id, **await self._read(guild, what, value))
        await interaction.response.edit_message(**await self._dressed_panel(interaction, guild))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """The form, submitted. Everything is read from the interaction, so that a restart does not matter."""
        data = cast("dict[str, Any]", interaction.data or {})
        if interaction.type is not discord.InteractionType.modal_submit or data["custom_id"] != SETUP_FORM:
            return
        filled = {
            field["component"]["custom_id"]: field["component"]["value"] for field in data["components"]
        }

        async def change() -> None:
            guild = self._admins(interaction)
            changes: dict[str, int | str | None] = {}
            for what, value in filled.items():
                changes |= await self._read(guild, what, value)
            await self.guilds.set_up(guild.id, **changes)
            await interaction.response.edit_message(**await self._dressed_panel(interaction, guild))

        await self.bot.serve(interaction, change)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """In a new server without a usable home channel, say once how to choose one."""
        await self._keep_channels(guild)
        home = self.bot.home(guild)
        if home is not None and not permissions.lacking_in(home, guild.me, permissions.SHOW):
            return
        first = [guild.system_channel] if guild.system_channel else []
        for channel in (*first, *guild.text_channels):
            if not permissions.lacking_in(channel, guild.me, ("view_channel", "send_messages")):
                hello = words.hello(channel_name(self.guilds.rules(guild.id).channel))
                await channel.send(words.typed(hello, self.settings.prefix))
                return

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Note which channels have the names in config.toml: from then on they may be renamed."""
        for guild in self.bot.guilds:
            await self._keep_channels(guild)

    @commands.Cog.listener()
    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """It may be the one that was missing."""
        await self._keep_channels(channel.guild)

    @commands.Cog.listener()
    async def on_guild_channel_update(self, _: object, channel: discord.abc.GuildChannel) -> None:
        """It may have been given the name, or been made visible."""
        await self._keep_channels(channel.guild)

    @commands.Cog.listener("on_guild_available")
    async def _keep_channels(self, guild: discord.Guild) -> None:
        for name in (self.settings.channel, self.settings.hall):
            kept = self.guilds.kept(guild.id, name)
            found = named_channel(guild.text_channels, name, guild.me, kept)
            if found is not None:
                await self.guilds.keep(guild.id, name, found.id)

    def _admins(self, interaction: Interaction) -> discord.Guild:
        if not interaction.permissions.manage_guild:
            raise Refusal(words.ADMINS_ONLY)
        return _guild(interaction)

    async def _read(self, guild: discord.Guild, what: str, value: str) -> dict[str, int | str | None]:
        """The settings that somebody's words mean, by GuildSettings' columns. Raises Refusal."""
        value = value.strip()
        try:
            match what:
                case "channel":
                    return {"channel_id": _channel(guild, value)}
                case "hall":
                    return {"hall_id": _channel(guild, value)}
                case "zone":
                    return {"timezone": await asyncio.to_thread(times.zone, value)}
                case "hour":
                    return {"dream_at": times.daily(value)}
                case "theme":
                    return {"theme": await self._theme(value)}
                case "best":
                    return {"best_at": times.weekly(value)}
                case "votes":
                    if not (value.isascii() and value.isdigit() and len(value) < 9 and int(value) in VOTES):
                        raise ValueError(value)
                    return {"favorite_votes": int(value)}
                case "reset":
                    for name in (self.settings.channel, self.settings.hall):
                        await self.guilds.keep(guild.id, name, None)
                    await self._keep_channels(guild)
                    return dict.fromkeys(
                        (
                            "channel_id",
                            "hall_id",
                            "timezone",
                            "dream_at",
                            "best_at",
                            "favorite_votes",
                            "theme",
                        )
                    )
        except ValueError as error:
            meant = await asyncio.to_thread(times.near, value, 3) if what == "zone" else []
            raise Refusal(words.setup_refused(what, value, meant)) from error
        raise Refusal(words.setup_unknown(what))

    async def _theme(self, said: str) -> str | None:
        """A theme as the settings have it. Raises Refusal for unknown words, ValueError if it says none."""
        if said.lower() in (*times.NEVER, BY_VOTES):
            return BY_VOTES if said.lower() == BY_VOTES else None
        model = await self.studio.current()
        if not (wanted := model.understand(said)):
            raise ValueError(said)
        return model.code(SEEDS - 1, wanted).words  # with the longest seed, since a code has a limit

    async def _dressed_panel(self, interaction: Interaction, guild: discord.Guild) -> dict[str, Any]:
        """The panel, for the message of it that somebody used; a slash command may have asked for it."""
        by_slash = interaction.message is not None and interaction.message.interaction_metadata is not None
        return dress({**await self._panel(guild)}, self.settings.prefix, by_slash)

    async def _panel(self, guild: discord.Guild) -> Panel:
        rules = self.guilds.rules(guild.id)
        home, hall = self.bot.home(guild), self.bot.hall(guild)
        embed = discord.Embed(title=words.SETUP_TITLE, description=words.SETUP_INTRO)
        embed.add_field(name=words.SETUP_KEYS["channel"], value=words.home_channel(home and home.id))
        embed.add_field(name=words.SETUP_KEYS["hall"], value=words.hall_channel(hall and hall.id))
        embed.add_field(name=words.SETUP_KEYS["votes"], value=words.threshold(rules.favorite_votes))
        now = self.now().astimezone(rules.zone)
        embed.add_field(
            name=words.SETUP_KEYS["zone"], value=words.local_time(times.shown_zone(rules.timezone), now)
        )
        embed.add_field(name=words.SETUP_KEYS["hour"], value=times.spoken(rules.dream_at))
        embed.add_field(name=words.SETUP_KEYS["theme"], value=await self._shown_theme(rules.theme))
        embed.add_field(name=words.SETUP_KEYS["best"], value=times.spoken(rules.best_at))
        lacks = {
            channel.id: permissions.lacking_in(channel, guild.me, needed)
            for channel, needed in ((hall, permissions.SHOW), (home, permissions.HOME))
            if channel is not None
        }
        embed.add_field(
            name=words.SETUP_LACKS,
            value=words.setup_lacks(
                home is not None, {channel: names for channel, names in lacks.items() if names}
            ),
            inline=False,
        )
        return Panel(embed=embed, view=setup_view(home, hall, rules.dream_at))

    async def _shown_theme(self, theme: str) -> str:
        if not theme or theme == BY_VOTES:
            return words.theme((), (), by_votes=bool(theme))
        with contextlib.suppress(Refusal):
            said = (await self.studio.current()).recognize(theme)
            return words.theme(said.words, said.unknown, by_votes=False)
        return words.theme((theme,), (), by_votes=False)


def _guild(place: Context | Interaction) -> discord.Guild:
    if place.guild is None:
        raise Refusal(words.SERVER_ONLY)
    return place.guild


def _channel(guild: discord.Guild, said: str) -> int:
    """The id of the text channel that was named by mention, id or name; OFF for none. Raises ValueError."""
    if said.lower() in times.NEVER:
        return OFF
    channel = named_channel(guild.text_channels, said, guild.me, None)
    if channel is None:
        raise ValueError(said)
    return channel.id
