"""DATABASE_URL: what may stand in it, and what of it may be shown.

`sqlite:///relative/path`, `sqlite:////absolute/path`, `postgresql://...` or `postgresql+psycopg://...` (the same).
"""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_EXPECTED = "expected sqlite:///path/of/file.db, postgresql://user@host/name or none"


def check_database_url(text: str) -> URL:
    """Read a database's address, driver included. Raises ValueError, whose text never repeats it (passwords)."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValueError(_EXPECTED) from error
    if url.drivername == SQLITE:
        if url.database in (None, "", ":memory:") or url.host or url.query:
            raise ValueError("SQLite needs a file: sqlite:///path/of/file.db (four slashes for an absolute path)")
        return url
    if url.drivername in (POSTGRESQL, "postgresql+psycopg"):
        if not url.database:
            raise ValueError("PostgreSQL needs a database's name: postgresql://user@host/name")
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(_EXPECTED)


def shown(url: URL) -> str:
    """Name a database for logs and `/ready`: where it is, without user, password and options."""
    if url.get_backend_name() == SQLITE:
        return f"SQLite {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL {url.host or 'on this machine'}{port}/{url.database}"
