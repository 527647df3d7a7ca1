"""People in the store: what is known of one, and how it is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, update

from bot.store.favorites import Favorites
from bot.store.models import Design, Favorite


@dataclass(frozen=True)
class Forgotten:
    """How much was known of a person."""

    votes: int
    favorites: int
    designs: int


class People(Favorites):
    """Who asks to be forgotten."""

    async def forget(self, user_id: int) -> Forgotten:
        """Delete a person's votes, ballots and favorites in all guilds, and their id on designs."""
        return await self.write(lambda connection: self._forget_all(connection, user_id))

    def _forget_all(self, connection: Connection, user_id: int) -> Forgotten:
        votes = self._forget(connection, user_id)
        favorites = connection.execute(delete(Favorite).where(Favorite.user_id == user_id))
        asked = update(Design).where(Design.user_id == user_id).values(user_id=None)
        return Forgotten(votes, favorites.rowcount, connection.execute(asked).rowcount)
