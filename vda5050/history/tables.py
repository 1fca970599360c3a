"""The tables of history (made by `database/migrations/versions/v0002_history.py`), and what their numbers mean.

A message's `id` is when it was received, in microseconds since 1970, made unique: the primary key is the order of time,
and no further column or index for the time is needed. Texts that repeat are rows elsewhere, named by small numbers. No
foreign keys: one writer sees to it that what a message names is there (`store`), and a check for each row costs.

`messages_of_robot` finds one robot's stretch, and what each said last; `messages_rare` an order among ten million
states.
"""

import sqlalchemy as sa

from vda5050.database import METADATA

TOPIC_CODES = {
    "state": 1,
    "visualization": 2,
    "order": 3,
    "instantActions": 4,
    "connection": 5,
    "factsheet": 6,
    "zoneSet": 7,
    "responses": 8,
}
"""By the names of `topics.TOPICS`. Stored: never change or reuse one."""
TOPIC_NAMES = {code: name for name, code in TOPIC_CODES.items()}
RARE_FROM = 3
"""Topics from this code on are sent now and then, not all the time."""

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER becomes SQLite's own row number

MESSAGES = sa.Table(
    "messages",
    METADATA,
    # In this order PostgreSQL needs no padding between the columns.
    sa.Column("id", _BIG, primary_key=True, autoincrement=False),
    sa.Column("stream_offset", _BIG, nullable=False),
    sa.Column("robot_id", sa.Integer, nullable=False),
    sa.Column("epoch_id", sa.Integer, nullable=False),
    sa.Column("dictionary_id", sa.Integer, nullable=False),
    sa.Column("topic", sa.SmallInteger, nullable=False),
    sa.Column("is_retained", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
sa.Index("messages_of_robot", MESSAGES.c.robot_id, MESSAGES.c.topic, MESSAGES.c.id)
_IS_RARE = sa.text(f"topic >= {RARE_FROM}")
sa.Index("messages_rare", MESSAGES.c.topic, MESSAGES.c.id, sqlite_where=_IS_RARE, postgresql_where=_IS_RARE)

ROBOTS = sa.Table(
    "robots",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("interface", sa.Text, nullable=False),
    sa.Column("major_version", sa.Text, nullable=False),
    sa.Column("manufacturer", sa.Text, nullable=False),
    sa.Column("serial_number", sa.Text, nullable=False),
    sa.UniqueConstraint("interface", "major_version", "manufacturer", "serial_number", name="uq_robots_address"),
)
"""All of an `Address` but the topic; `major_version` is "" where there is none. A robot that changed its interface has
several rows."""

EPOCHS = sa.Table(
    "epochs",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False, unique=True),
)
"""The first part of event ids, one for each life of a process."""

DICTIONARIES = sa.Table(
    "dictionaries",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("topic", sa.SmallInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""Compression dictionaries of the codec (`codec`), `created_at` in epoch seconds. 0 as a message's `dictionary_id`
means none."""

WRITER = sa.Table(
    "history_writer",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)
"""One row (id 1): which process writes, and until when (epoch seconds) nobody else may; "" and 0 while none does."""
