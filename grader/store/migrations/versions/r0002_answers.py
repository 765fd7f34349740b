"""What each check gave, and the error band, beside each run: tables of thousands of runs need no more than that."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add two columns; runs from before have neither."""
    op.add_column("runs", sa.Column("answers", sa.Text(), server_default="{}", nullable=False))
    op.add_column("runs", sa.Column("band", sa.Float()))
