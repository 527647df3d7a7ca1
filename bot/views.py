"""Buttons and lists. A button's whole state is in its custom id, so it works after any restart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import discord
from discord.ui import Button, DynamicItem, Select, View

from bot import words
from bot.client import BagBot, told
from bot.codes import CODE_PATTERN
from bot.store.rounds import OpenRound
from bot.store.votes import Tally

if TYPE_CHECKING:
    from bot.cogs import Bag


def _bag(interaction: discord.Interaction[BagBot]) -> Bag:
    return cast("Bag", interaction.client.get_cog("Bag"))


class VoteButton(DynamicItem[Button[Any]], template=rf"bag:(?P<way>up|down):(?P<code>{CODE_PATTERN})"):
    """👍 or 👎 with its count."""

    def __init__(self, way: str, code: str, count: int = 0) -> None:
        self.value = 1 if way == "up" else -1
        self.code = code
        emoji = words.UP if way == "up" else words.DOWN
        super().__init__(Button(emoji=emoji, label=str(count), custom_id=f"bag:{way}:{code}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> VoteButton:
        return cls(match["way"], match["code"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Count the vote."""
        await told(interaction, lambda: _bag(interaction).on_vote(interaction, self.code, self.value))


class AgainButton(DynamicItem[Button[Any]], template=r"bag:again"):
    """🎲: another bag."""

    def __init__(self) -> None:
        super().__init__(Button(emoji=words.AGAIN, label="another", custom_id="bag:again"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> AgainButton:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Dream another bag."""
        await told(interaction, lambda: _bag(interaction).on_again(interaction))


class SaveButton(DynamicItem[Button[Any]], template=rf"bag:save:(?P<code>{CODE_PATTERN})"):
    """💾: make the design a favorite."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(Button(emoji=words.SAVE, label="save", custom_id=f"bag:save:{code}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> SaveButton:
        return cls(match["code"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Save the design."""
        await told(interaction, lambda: _bag(interaction).on_save(interaction, self.code))


class PickSelect(DynamicItem[Select[Any]], template=r"bag:pick"):
    """The list under a grid: its options are the codes, so it needs no other state."""

    def __init__(self, codes: Sequence[str] = ()) -> None:
        super().__init__(
            Select(
                custom_id="bag:pick",
                placeholder=words.PICK,
                options=[
                    discord.SelectOption(label=f"{number} · {code}", value=code)
                    for number, code in enumerate(codes, 1)
                ],
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> PickSelect:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the picked design by itself."""
        # Read from the interaction: this object was made anew and has seen no choice.
        picked = cast("Any", interaction.data)["values"][0]
        await told(interaction, lambda: _bag(interaction).on_pick(interaction, picked))


class BallotButton(
    DynamicItem[Button[Any]], template=rf"bag:ballot:(?P<round>[0-9]{{1,18}}):(?P<code>{CODE_PATTERN})"
):
    """One choice of a vote between designs."""

    def __init__(self, round_id: int, code: str, number: int = 0, closed: bool = False) -> None:
        self.round_id = round_id
        self.code = code
        super().__init__(
            Button(
                style=discord.ButtonStyle.primary,
                label=f"{number} · {code}",
                custom_id=f"bag:ballot:{round_id}:{code}",
                disabled=closed,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> BallotButton:
        return cls(int(match["round"]), match["code"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Count the choice."""
        await told(interaction, lambda: _bag(interaction).on_ballot(interaction, self.round_id, self.code))


class PageButton(
    DynamicItem[Button[Any]], template=r"bag:favorites:(?P<user>[0-9]{1,20}):(?P<page>[0-9]{1,6})"
):
    """Another page of favorites; user 0 means everybody's."""

    def __init__(self, user_id: int, page: int, label: str = "", disabled: bool = False) -> None:
        self.user_id = user_id
        self.page = page
        super().__init__(
            Button(label=label or "·", custom_id=f"bag:favorites:{user_id}:{page}", disabled=disabled)
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> PageButton:
        return cls(int(match["user"]), int(match["page"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Turn the page in place."""
        await told(interaction, lambda: _bag(interaction).on_page(interaction, self.user_id, self.page))


ITEMS = (VoteButton, AgainButton, SaveButton, PickSelect, BallotButton, PageButton)


def design_view(code: str, tally: Tally) -> View:
    """👍 👎 🎲 💾 under a design."""
    view = View(timeout=None)
    view.add_item(VoteButton("up", code, tally.up))
    view.add_item(VoteButton("down", code, tally.down))
    view.add_item(AgainButton())
    view.add_item(SaveButton(code))
    return view


def pick_view(codes: Sequence[str]) -> View:
    """The list under a grid."""
    view = View(timeout=None)
    view.add_item(PickSelect(codes))
    return view


def round_view(vote: OpenRound, closed: bool) -> View:
    """One button a design of a vote."""
    view = View(timeout=None)
    for number, code in enumerate(vote.codes, 1):
        view.add_item(BallotButton(vote.id, code, number, closed))
    return view


def pages_view(user_id: int, page: int, pages: int, codes: Sequence[str]) -> View:
    """The list of a page of favorites and, if there are more, the way to its neighbors."""
    view = pick_view(codes)
    if pages > 1:
        view.add_item(PageButton(user_id, max(page - 1, 0), "◀", disabled=page == 0))
        view.add_item(PageButton(user_id, min(page + 1, pages - 1), "▶", disabled=page == pages - 1))
    return view
