"""`flask --app app keys create|list|revoke`: who runs the gateway makes keys where the database is.

A running gateway sees what is done here within seconds; it need not run. The key itself is printed once, alone on
stdout, so that a script can take it; what is for a person goes to stderr.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from vda5050.api_keys import Key, Role, store
from vda5050.api_keys.keys import KeyRefusedError, make_key, read_expiry
from vda5050.database import Database
from vda5050.errors import DatabaseUnavailable, FilterError
from vda5050.settings import NO_DATABASE, PREFIX, Settings

_Result = TypeVar("_Result")
_ROLES = [role.value for role in Role]


def create_group(settings: Settings) -> AppGroup:
    """Build the commands for the database of `settings`."""
    group = AppGroup("keys", help="Make, list and revoke API keys. They are kept in the gateway's database.")

    def run(work: Callable[[Connection], _Result]) -> _Result:
        return _run(settings, work)

    @group.command("create")
    @click.argument("name")
    @click.option(
        "--role", type=click.Choice(_ROLES), default="read", show_default=True, help="Each includes the former."
    )
    @click.option("--robots", metavar="FILTER", help="Only these robots: KUKA/*,ABB/1 (default: all).")
    @click.option(
        "--expires", default="never", show_default=True, metavar="WHEN", help="12h, 30d, 52w, 2027-01-31 or never."
    )
    def create(name: str, role: str, robots: str | None, expires: str) -> None:
        """Make a key and print it, this once: what is kept is its hash.

        NAME says whose it is, as `wallboard hall 3`.
        """
        now = time.time()
        with _told():
            expires_at = read_expiry(expires, now)
            wanted = _asked_robots(robots)
            key, text = make_key(name=name, role=Role(role), robots=wanted, now=now, expires_at=expires_at)
        run(lambda connection: store.add(connection, key))
        click.echo(f"Key {key.id} ({key.name}): {_described(key)}. It is shown this once:", err=True)
        click.echo(text)

    @group.command("list")
    @click.option("--all", "is_all", is_flag=True, help="Revoked and expired ones, too.")
    @click.option("--json", "is_json", is_flag=True, help="A JSON array, for programs.")
    def list_(*, is_all: bool, is_json: bool) -> None:
        """List the keys, none of which can be shown again."""
        now = time.time()
        rows = [(key, used) for key, used in run(store.all_keys) if is_all or key.is_valid(now)]
        if is_json:
            click.echo(json.dumps([_as_json(key, used, now) for key, used in rows], indent=2))
        elif rows:
            click.echo("\n".join(_table(rows, now)))
        else:
            click.echo("There is no valid key. Make one: flask --app app keys create NAME", err=True)

    @group.command("revoke")
    @click.argument("key")
    def revoke(key: str) -> None:
        """Let a key open nothing any more, for good; KEY is its name or id.

        Its streams end within five seconds, on every instance.
        """
        revoked = run(lambda connection: store.revoke(connection, key, time.time()))
        click.echo(f"Key {revoked.id} ({revoked.name}) is revoked.")

    return group


def _run(settings: Settings, work: Callable[[Connection], _Result]) -> _Result:
    """Run `work` on the database in a transaction; what it refuses is told to the person."""
    if settings.database_url == NO_DATABASE:
        raise click.ClickException(f"{PREFIX}DATABASE_URL is none: without a database there can be no keys")
    database = Database(settings.database_url)
    lane = database.lane(threads=1)
    logging.getLogger().setLevel(logging.CRITICAL)  # what goes wrong is told here, and the rest is for a gateway's log
    try:
        with _told():
            return lane.write(work)
    except DatabaseUnavailable as error:
        raise click.ClickException(f"the database ({database.name}) cannot be used: {error.reason}") from error
    finally:
        lane.close()


def _asked_robots(given: str | None) -> str:
    """Give the filter, empty for all robots. One that was given empty (a script's variable, say) is refused."""
    if given == "":
        raise KeyRefusedError("--robots is empty; leave it out for a key for all robots")
    return given or ""


@contextmanager
def _told() -> Iterator[None]:
    """Tell the person what was refused, without a stack."""
    try:
        yield
    except (KeyRefusedError, FilterError) as error:
        raise click.ClickException(str(error)) from error


def _described(key: Key) -> str:
    robots = f"robots {key.robots}" if key.robots else "all robots"
    return f"{key.role.value}, {robots}, " + (
        "never expires" if key.expires_at is None else f"expires {_time(key.expires_at)}"
    )


def _status(key: Key, now: float) -> str:
    if key.is_valid(now):
        return "valid"
    return "expired" if key.revoked_at is None else "revoked"


def _table(rows: list[tuple[Key, int | None]], now: float) -> list[str]:
    cells = [("ID", "NAME", "ROLE", "ROBOTS", "CREATED", "EXPIRES", "LAST USED", "STATUS")] + [
        (
            key.id,
            key.name,
            key.role.value,
            key.robots or "all",
            _time(key.created_at),
            "never" if key.expires_at is None else _time(key.expires_at),
            "never" if used is None else _time(used),
            _status(key, now),
        )
        for key, used in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _as_json(key: Key, used: int | None, now: float) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "robots": key.robots or None,
        "created_at": _time(key.created_at),
        "expires_at": None if key.expires_at is None else _time(key.expires_at),
        "revoked_at": None if key.revoked_at is None else _time(key.revoked_at),
        "last_used_at": None if used is None else _time(used),
        "status": _status(key, now),
    }


def _time(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
