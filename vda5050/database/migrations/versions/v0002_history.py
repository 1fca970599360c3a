"""History: messages, what they name, who writes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_IS_RARE = sa.text("topic >= 3")


def upgrade() -> None:
    """Make the tables of `history`."""
    op.create_table(
        "messages",
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column("stream_offset", _BIG, nullable=False),
        sa.Column("robot_id", sa.Integer, nullable=False),
        sa.Column("epoch_id", sa.Integer, nullable=False),
        sa.Column("dictionary_id", sa.Integer, nullable=False),
        sa.Column("topic", sa.SmallInteger, nullable=False),
        sa.Column("is_retained", sa.Boolean, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("messages_of_robot", "messages", ["robot_id", "topic", "id"])
    op.create_index("messages_rare", "messages", ["topic", "id"], sqlite_where=_IS_RARE, postgresql_where=_IS_RARE)
    op.create_table(
        "robots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("interface", sa.Text, nullable=False),
        sa.Column("major_version", sa.Text, nullable=False),
        sa.Column("manufacturer", sa.Text, nullable=False),
        sa.Column("serial_number", sa.Text, nullable=False),
        sa.UniqueConstraint("interface", "major_version", "manufacturer", "serial_number", name="uq_robots_address"),
    )
    op.create_table(
        "epochs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.UniqueConstraint("epoch", name="uq_epochs_epoch"),
    )
    op.create_table(
        "dictionaries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("topic", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "history_writer",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO history_writer (id, owner, until) VALUES (1, '', 0)")
    if op.get_bind().dialect.name == "postgresql":
        # A payload is compressed already, and is never long enough to be kept elsewhere for its row's sake.
        op.execute("ALTER TABLE messages ALTER COLUMN payload SET STORAGE EXTERNAL")
