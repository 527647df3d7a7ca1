"""The benchmarks' crowd leaves a store like any other."""

from datetime import UTC, datetime

from sqlalchemy import text

from benchmarks.crowd import fill


async def test_its_scores_are_those_of_its_votes_in_every_period(store, tmp_path):
    query = text("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix%' ORDER BY name")
    async with store.engine.connect() as connection:
        indexes = list(await connection.scalars(query))
    fill(tmp_path / "bot.db", 100, 5)
    async with store.engine.connect() as connection:
        assert list(await connection.scalars(query)) == indexes
        rows = (await connection.execute(text("SELECT * FROM scores ORDER BY period, code"))).all()
    assert len(rows) == 300
    votes = "SELECT code, user_id, guild_id, value, voted_at FROM votes"
    async with store.engine.begin() as connection:
        cast = (await connection.execute(text(votes))).all()
        await connection.execute(text("DELETE FROM votes"))
        await connection.execute(text("DELETE FROM scores"))
    for code, user, guild, value, at in cast[::-1]:
        await store.vote(code, user, guild, value, datetime.fromisoformat(at).replace(tzinfo=UTC))
    async with store.engine.connect() as connection:
        again = (await connection.execute(text("SELECT * FROM scores ORDER BY period, code"))).all()
    assert again == rows
