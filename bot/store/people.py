"""People in the store: what is known of one, and how it is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, update

from bot.store.favorites import Favorites
from bot.store.models import Ballot, Design, Favorite
from bot.store.rounds import Rounds


@dataclass(frozen=True)
class Forgotten:
    """How much was known of a person."""

    votes: int
    ballots: int
    favorites: int
    designs: int


class People(Favorites, Rounds):
    """Who asks to be forgotten."""

    async def forget(self, user_id: int) -> Forgotten:
        """Delete a person's votes, ballots and favorites in all guilds, and their id on designs."""
        votes = await self.forget_votes(user_id)
        async with self.engine.begin() as connection:
            ballots = await connection.execute(delete(Ballot).where(Ballot.user_id == user_id))
            favorites = await connection.execute(delete(Favorite).where(Favorite.user_id == user_id))
            designs = await connection.execute(
                update(Design).where(Design.user_id == user_id).values(user_id=None)
            )
        return Forgotten(votes, ballots.rowcount, favorites.rowcount, designs.rowcount)
