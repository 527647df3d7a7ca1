"""Privacy in the store: deleting what is known about a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, or_, update

from bot.store.favorites import Favorites
from bot.store.models import NOWHERE, Design, Favorite, Score


@dataclass(frozen=True)
class Forgotten:
    """How much was deleted about a person."""

    votes: int
    designs: int
    favorites: Sequence[tuple[int, str]]
    """Guild and code of each."""


class Privacy(Favorites):
    """Forgetting people."""

    async def forget(self, user_id: int) -> Forgotten:
        """Delete a person's votes, ballots and favorites in all guilds, and their id on designs."""
        return await self.write(lambda connection: self._forget_all(connection, user_id))

    def _forget_all(self, connection: Connection, user_id: int) -> Forgotten:
        votes = self._forget(connection, user_id)
        alone = -user_id  # the key of their direct messages, which would name them too
        favorites = connection.execute(
            delete(Favorite)
            .where(or_(Favorite.user_id == user_id, Favorite.guild_id == alone))
            .returning(Favorite.guild_id, Favorite.code)
        )
        kept = [(guild_id, code) for guild_id, code in favorites]
        connection.execute(delete(Score).where(Score.guild_id == alone))
        asked = update(Design).where(Design.user_id == user_id).values(user_id=None)
        designs = connection.execute(asked).rowcount
        connection.execute(update(Design).where(Design.guild_id == alone).values(guild_id=NOWHERE))
        return Forgotten(votes, designs, kept)
