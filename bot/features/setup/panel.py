"""The panel of `!bag setup`, and the button of `!bag forget me`."""

from __future__ import annotations

from typing import Any

import discord
from discord.ui import ChannelSelect, Select, View

from bot import words
from bot.client.controls import button, choice, view
from bot.features.setup import times
from bot.guilds import Rules

SETUP_MODAL = "bag:setup:form"


class SetupModal(discord.ui.Modal, title=words.SETUP_TITLE):
    """What is typed and not chosen. Who listens for its id reads it: this object is gone after a restart."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(custom_id=SETUP_MODAL, timeout=3600)
        for what, value in (
            ("zone", rules.timezone),
            ("best", times.clock(rules.best_at)),
            ("votes", str(rules.favorite_votes)),
        ):
            field = discord.ui.TextInput[Any](custom_id=what, default=value, max_length=64)
            self.add_item(discord.ui.Label(text=words.SETUP_KEYS[what], component=field))


def setup_view(home: discord.TextChannel | None, hall: discord.TextChannel | None, dream_at: str) -> View:
    """What can be chosen under the state of the setup."""
    channels = (
        ChannelSelect[View](
            custom_id=f"bag:setup:{what}",
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
    hour = Select[View](
        custom_id="bag:setup:hour",
        placeholder=words.SETUP_HOUR,
        options=[
            discord.SelectOption(label=words.setup_hour(time), value=time, default=time == now)
            for time in ("never", *(f"{hour:02d}:00" for hour in range(24)))
        ],
    )
    labels = {"more": words.SETUP_MORE, "look": words.SETUP_LOOK, "reset": words.SETUP_RESET}
    return view(
        *map(choice, channels),
        choice(hour),
        *(button("setup", what, label=label) for what, label in labels.items()),
    )


def forget_view(user_id: int) -> View:
    """The button with which a person confirms that they want to be forgotten."""
    return view(button("forget", user_id, style=discord.ButtonStyle.danger, label=words.FORGET_BUTTON))
