"""The store: every question the bot asks of its memory, one method each, one file a subject."""

from __future__ import annotations

from bot.store.designs import Designs
from bot.store.gallery import Galleries
from bot.store.guilds import Guilds
from bot.store.opinions import Tastes
from bot.store.polls import Rounds
from bot.store.posts import Posts
from bot.store.privacy import People


class Store(Designs, People, Rounds, Posts, Guilds, Tastes, Galleries):
    """Designs, votes, favorites, rounds, posts and guilds' settings behind one SQLAlchemy URL."""
