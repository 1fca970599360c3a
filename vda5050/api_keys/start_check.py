"""May the gateway listen where it is told to? Run as a program before it does: exit code 1, and why, where it may not.

    python -m vda5050.api_keys.start_check 0.0.0.0:8000

In a process of its own, because gunicorn's master asks: what that one had imported before it forks would be there
unpatched in every worker. A database that cannot be reached now does not keep the gateway from starting: it lets nobody
in until the keys could be read.
"""

import sys
from collections.abc import Sequence

from vda5050.api_keys import store
from vda5050.database import Database
from vda5050.errors import DatabaseTooNew, DatabaseUnavailable, SettingsError
from vda5050.settings import NO_DATABASE, PREFIX, Settings


def why_not(addresses: Sequence[str], settings: Settings) -> str | None:
    """Give why the gateway may not listen on `addresses`, which others can reach, or None where it may."""
    if settings.auth == "off":
        return None
    shown = ", ".join(addresses)
    if settings.database_url == NO_DATABASE:
        return (
            f"{shown} can be reached from elsewhere, and without a database there can be no API key: set "
            f"{PREFIX}DATABASE_URL, or {PREFIX}AUTH=off to serve everyone who reaches it"
        )
    database = Database(settings.database_url)
    try:
        has_key = _has_key(database)
    except DatabaseTooNew as error:
        return f"the database ({database.name}) cannot be used: {error.reason}"
    except DatabaseUnavailable as error:
        print(f"The keys cannot be read yet, so nobody is let in: {error.reason}", file=sys.stderr)  # noqa: T201 - a program
        return None
    return (
        None
        if has_key
        else (
            f"{shown} can be reached from elsewhere, and there is no API key yet. Make one, then start again:\n"
            "    flask --app app keys create NAME --role admin\n"
            f"with the same {PREFIX}DATABASE_URL; or listen on the loopback ({PREFIX}BIND=127.0.0.1:8000), or set "
            f"{PREFIX}AUTH=off to serve everyone who reaches it"
        )
    )


def _has_key(database: Database) -> bool:
    lane = database.lane(threads=1)
    try:
        return lane.read(store.has_any)
    finally:
        lane.close()


def main() -> int:
    """Check the addresses on the command line."""
    try:
        problem = why_not(sys.argv[1:], Settings.from_environ())
    except SettingsError as error:
        problem = "\n".join(error.problems)
    if problem is None:
        return 0
    print(problem)  # noqa: T201 - a program
    return 1


if __name__ == "__main__":
    sys.exit(main())
