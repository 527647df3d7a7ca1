"""Codes with words: `k3f9x2-42-red-tote` is longer than a code was before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

CODE = 80
TABLES = ("designs", "votes", "scores", "favorites", "hall_posts", "posts", "ballots")


def upgrade() -> None:
    """Make room for them."""
    if op.get_bind().dialect.name == "sqlite":
        return  # which holds no text to a length
    for table in TABLES:
        op.alter_column(table, "code", type_=sa.String(CODE))
    for column in ("parent", "child"):
        op.alter_column("descent", column, type_=sa.String(CODE))
    op.alter_column("designs", "parents", type_=sa.String(2 * CODE + 1))
    op.alter_column("rounds", "codes", type_=sa.String(4 * CODE + 3))
