"""What outlives the process, in SQL: SQLite in a file, or PostgreSQL (docs/adr/0005-database.md).

    urls          DATABASE_URL as SQLAlchemy reads it, and as a person may see it
    engines       connections as we want them: WAL, timeouts, transactions that begin where we say
    database      opens, migrates, and runs work in native threads, off the hub
    migrations    the schema's versions, run by alembic

Takes work as functions of a connection, gives what they return. Each user (keys, history) has a `Lane` of its own, so
that none waits behind another's long query. Tables are declared beside the code that uses them, on `METADATA`; what
creates them is a file in `migrations/versions`, and a test compares the two.

A database that cannot be used raises DatabaseUnavailable, always; what else may go wrong in `work` is the caller's.
"""

from vda5050.database.database import Database, Lane
from vda5050.database.engines import METADATA
from vda5050.database.urls import SQLITE, check_database_url

__all__ = ["METADATA", "SQLITE", "Database", "Lane", "check_database_url"]
