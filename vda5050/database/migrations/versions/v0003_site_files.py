"""Layouts and floor plans that were uploaded."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of `site_maps`."""
    op.create_table(
        "site_files",
        sa.Column("map_id", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
