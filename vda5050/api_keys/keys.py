"""What a key looks like, how it is made, and what is kept of it.

    vda5050_k3v9x2m7qa_Qm1b...43 characters
            public id  secret: 256 bits

The prefix lets scanners of repositories and logs find one; the id names a key in lists and logs, and finds its row; the
secret is random, so that its SHA-256 cannot be turned back, and no slow hash is needed, which would block the loop.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vda5050.api_keys.principal import Principal, Role
from vda5050.broadcast import Filter
from vda5050.errors import Vda5050Error

PREFIX = "vda5050"
MAX_NAME_CHARS = 100
_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_CHARS = 10
_SECRET_BYTES = 32
_KEY = re.compile(rf"{PREFIX}_([{_ID_ALPHABET}]{{{_ID_CHARS}}})_[A-Za-z0-9_-]{{43}}", re.ASCII)
_LONGEST_KEY = 128
_NO_ROBOT = re.compile("(?!)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class KeyRefusedError(Vda5050Error):
    """A key cannot be made or found as asked; the text is for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key as it is kept. Times are epoch seconds; `robots` as in a stream's query, empty for all."""

    id: str
    name: str
    digest: bytes
    role: Role
    robots: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None

    def is_valid(self, now: float) -> bool:
        """Tell whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def principal(self) -> Principal:
        """Build who asks with it; a filter that names nothing, which could once be made, lets nothing be seen."""
        is_void = bool(self.robots) and not _names(self.robots)
        pattern = _NO_ROBOT if is_void else Filter.parse(robots=self.robots).robot_pattern()
        return Principal(self.name, self.role, self.id, pattern, self.expires_at)


def make_key(*, name: str, role: Role, robots: str, now: float, expires_at: int | None) -> tuple[Key, str]:
    """Make a key; returns what is kept of it and the text that opens. Raises KeyRefusedError."""
    if not name.strip() or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise KeyRefusedError(f"a key's name is 1 to {MAX_NAME_CHARS} printable characters")
    check_robots(robots)
    if expires_at is not None and expires_at <= now:
        raise KeyRefusedError("the key would have expired already")
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_CHARS))
    text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = Key(
        id=key_id,
        name=name.strip(),
        digest=digest(text),
        role=role,
        robots=robots,
        created_at=int(now),
        expires_at=expires_at,
    )
    return key, text


def digest(text: str) -> bytes:
    """Hash a key's whole text."""
    return hashlib.sha256(text.encode()).digest()


def id_of(text: str) -> str | None:
    """Read the public id of a key's text; None where it is no key at all."""
    if len(text) > _LONGEST_KEY:
        return None
    match = _KEY.fullmatch(text)
    return None if match is None else match[1]


def check_robots(robots: str) -> None:
    """Refuse a robot filter that can match nothing, or has nothing in it. Raises KeyRefusedError, FilterError."""
    Filter.parse(robots=robots)
    names = _names(robots)
    if robots and not names:  # as in a stream's query, that would be all
        raise KeyRefusedError(f"{robots!r} names no robot; a key for all of them has no filter")
    for name in names:
        if "/" not in name and "*" not in name:
            raise KeyRefusedError(f"{name!r} names no robot: expected MANUFACTURER/SERIAL_NUMBER, with * for any")


def _names(robots: str) -> list[str]:
    return [part.strip() for part in robots.split(",") if part.strip()]


def read_expiry(text: str, now: float) -> int | None:
    """Read when a key expires: `90m`, `12h`, `30d`, `52w`, a day as 2027-01-31 (its end, UTC), or `never`.

    Raises KeyRefusedError.
    """
    if text == "never":
        return None
    if match := re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text, re.ASCII):
        return int(now + _UNITS[match[2]].total_seconds() * int(match[1]))
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise KeyRefusedError(
            f"{text!r} is no time: expected 90m, 12h, 30d, 52w, a day as 2027-01-31, or never"
        ) from error
    return int((day + timedelta(days=1)).timestamp())
