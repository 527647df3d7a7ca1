"""A store by itself."""

import pytest

from bot.store.store import Store


@pytest.fixture
async def store(tmp_path):
    """An empty store."""
    opened = Store(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")
    await opened.open()
    yield opened
    await opened.close()
