"""Overrides can be taken back: a row without points says that what was measured counts again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let points be missing. SQLite makes the table anew for it; rows stay."""
    with op.batch_alter_table("overrides") as table:
        table.alter_column("earned", existing_type=sa.Integer(), nullable=True)
