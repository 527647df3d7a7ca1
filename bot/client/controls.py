"""Buttons and lists: `bag:ACTION:ARGUMENT:…`. The custom id is the whole state, so they outlive any restart."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

import discord
from discord.ui import Button, DynamicItem, Item, Select, View

Handler = Callable[..., Awaitable[None]]
"""Of an action: takes the interaction, the custom id's arguments, and what was chosen in a list."""
H = TypeVar("H", bound=Handler)


class Host(Protocol):
    """The client, to which every use of a control comes."""

    async def use(self, interaction: discord.Interaction[Any], action: str, arguments: Sequence[str]) -> None:
        """Do what a control stands for."""


def control(*actions: str) -> Callable[[H], H]:
    """Mark a feature's method as the handler of the controls of these actions."""

    def mark(method: H) -> H:
        method.__control__ = actions  # type: ignore[attr-defined]
        return method

    return mark


class Control(DynamicItem[Item[Any]], template=r"bag:[a-z]+(?::.+)?"):
    """Any button or list of ours."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Item[Any], match: re.Match[str]
    ) -> Control:
        """The control that was used."""
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand it to the client."""
        _, action, *arguments = self.custom_id.split(":")
        chosen = cast("dict[str, Any]", interaction.data or {}).get("values", [])
        await cast("Host", interaction.client).use(interaction, action, [*arguments, *chosen])


def button(action: str, *arguments: object, **options: Any) -> Control:
    """A button; `options` as discord.ui.Button takes them."""
    return Control(Button(custom_id=":".join(("bag", action, *map(str, arguments))), **options))


def choice(item: Select[Any] | Any) -> Control:
    """A list whose custom id names its action."""
    return Control(item)


def view(*controls: Control) -> View:
    """Controls under a message, for ever."""
    made = View(timeout=None)
    for each in controls:
        made.add_item(each)
    return made
