"""`!bag help`: every command with an example, by topic, from the commands' own docstrings."""

from __future__ import annotations

import difflib
from itertools import groupby
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot import words
from bot.client.bot import Context, Interaction
from bot.errors import Refusal
from bot.features import autocomplete
from bot.features.feature import ALIKE, LONGEST_WORD, Feature

AnyCommand = commands.Command[Any, ..., Any]


class HelpCog(Feature):
    """Explains every command, by topic or one by one."""

    @commands.hybrid_command(name="help")
    @app_commands.describe(topic="a topic or a command; nothing for all of it")
    async def help_command(self, context: Context, *, topic: str | None = None) -> None:
        """Every command with an example, or all about one: `!bag help`, `!bag help grid`."""
        topics = self._topics()
        if topic is None:
            embed = discord.Embed(title=words.HELP_TITLE, description=words.HELP_INTRO)
            for name, members in topics.items():
                embed.add_field(name=name.capitalize(), value=_lines(name, members), inline=False)
            await context.send(embed=embed)
            return
        asked = " ".join(topic.lower().split())
        for mark in (self.settings.prefix.lower(), "/", "!"):
            asked = asked.removeprefix(f"{mark}bag").strip()
        embeds = []
        group: Any = self.bot.get_command("bag")
        command: AnyCommand | None = group if asked in ("", "bag") else group.get_command(asked)
        if command is not None:
            embeds.append(_about(command, typed=context.interaction is None))
        if asked in topics:
            embed = discord.Embed(title=words.HELP_TITLE)
            embed.add_field(name=asked.capitalize(), value=_lines(asked, topics[asked]), inline=False)
            embeds.append(embed)
        if not embeds:
            raise Refusal(words.unknown_topic(topic, list(topics), self._meant(asked, topics)))
        await context.send(embeds=embeds)

    def _meant(self, asked: str, topics: dict[str, list[AnyCommand]]) -> str | None:
        close = difflib.get_close_matches(asked[:LONGEST_WORD], topics, 1, ALIKE)
        return close[0] if close else self.nearest_command(asked)

    @help_command.autocomplete("topic")
    async def complete_topic(self, _: Interaction, typed: str) -> autocomplete.Choices:
        """Topics and commands that contain what was typed."""
        names = dict.fromkeys([*self._topics(), *(_short(command) for command in self._leaves())])
        found = [name for name in names if typed.strip().lower() in name]
        return [app_commands.Choice(name=name, value=name) for name in found[: autocomplete.MOST]]

    def _leaves(self) -> list[AnyCommand]:
        group: Any = self.bot.get_command("bag")
        below = [one for one in group.walk_commands() if not isinstance(one, commands.Group)]
        # discord.py keeps them in a set.
        return [group, *sorted(below, key=_short)]

    def _topics(self) -> dict[str, list[AnyCommand]]:
        """The commands of every topic, in the order of the words."""
        topics: dict[str, list[AnyCommand]] = {name: [] for name in words.HELP_TOPICS}
        home = {member: name for name, members in words.HELP_TOPICS.items() for member in members}
        for command in self._leaves():
            topics[home.get(_short(command), words.HELP_REST)].append(command)
        for name, members in words.HELP_TOPICS.items():
            order = {member: number for number, member in enumerate(members)}
            topics[name].sort(key=lambda command: order.get(_short(command), len(order)))
        return topics


def _short(command: AnyCommand) -> str:
    """The name as one types it after `!bag`; `bag` for that itself."""
    return command.qualified_name.removeprefix("bag ")


def _lines(topic: str, members: list[AnyCommand]) -> str:
    lines = [f"`{words.example(one.help)}` · {words.summary(one.help or '')}" for one in members]
    lines += [f"{button} · {text}" for button, text in words.HELP_BUTTONS.get(topic, {}).items()]
    return "\n".join(lines)


def _about(command: AnyCommand, typed: bool) -> discord.Embed:
    paragraphs = [" ".join(lines.split()) for lines in (command.help or "").split("\n\n")]
    if not typed:
        del paragraphs[1:]  # what there is to know about typing it
    embed = discord.Embed(title=f"!{command.qualified_name}", description="\n\n".join(paragraphs))
    slash = getattr(command, "app_command", None)
    if isinstance(command, commands.HybridGroup) and isinstance(slash, app_commands.Group):
        slash = slash.get_command(command.fallback or "")  # what the group does by itself
    if isinstance(slash, app_commands.Command) and slash.parameters:
        options = [
            f"{' '.join(f'`{one.display_name}`' for one in alike)} · {text}"
            for text, alike in groupby(slash.parameters, key=lambda one: str(one.description))
        ]
        embed.add_field(name=words.HELP_OPTIONS, value="\n".join(options), inline=False)
    if command.aliases and typed:
        names = ", ".join(f"`!bag {alias}`" for alias in command.aliases)
        embed.add_field(name=words.HELP_ALIASES, value=names, inline=False)
    return embed
