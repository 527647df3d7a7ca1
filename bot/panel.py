"""What an owner and a person settle: the panel of `!bag setup`, and the button of `!bag forget me`.

All of it works after any restart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import discord
from discord.ui import Button, ChannelSelect, DynamicItem, Select, View

from bot import when, words
from bot.client import BagBot, told
from bot.guilds import Rules

if TYPE_CHECKING:
    from bot.cogs import Bag

SETUP_MODAL = "bag:setup:form"


def _bag(interaction: discord.Interaction[BagBot]) -> Bag:
    return cast("Bag", interaction.client.get_cog("Bag"))


class SetupChannel(DynamicItem[ChannelSelect[Any]], template=r"bag:setup:(?P<what>channel|hall)"):
    """The home channel or the hall of fame, chosen from the server's."""

    def __init__(self, what: str, chosen: discord.TextChannel | None = None) -> None:
        self.what = what
        super().__init__(
            ChannelSelect(
                custom_id=f"bag:setup:{what}",
                placeholder=words.SETUP_HOME if what == "channel" else words.SETUP_HALL,
                channel_types=[discord.ChannelType.text, discord.ChannelType.news],
                min_values=0,
                default_values=[chosen] if chosen else [],
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> SetupChannel:
        return cls(match["what"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Take the choice; none means none."""
        chosen = next(iter(cast("Any", interaction.data)["values"]), "none")
        await told(interaction, lambda: _bag(interaction).on_setup(interaction, self.what, chosen))


class SetupHour(DynamicItem[Select[Any]], template=r"bag:setup:hour"):
    """The hour of the daily dream bag, or never."""

    def __init__(self, cron: str = "") -> None:
        now = when.clock(cron)
        super().__init__(
            Select(
                custom_id="bag:setup:hour",
                placeholder=words.SETUP_HOUR,
                options=[
                    discord.SelectOption(label=words.setup_hour(time), value=time, default=time == now)
                    for time in ("never", *(f"{hour:02d}:00" for hour in range(24)))
                ],
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> SetupHour:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Take the choice."""
        chosen = cast("Any", interaction.data)["values"][0]
        await told(interaction, lambda: _bag(interaction).on_setup(interaction, "hour", chosen))


class SetupButton(DynamicItem[Button[Any]], template=r"bag:setup:(?P<what>more|look|reset)"):
    """The rest as a form, a fresh look at what is missing, or the defaults."""

    def __init__(self, what: str) -> None:
        self.what = what
        label = {"more": words.SETUP_MORE, "look": words.SETUP_LOOK, "reset": words.SETUP_RESET}[what]
        super().__init__(Button(label=label, custom_id=f"bag:setup:{what}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> SetupButton:
        return cls(match["what"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do it."""
        await told(interaction, lambda: _bag(interaction).on_setup(interaction, self.what, ""))


class SetupModal(discord.ui.Modal, title=words.SETUP_TITLE):
    """What is typed and not chosen. Who listens for its id reads it: this object is gone after a restart."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(custom_id=SETUP_MODAL, timeout=3600)
        for what, value in (
            ("zone", rules.timezone),
            ("best", when.clock(rules.best_at)),
            ("votes", str(rules.favorite_votes)),
        ):
            field = discord.ui.TextInput[Any](custom_id=what, default=value, max_length=64)
            self.add_item(discord.ui.Label(text=words.SETUP_KEYS[what], component=field))


class ForgetButton(DynamicItem[Button[Any]], template=r"bag:forget:(?P<user>[0-9]{1,20})"):
    """Yes, forget me."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        super().__init__(
            Button(
                style=discord.ButtonStyle.danger,
                label=words.FORGET_BUTTON,
                custom_id=f"bag:forget:{user_id}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> ForgetButton:
        return cls(int(match["user"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Forget the person."""
        await told(interaction, lambda: _bag(interaction).on_forget(interaction, self.user_id))


ITEMS = (SetupChannel, SetupHour, SetupButton, ForgetButton)


def setup_view(home: discord.TextChannel | None, hall: discord.TextChannel | None, dream_at: str) -> View:
    """What can be chosen under the state of the setup."""
    view = View(timeout=None)
    view.add_item(SetupChannel("channel", home))
    view.add_item(SetupChannel("hall", hall))
    view.add_item(SetupHour(dream_at))
    for what in ("more", "look", "reset"):
        view.add_item(SetupButton(what))
    return view


def forget_view(user_id: int) -> View:
    """The button with which a person confirms that they want to be forgotten."""
    view = View(timeout=None)
    view.add_item(ForgetButton(user_id))
    return view
