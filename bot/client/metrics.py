"""Metrics: the outcome and duration of every command and button, logged and counted for Prometheus."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

import discord
from discord import app_commands
from discord.ext import commands
from prometheus_client import CollectorRegistry, Histogram

from bot.errors import Refusal

BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)
log = logging.getLogger(__name__)


class Metrics:
    """Sees every command and button, and nothing of what people write."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        """For Prometheus; see `health`."""
        self._seconds = Histogram(
            "bag_answer_seconds",
            "From a command or button reaching the bot to the end of its answer.",
            ["what", "outcome"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._began: WeakKeyDictionary[commands.Context[Any], float] = WeakKeyDictionary()

    def follow(self, bot: commands.AutoShardedBot) -> None:
        """See a client's commands; its buttons are seen by `button`."""
        bot.add_listener(self._on_command, "on_command")
        bot.add_listener(self._on_completion, "on_command_completion")
        bot.add_listener(self._on_error, "on_command_error")

    async def _on_command(self, context: commands.Context[Any]) -> None:
        self._began[context] = time.perf_counter()

    async def _on_completion(self, context: commands.Context[Any]) -> None:
        self._end(context, None)

    async def _on_error(self, context: commands.Context[Any], error: Exception) -> None:
        self._end(context, error)

    def _end(self, context: commands.Context[Any], error: Exception | None) -> None:
        began = self._began.pop(context, None)
        if context.command is not None and began is not None:
            how = "slash" if context.interaction else "prefix"
            self._note(context.command.qualified_name, how, context.author, context.guild, error, began)

    @contextmanager
    def button(self, interaction: discord.Interaction[Any]) -> Iterator[None]:
        """See what a button or list does; its errors pass."""
        # `bag:up:k3f9x2-42`: the second word is what it does, the rest is about what.
        data = cast("dict[str, Any]", interaction.data or {})
        custom_id = str(data.get("custom_id") or data.get("name", ""))  # a message's menu has only a name
        what = f"button {custom_id.removeprefix('bag:').partition(':')[0]}"
        began, failed = time.perf_counter(), None
        try:
            yield
        except Exception as error:
            failed = error
            raise
        finally:
            self._note(what, "button", interaction.user, interaction.guild, failed, began)

    def _note(
        self,
        what: str,
        how: str,
        who: discord.abc.User,
        guild: discord.Guild | None,
        error: Exception | None,
        began: float,
    ) -> None:
        seconds = time.perf_counter() - began
        outcome = "ok" if error is None else "refused" if _is_refusal(error) else "failed"
        self._seconds.labels(what, outcome).observe(seconds)
        seen = {
            "what": what,
            "how": how,
            "user": who.id,
            "guild": guild.id if guild else None,
            "outcome": outcome,
            "ms": round(1000 * seconds, 1),
        }
        log.info("%s of %s: %s in %.0f ms", what, who.id, outcome, 1000 * seconds, extra=seen)


def _is_refusal(error: BaseException) -> bool:
    while (original := getattr(error, "original", None)) is not None:
        error = original
    return isinstance(error, Refusal | commands.CommandError | app_commands.AppCommandError)
