"""Who writes: of all processes that share a database, one at a time.

Several workers may take the same messages in (without Redis each does); the history must have each once. The lease is a
row that its holder renews with every transaction, so that it costs nothing of its own, on any database and across
machines. Times are the database's, whole seconds: machines' clocks differ.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from vda5050.database import SQLITE
from vda5050.history.tables import WRITER

LEASE_S = 10
_THE_ROW = WRITER.c.id == 1
_NOW = {
    SQLITE: "CAST(strftime('%s', 'now') AS INTEGER)",
    "postgresql": "extract(epoch from clock_timestamp())::bigint",
}


def keep(connection: Connection, owner: str) -> bool:
    """Renew the lease for LEASE_S; False where another one has had it since, or it was let go."""
    kept = sa.update(WRITER).where(_THE_ROW, WRITER.c.owner == owner).values(until=_now(connection) + LEASE_S)
    return connection.execute(kept).rowcount == 1


def take(connection: Connection, owner: str, *, free_for_s: int = 0) -> bool:
    """Take the lease for LEASE_S; False while another one holds it, or has held it until `free_for_s` ago."""
    now = _now(connection)
    is_free = WRITER.c.until <= now - free_for_s
    taken = sa.update(WRITER).where(_THE_ROW, is_free).values(owner=owner, until=now + LEASE_S)
    return connection.execute(taken).rowcount == 1


def release(connection: Connection, owner: str) -> None:
    """Let another one take it at once."""
    connection.execute(
        sa.update(WRITER).where(_THE_ROW, WRITER.c.owner == owner).values(owner="", until=_now(connection))
    )


def _now(connection: Connection) -> sa.ColumnElement[int]:
    return sa.literal_column(_NOW[connection.dialect.name], sa.BigInteger)
