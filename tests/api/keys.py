"""Keys for tests of the API: one of each kind, known to a service that is not started."""

import time
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient

from vda5050.api import create_flask_app
from vda5050.api_keys import Role
from vda5050.api_keys.keys import make_key
from vda5050.service import Service
from vda5050.settings import Settings

FILTER = "KUKA/*"
UNLIMITED = {"max_failed_logins": 0, "max_requests_per_minute": 0}
"""The limits have tests of their own (test_rate_limits.py)."""


class Fleet:
    """A gateway with keys. `shown` holds the text of each by its kind."""

    def __init__(self, **settings: object) -> None:
        wanted = {"database_url": "none", "session_secret": "s" * 32, "max_streams": 3, **UNLIMITED, **settings}
        self.service = Service(Settings(**wanted))  # type: ignore[arg-type]
        self.app: Flask = create_flask_app(self.service)
        self.shown: dict[str, str] = {}
        now = time.time()
        self.keys = {}
        for kind, role, robots in (
            ("read", Role.READ, ""),
            ("control", Role.CONTROL, ""),
            ("admin", Role.ADMIN, ""),
            ("filtered", Role.READ, FILTER),
            ("expired", Role.ADMIN, ""),
            ("revoked", Role.ADMIN, ""),
        ):
            key, self.shown[kind] = make_key(name=kind, role=role, robots=robots, now=now, expires_at=None)
            self.keys[kind] = key
        self.keys["expired"] = replace(self.keys["expired"], expires_at=int(now) - 1)
        self.keys["revoked"] = replace(self.keys["revoked"], revoked_at=int(now) - 1)
        self.service.keys.replace(self.keys.values())

    def revoke(self, kind: str) -> None:
        """Let a key be revoked, as the ring learns it from the database."""
        self.keys[kind] = replace(self.keys[kind], revoked_at=int(time.time()) - 1)
        self.service.keys.replace(self.keys.values())

    def header(self, kind: str) -> dict[str, str]:
        """Give the header that shows a key."""
        return {"Authorization": f"Bearer {self.shown[kind]}"}

    def browser(self, kind: str, **headers: str) -> FlaskClient:
        """Log in with a key; gives the browser, which has a cookie now."""
        client = self.app.test_client()
        answer = client.post("/login", data={"key": self.shown[kind]}, headers=headers)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return client
