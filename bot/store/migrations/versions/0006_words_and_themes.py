"""Words of designs, from which taste is learned, and themes of daily bags."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; the words of old designs are noted when taste first needs them."""
    op.add_column("designs", sa.Column("words", sa.String(length=200), nullable=True))
    op.add_column("guild_settings", sa.Column("theme", sa.String(length=80), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("guild_settings", "theme")
    op.drop_column("designs", "words")
