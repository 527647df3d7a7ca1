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


class VaryButton(DynamicItem[Button[Any]], template=rf"bag:vary:(?P<code>{CODE_PATTERN})"):
    """🔀: variations of the design."""

    def __init__(self, code: str, label: str = "vary") -> None:
        self.code = code
        super().__init__(Button(emoji=words.VARY, label=label, custom_id=f"bag:vary:{code}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> VaryButton:
        return cls(match["code"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Vary the design."""
        await told(interaction, lambda: _bag(interaction).on_vary(interaction, self.code))


class MateButton(DynamicItem[Button[Any]], template=rf"bag:mate:(?P<code>{CODE_PATTERN})"):
    """💞: choose a design to breed this one with."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(Button(emoji=words.BREED, label="breed", custom_id=f"bag:mate:{code}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> MateButton:
        return cls(match["code"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the person a list of mates."""
        await told(interaction, lambda: _bag(interaction).on_mates(interaction, self.code))


class LitterButton(
    DynamicItem[Button[Any]], template=rf"bag:litter:(?P<a>{CODE_PATTERN}):(?P<b>{CODE_PATTERN})"
):
    """💞: more children of the same two."""

    def __init__(self, a: str, b: str) -> None:
        self.parents = a, b
        super().__init__(Button(emoji=words.BREED, label="four more", custom_id=f"bag:litter:{a}:{b}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> LitterButton:
        return cls(match["a"], match["b"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Breed them again."""
        await told(interaction, lambda: _bag(interaction).on_breed(interaction, *self.parents))


class MateSelect(DynamicItem[Select[Any]], template=rf"bag:with:(?P<code>{CODE_PATTERN})"):
    """The private list under 💞: whom to breed the design with."""

    def __init__(self, code: str, mates: Sequence[str] = ()) -> None:
        self.code = code
        options = [discord.SelectOption(label=mate, value=mate) for mate in mates]
        super().__init__(Select(custom_id=f"bag:with:{code}", placeholder=words.BREED_WITH, options=options))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> MateSelect:
        return cls(match["code"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Breed the two."""
        (mate,) = _chosen(interaction)
        await told(interaction, lambda: _bag(interaction).on_breed(interaction, self.code, mate))


class BreedSelect(DynamicItem[Select[Any]], template=r"bag:breed"):
    """The second list under a grid: two of its designs to breed."""

    def __init__(self, codes: Sequence[str] = ()) -> None:
        super().__init__(
            Select(
                custom_id="bag:breed",
                placeholder=words.BREED_TWO,
                min_values=2,
                max_values=2,
                options=_numbered(codes),
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> BreedSelect:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Breed the two."""
        a, b = _chosen(interaction)
        await told(interaction, lambda: _bag(interaction).on_breed(interaction, a, b))


class PickSelect(DynamicItem[Select[Any]], template=r"bag:pick"):
    """The list under a grid: its options are the codes, so it needs no other state."""

    def __init__(self, codes: Sequence[str] = ()) -> None:
        super().__init__(Select(custom_id="bag:pick", placeholder=words.PICK, options=_numbered(codes)))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> PickSelect:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the picked design by itself."""
        (picked,) = _chosen(interaction)
        await told(interaction, lambda: _bag(interaction).on_pick(interaction, picked))


def _numbered(codes: Sequence[str]) -> list[discord.SelectOption]:
    numbers = {code: number for number, code in reversed(list(enumerate(codes, 1)))}
    return [
        discord.SelectOption(label=f"{numbers[code]} · {code}", value=code) for code in dict.fromkeys(codes)
    ]


def _chosen(interaction: discord.Interaction[Any]) -> list[str]:
    # Read from the interaction: the list was made anew and has seen no choice.
    return list(cast("Any", interaction.data)["values"])


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


class RefreshButton(DynamicItem[Button[Any]], template=r"bag:progress"):
    """🔄: the run as it is now."""

    def __init__(self) -> None:
        super().__init__(Button(emoji=words.REFRESH, label="now", custom_id="bag:progress"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> RefreshButton:
        return cls()

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring the message up to date."""
        await told(interaction, lambda: _bag(interaction).on_progress(interaction))


class TimelapseButton(DynamicItem[Button[Any]], template=r"bag:timelapse:(?P<run>[^/\\:]{1,64})"):
    """🎞️: a run's grids one after the other."""

    def __init__(self, run: str) -> None:
        self.run = run
        super().__init__(Button(emoji=words.FILM, label="timelapse", custom_id=f"bag:timelapse:{run}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str]
    ) -> TimelapseButton:
        return cls(match["run"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the timelapse so far."""
        await told(interaction, lambda: _bag(interaction).on_timelapse(interaction, self.run))


ITEMS = (
    VoteButton,
    AgainButton,
    SaveButton,
    VaryButton,
    MateButton,
    LitterButton,
    MateSelect,
    BreedSelect,
    PickSelect,
    BallotButton,
    PageButton,
    RefreshButton,
    TimelapseButton,
)


def design_view(code: str, tally: Tally) -> View:
    """👍 👎 💾 🎲 🔀, 💞 under a design."""
    view = View(timeout=None)
    view.add_item(VoteButton("up", code, tally.up))
    view.add_item(VoteButton("down", code, tally.down))
    view.add_item(SaveButton(code))
    view.add_item(AgainButton())
    view.add_item(VaryButton(code))
    view.add_item(MateButton(code))
    return view


def pick_view(codes: Sequence[str]) -> View:
    """The list to pick from."""
    view = View(timeout=None)
    view.add_item(PickSelect(codes))
    return view


def grid_view(codes: Sequence[str]) -> View:
    """The lists under a grid: to pick one, and to breed two."""
    view = pick_view(codes)
    if len(set(codes)) > 1:
        view.add_item(BreedSelect(codes))
    return view


def litter_view(codes: Sequence[str], parents: Sequence[str]) -> View:
    """The lists under variations or children, and the way to four more."""
    view = grid_view(codes)
    view.add_item(LitterButton(*parents) if len(parents) == 2 else VaryButton(parents[0], "four more"))
    return view


def progress_view(run: str) -> View:
    """🔄 and 🎞️ under the progress of a run."""
    view = View(timeout=None)
    view.add_item(RefreshButton())
    view.add_item(TimelapseButton(run))
    return view


def mates_view(code: str, mates: Sequence[str]) -> View:
    """The list of designs to breed one with."""
    view = View(timeout=None)
    view.add_item(MateSelect(code, mates))
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
