"""The store: a method for every query, in one file per subject."""

from __future__ import annotations

from bot.store.copies import Copies
from bot.store.designs import Designs
from bot.store.gallery import Galleries
from bot.store.guilds import Guilds
from bot.store.opinions import Opinions
from bot.store.polls import Polls
from bot.store.posts import Posts
from bot.store.privacy import Privacy


class Store(Designs, Privacy, Polls, Posts, Guilds, Opinions, Galleries, Copies):
    """Designs, votes, favorites, polls, posts and guilds' settings behind one SQLAlchemy URL."""
