"""A store as after years of a busy server: any number of designs and votes, filled in by SQL."""

import sqlite3
from pathlib import Path

from bot.store.votes import lower_bound

GUILD = 4242
VERSION = "k3f9x2"
FIRST = 1_000_000  # seeds of as many digits each, so that codes sort like numbers and rows come in order


def fill(path: Path, designs: int, votes_each: int) -> int:
    """Add designs of one guild with votes and scores to an SQLite store with the schema; its size in bytes.

    Design i was voted on by `votes_each` people in week i modulo 100 of 2024 to 2025, six of ten for it.
    """
    connection = sqlite3.connect(path)
    connection.create_function("lower_bound", 2, lower_bound, deterministic=True)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('designs', 'votes', 'scores')"
    ).fetchall()
    for name, _ in indexes:  # all at once afterwards is many times faster
        connection.execute(f'DROP INDEX "{name}"')
    at = "datetime('2024-01-03 12:00', '+' || (7 * (n % 100)) || ' days') || '.000000'"
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)"
    connection.execute(
        f"INSERT INTO designs (code, version, seed, epoch, guild_id, user_id, created_at) {numbers} "
        f"SELECT '{VERSION}-' || ({FIRST} + n), '{VERSION}', {FIRST} + n, 100, {GUILD}, n % 500, {at} "
        "FROM numbers",
        [designs],
    )
    connection.execute(
        "INSERT INTO votes (code, user_id, guild_id, value, voted_at) "
        f"SELECT code, (seed * 31) % 100000 + {FIRST} + u.n, guild_id, "
        "CASE WHEN (seed * 7919 + u.n * 104729) % 10 < 6 THEN 1 ELSE -1 END, created_at "
        f"FROM designs CROSS JOIN ({numbers} SELECT n FROM numbers) AS u",
        [votes_each],
    )
    connection.execute(
        "CREATE TEMP TABLE counted AS SELECT code, min(voted_at) AS at, sum(value = 1) AS up, "
        "sum(value = -1) AS down FROM votes GROUP BY code"
    )
    # ISO weeks: the year and number of the week's Thursday, and all votes fall on a Wednesday.
    thursday = "date(at, '+1 day')"
    for period in (
        "''",
        "strftime('%Y-%m', at)",
        f"strftime('%Y', {thursday}) || '-W' || printf('%02d', (strftime('%j', {thursday}) + 6) / 7)",
    ):
        connection.execute(
            "INSERT INTO scores (guild_id, period, code, up, down, bound) "
            f"SELECT {GUILD}, {period}, code, up, down, lower_bound(up, down) FROM counted"
        )
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    return path.stat().st_size
