"""The panel of `!bag setup`: its lists, its buttons and its form."""

from __future__ import annotations

from typing import Any

import discord
from discord.ui import View

from bot import words
from bot.client.controls import button, channel_select, select, view
from bot.features.setup import times
from bot.guilds import Rules

SETUP_FORM = "bag:setup:form"


class SetupModal(discord.ui.Modal, title=words.SETUP_TITLE):
    """The form for what is typed. The cog listens for its id, since this object is gone after a restart."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(custom_id=SETUP_FORM, timeout=3600)
        for what, value in (
            ("zone", times.shown_zone(rules.timezone)),
            ("best", times.clock(rules.best_at)),
            ("votes", str(rules.favorite_votes)),
        ):
            field = discord.ui.TextInput[Any](custom_id=what, default=value, max_length=64)
            self.add_item(discord.ui.Label(text=words.SETUP_KEYS[what], component=field))


def setup_view(home: discord.TextChannel | None, hall: discord.TextChannel | None, dream_at: str) -> View:
    """What can be chosen under the state of the setup; `dream_at` is a cron expression."""
    channels = (
        channel_select(
            "setup",
            what,
            placeholder=placeholder,
            channel_types=[discord.ChannelType.text, discord.ChannelType.news],
            min_values=0,
            default_values=[chosen] if chosen else [],
        )
        for what, placeholder, chosen in (
            ("channel", words.SETUP_HOME, home),
            ("hall", words.SETUP_HALL, hall),
        )
    )
    now = times.clock(dream_at)
    hours = [
        discord.SelectOption(label=words.setup_hour(time), value=time, default=time == now)
        for time in ("never", *(f"{hour:02d}:00" for hour in range(24)))
    ]
    labels = {"more": words.SETUP_MORE, "look": words.SETUP_LOOK, "reset": words.SETUP_RESET}
    return view(
        *channels,
        select("setup", "hour", placeholder=words.SETUP_HOUR, options=hours),
        *(button("setup", what, label=label) for what, label in labels.items()),
    )
