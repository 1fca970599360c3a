"""Connections as this gateway wants them, for SQLite and PostgreSQL.

SQLAlchemy's pool is not used: its locks are gevent's in a patched process and would be shared by native threads. A
`Lane` keeps its connections itself (`database.py`), and the engine only opens them.

Every wait in here has an end, so that a thread is never lost to a database that hangs:

* SQLite: BUSY_TIMEOUT_S for the writer's lock.
* PostgreSQL: CONNECT_TIMEOUT_S, STATEMENT_TIMEOUT_S, and TCP_TIMEOUT_S for a server that vanished.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from typing import Any

from sqlalchemy import Connection, MetaData, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import NullPool

from vda5050.database.urls import SQLITE

BUSY_TIMEOUT_S = 5
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 60
TCP_TIMEOUT_S = 10
BEGIN = "vda5050_begin"
"""The execution option that says how a transaction on SQLite begins."""

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)
"""Every table of the gateway. Constraints have names, so that a migration can change them."""


def make_engine(url: URL) -> Engine:
    """Build what opens connections; opens none. Errors do not show the statement's values, which may be payloads."""
    if url.get_backend_name() == SQLITE:
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, poolclass=NullPool, connect_args=_postgresql_arguments(url), hide_parameters=True)


def make_file(url: URL) -> None:
    """Make SQLite's file and the folder above it, for this user alone: it holds the hashes of keys. Raises OSError.

    SQLite gives the files beside it (-wal, -shm) the same rights.

    One that is there is not even opened: closing a file gives up every lock that this process has on it (POSIX), also
    those of SQLite's connections in other threads. Another process then took itself for the last one, removed the log
    (-wal) that these were reading, and they saw nothing new any more (sqlite.org/howtocorrupt.html, section 2.2).
    """
    path = Path(url.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _postgresql_arguments(url: URL) -> dict[str, Any]:
    wanted = {
        "application_name": "vda5050-gateway",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": TCP_TIMEOUT_S,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": TCP_TIMEOUT_S * 1000,
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c lock_timeout={STATEMENT_TIMEOUT_S // 2}s "
        f"-c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT_S}s",
    }
    return {name: value for name, value in wanted.items() if name not in url.query}  # what the URL says, holds


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # Python's sqlite3 begins no transaction by itself: _begin_sqlite does
    _use_write_ahead_log(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_write_ahead_log(connection: Any) -> None:
    """Bring the file to WAL mode, which stays with it.

    Where several do so to a new file at once, SQLite refuses all but one without waiting. Taking the writer's lock does
    wait, and whoever tries again after that finds it done, or has one rival less. Within BUSY_TIMEOUT_S: a reader makes
    SQLite wait for that long by itself.
    """
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except OperationalError as error:
            if error.sqlite_errorcode != SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
        else:
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def _begin_sqlite(connection: Connection) -> None:
    """Begin. A writer takes the lock at once: one that had read before would be refused it without waiting."""
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))
