"""The keys in the database: every function takes a connection inside a transaction (see `database`)."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, text, update

from vda5050.api_keys.keys import Key, KeyRefusedError
from vda5050.api_keys.principal import Role
from vda5050.api_keys.tables import API_KEYS, SHARED_SECRETS
from vda5050.broadcast import Filter
from vda5050.errors import FilterError
from vda5050.logs import get_logger

log = get_logger(__name__)

SESSION = "session"
"""The name of the secret that signs cookies."""
_SECRET_BYTES = 32


def add(connection: Connection, key: Key) -> None:
    """Keep a new key. Raises KeyRefusedError where a valid key has its name."""
    if any(other.is_valid(key.created_at) for other, _ in named(connection, key.name)):
        raise KeyRefusedError(f"there is a key named {key.name!r}: revoke it first, or choose another name")
    connection.execute(
        API_KEYS.insert().values(
            id=key.id,
            name=key.name,
            digest=key.digest,
            role=key.role.value,
            robots=key.robots,
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )


def all_keys(connection: Connection) -> list[tuple[Key, int | None]]:
    """Give every key there ever was, oldest first, each with when it was last used."""
    return [_read(row) for row in connection.execute(select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.id))]


def named(connection: Connection, name_or_id: str) -> list[tuple[Key, int | None]]:
    """Give the keys of this name or id, as `all_keys`."""
    wanted = or_(API_KEYS.c.name == name_or_id, API_KEYS.c.id == name_or_id)
    return [_read(row) for row in connection.execute(select(API_KEYS).where(wanted))]


def revoke(connection: Connection, name_or_id: str, now: float) -> Key:
    """Let a key open nothing from now on; returns it. Raises KeyRefusedError where it is not one valid key."""
    found = [key for key, _ in named(connection, name_or_id)]
    valid = [key for key in found if key.is_valid(now)]
    if not valid:
        reason = "is revoked or expired already" if found else "is no key's name or id"
        raise KeyRefusedError(f"{name_or_id!r} {reason}; `keys list --all` shows them")
    if len(valid) > 1:
        raise KeyRefusedError(
            f"{name_or_id!r} names several keys; take one of the ids {', '.join(k.id for k in valid)}"
        )
    connection.execute(update(API_KEYS).where(API_KEYS.c.id == valid[0].id).values(revoked_at=int(now)))
    return valid[0]


def has_any(connection: Connection) -> bool:
    """Tell whether a key was ever made."""
    return bool(connection.execute(select(func.count()).select_from(API_KEYS)).scalar_one())


def note_used(connection: Connection, used: Mapping[str, int]) -> None:
    """Write when keys were last used, by id."""
    statement = update(API_KEYS).where(API_KEYS.c.id == bindparam("key")).values(last_used_at=bindparam("at"))
    connection.execute(statement, [{"key": key_id, "at": at} for key_id, at in used.items()])


def session_secret(connection: Connection, now: float) -> bytes:
    """Give the secret that signs cookies, the same for all instances; made by the first to ask."""
    connection.execute(
        text(
            "INSERT INTO shared_secrets (name, secret, created_at) VALUES (:name, :secret, :now) "
            "ON CONFLICT (name) DO NOTHING"
        ),
        {"name": SESSION, "secret": secrets.token_bytes(_SECRET_BYTES), "now": int(now)},
    )
    found: bytes = connection.execute(
        select(SHARED_SECRETS.c.secret).where(SHARED_SECRETS.c.name == SESSION)
    ).scalar_one()
    return found


def _read(row: Any) -> tuple[Key, int | None]:
    """Read a row; one that somebody else wrote, and we do not understand, opens nothing and is a key all the same."""
    role, revoked_at = Role.READ, row.revoked_at
    try:
        role = Role(row.role)
        Filter.parse(robots=row.robots)
    except (ValueError, FilterError) as error:
        log.error("a key is not understood, so it opens nothing", key=row.id, problem=error)  # noqa: TRY400
        revoked_at = row.created_at
    key = Key(
        id=row.id,
        name=row.name,
        digest=bytes(row.digest),
        role=role,
        robots=row.robots,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=revoked_at,
    )
    return key, row.last_used_at
