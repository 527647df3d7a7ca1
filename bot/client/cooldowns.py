"""Cooldowns: how often one person, and one server, may ask, so that nobody keeps the others waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from discord.ext.commands import Cooldown, CooldownMapping

from bot import words
from bot.errors import Refusal, Repeated
from bot.settings import Settings

MINUTE = 60.0


class Cooldowns:
    """Counts requests, in memory: a restart forgives."""

    def __init__(self, settings: Settings) -> None:
        self._person = _by(lambda asked: asked.person, 1, settings.cooldown_seconds)
        self._server = _by(lambda asked: asked.server, settings.server_per_minute, MINUTE)
        self._told: dict[int, float] = {}
        """By person, until when they have been told to wait, in seconds since 1970."""

    def spend(self, person: int, server: int, at: datetime) -> None:
        """Count one command, or one button that makes work, of a person in a server (0 in private messages).

        Raises Refusal with how long to wait, and Repeated until that time is over.
        """
        asked = _Asked(person, server)
        now = at.timestamp()
        for mapping, refuse in ((self._person, words.cooldown), (self._server, words.server_limit)):
            bucket = mapping and mapping.get_bucket(asked, now)
            wait = bucket and bucket.update_rate_limit(now)
            if wait:
                kind = Repeated if self._told.get(person, now) > now else Refusal
                if kind is Refusal:
                    self._told = {who: until for who, until in self._told.items() if until > now}
                    self._told[person] = now + wait
                raise kind(refuse(wait))


class _Asked:
    def __init__(self, person: int, server: int) -> None:
        self.person = person
        self.server = server or person


def _by(key: Callable[[_Asked], int], times: int, seconds: float) -> CooldownMapping[Any] | None:
    return CooldownMapping(Cooldown(times, seconds), key) if times and seconds else None
