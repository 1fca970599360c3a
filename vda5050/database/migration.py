"""Brings a database to the schema that this code knows. Runs in a native thread; safe in many processes at once.

Whoever comes first takes the lock (SQLite: the writer's, PostgreSQL: an advisory one) and migrates in one transaction;
the others wait for it and find nothing to do. A database that a newer gateway has migrated is left alone.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, text

from vda5050.database.urls import SQLITE
from vda5050.errors import DatabaseTooNew

logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its plugins when it is imported
# Imported here alone and after that line.
from alembic import command  # noqa: E402
from alembic.config import Config  # noqa: E402
from alembic.runtime.migration import MigrationContext  # noqa: E402
from alembic.script import ScriptDirectory  # noqa: E402

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x5DA5050
"""PostgreSQL's advisory locks are numbers; this is ours."""


def is_current(connection: Connection) -> bool:
    """Tell whether there is nothing to migrate; reads only."""
    return _version(connection) == ScriptDirectory.from_config(_config(connection)).get_current_head()


def migrate(connection: Connection) -> str | None:
    """Bring the schema up to date, inside the caller's (writing) transaction.

    Returns the version it now has, or None where there was nothing to do.

    Raises DatabaseTooNew.
    """
    script = ScriptDirectory.from_config(_config(connection))
    head = script.get_current_head()
    if _version(connection) == head:
        return None
    if connection.dialect.name != SQLITE:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = _version(connection)  # another process may have done it while this one waited
    if found == head:
        return None
    if found is not None and found not in {revision.revision for revision in script.walk_revisions()}:
        raise DatabaseTooNew(found, head or "")
    command.upgrade(_config(connection), "head")
    return head


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
