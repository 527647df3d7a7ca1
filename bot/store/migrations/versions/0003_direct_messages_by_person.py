"""Direct messages by person: they all had the guild id 0, so one person's showed another's favorites."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Z = 1.96


def upgrade() -> None:
    """Give rows from direct messages the negative id of their person; what has no person stays as it is."""
    for table in ("designs", "favorites", "votes"):
        op.execute(f"UPDATE {table} SET guild_id = -user_id WHERE guild_id = 0 AND user_id > 0")  # noqa: S608  # our names
    connection = op.get_bind()
    votes = sa.table(
        "votes",
        sa.column("code", sa.String),
        sa.column("guild_id", sa.BigInteger),
        sa.column("value", sa.BigInteger),
        sa.column("voted_at", sa.DateTime(timezone=True)),
    )
    scores = sa.table(
        "scores",
        *(sa.column(name) for name in ("guild_id", "period", "code", "up", "down", "bound")),
    )
    # Each of them was one person's only vote there, so each is a score of its own.
    alone = [
        {
            "guild_id": vote.guild_id,
            "period": period,
            "code": vote.code,
            "up": int(vote.value > 0),
            "down": int(vote.value < 0),
            "bound": 1 / (1 + Z**2) if vote.value > 0 else 0.0,
        }
        for vote in connection.execute(sa.select(votes).where(votes.c.guild_id < 0))
        for period in _periods(vote.voted_at)
    ]
    connection.execute(sa.delete(scores).where(scores.c.guild_id == 0))
    if alone:
        connection.execute(sa.insert(scores), alone)


def _periods(at: datetime) -> tuple[str, str, str]:
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return "", f"{at:%Y-%m}", f"{at:%G-W%V}"
