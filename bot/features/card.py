"""What stands under messages."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord.ui import Select, View

from bot import words
from bot.client.controls import Control, button, choice, view
from bot.store.polls import OpenRound
from bot.store.votes import Tally


def _numbered(codes: Sequence[str]) -> list[discord.SelectOption]:
    numbers = {code: number for number, code in reversed(list(enumerate(codes, 1)))}
    return [
        discord.SelectOption(label=f"{numbers[code]} · {code}", value=code) for code in dict.fromkeys(codes)
    ]


def design_view(code: str, tally: Tally) -> View:
    """👍 👎 💾 🎲 🔀, 💞 under a design."""
    return view(
        button("up", code, emoji=words.UP, label=str(tally.up)),
        button("down", code, emoji=words.DOWN, label=str(tally.down)),
        button("save", code, emoji=words.SAVE, label="save"),
        button("again", emoji=words.AGAIN, label="another"),
        button("vary", code, emoji=words.VARY, label="vary"),
        button("mate", code, emoji=words.BREED, label="breed"),
    )


def pick_view(codes: Sequence[str]) -> View:
    """The list to pick from."""
    return view(pick(codes))


def pick(codes: Sequence[str]) -> Control:
    """The list to pick from."""
    return choice(Select(custom_id="bag:pick", placeholder=words.PICK, options=_numbered(codes)))


def grid_view(codes: Sequence[str]) -> View:
    """The lists under a grid: to pick one, and to breed two."""
    made = pick_view(codes)
    if len(set(codes)) > 1:
        two = Select[View](
            custom_id="bag:breed",
            placeholder=words.BREED_TWO,
            min_values=2,
            max_values=2,
            options=_numbered(codes),
        )
        made.add_item(choice(two))
    return made


def litter_view(codes: Sequence[str], parents: Sequence[str]) -> View:
    """The lists under variations or children, and the way to four more."""
    made = grid_view(codes)
    action, emoji = ("litter", words.BREED) if len(parents) == 2 else ("vary", words.VARY)
    made.add_item(button(action, *parents[:2], emoji=emoji, label="four more"))
    return made


def progress_view(run: str) -> View:
    """🔄 and 🎞️ under the progress of a run."""
    return view(
        button("progress", emoji=words.REFRESH, label="now"),
        button("timelapse", run, emoji=words.FILM, label="timelapse"),
    )


def mates_view(code: str, mates: Sequence[str]) -> View:
    """The list of designs to breed one with."""
    options = [discord.SelectOption(label=mate, value=mate) for mate in mates]
    return view(choice(Select(custom_id=f"bag:with:{code}", placeholder=words.BREED_WITH, options=options)))


def round_view(vote: OpenRound, closed: bool) -> View:
    """One button a design of a vote."""
    return view(
        *(
            button(
                "ballot",
                vote.id,
                code,
                label=f"{number} · {code}",
                disabled=closed,
                style=discord.ButtonStyle.primary,
            )
            for number, code in enumerate(vote.codes, 1)
        )
    )


def pages_view(user_id: int, page: int, pages: int, codes: Sequence[str]) -> View:
    """The list of a page of favorites and, if there are more, the way to its neighbors."""
    made = pick_view(codes)
    if pages > 1:
        made.add_item(button("favorites", user_id, max(page - 1, 0), label="◀", disabled=page == 0))
        made.add_item(
            button("favorites", user_id, min(page + 1, pages - 1), label="▶", disabled=page == pages - 1)
        )
    return made
