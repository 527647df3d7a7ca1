"""Buttons and lists, `bag:ACTION:ARGUMENT:…`: the custom id is all their state, so they outlive restarts."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, cast

import discord
from discord.ui import Button, ChannelSelect, DynamicItem, Item, Select, View

Handler = Callable[..., Awaitable[None]]
"""Of an action: takes the interaction, the custom id's arguments and then what was chosen in a list."""
H = TypeVar("H", bound=Handler)
MAX_CUSTOM_ID = 100
"""Characters; Discord takes no more."""
log = logging.getLogger(__name__)


class Client(Protocol):
    """What a control needs of the client."""

    controls: dict[str, Handler]

    async def use(self, interaction: Any, action: str, arguments: Sequence[str]) -> None:
        """Run the handler of an action."""


def control(*actions: str) -> Callable[[H], H]:
    """Mark a feature's method as the handler of these actions."""

    def mark(method: H) -> H:
        method.__actions__ = actions  # type: ignore[attr-defined]  # functions take any attribute
        return method

    return mark


def handlers(feature: object) -> Iterator[tuple[str, Handler]]:
    """The actions that the methods of a feature are marked with, and those methods."""
    for name in dir(type(feature)):
        for action in getattr(getattr(type(feature), name), "__actions__", ()):
            yield action, getattr(feature, name)


class Control(DynamicItem[Item[Any]], template=r"bag:[a-z]+(?::.+)?"):
    """Any of the bot's buttons and lists, also on messages from before a restart."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Item[Any], match: re.Match[str]
    ) -> Control:
        """The control that somebody used."""
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand it to the client."""
        _, action, *arguments = self.custom_id.split(":")
        client = cast("Client", interaction.client)
        if action not in client.controls:
            log.warning("no feature handles %s", self.custom_id)
            return
        # The choice is read from the interaction: this object is a new one and has seen none.
        chosen = cast("dict[str, Any]", interaction.data or {}).get("values", [])
        await client.use(interaction, action, [*arguments, *chosen])


def button(action: str, *arguments: object, **options: Any) -> Control:
    """A button; `options` as discord.ui.Button takes them."""
    return Control(Button(custom_id=custom_id(action, *arguments), **options))


def select(action: str, *arguments: object, **options: Any) -> Control:
    """A list to choose from; `options` as discord.ui.Select takes them."""
    return Control(Select[View](custom_id=custom_id(action, *arguments), **options))


def channel_select(action: str, *arguments: object, **options: Any) -> Control:
    """A list of the server's channels; `options` as discord.ui.ChannelSelect takes them."""
    return Control(ChannelSelect[View](custom_id=custom_id(action, *arguments), **options))


def custom_id(action: str, *arguments: object) -> str:
    """`bag:up:k3f9x2-42`; at most MAX_CUSTOM_ID characters."""
    return ":".join(("bag", action, *map(str, arguments)))


def view(*controls: Control) -> View:
    """Controls under a message, for good."""
    made = View(timeout=None)
    for each in controls:
        made.add_item(each)
    return made
