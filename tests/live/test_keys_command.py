"""`flask --app app keys` as a process; what it answers to whom is in tests/api/test_keys_command.py."""

import re
from pathlib import Path

import pytest

from tests.key_commands import keys


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Name a database that is not there yet."""
    return f"sqlite:///{tmp_path}/var/gateway.db"


def test_a_key_is_printed_alone(url: str) -> None:
    """Only the key goes to stdout, for scripts; the first one is made with the settings of a gateway that needs one."""
    made = keys(url, "create", "first", VDA5050_BIND="0.0.0.0:8000")

    assert re.fullmatch(r"vda5050_[a-z0-9]{10}_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert made.stdout.strip() not in made.stderr
    assert len(made.stderr.splitlines()) == 1


def test_wrong_things_are_told_without_a_stack(url: str) -> None:
    """A setting, an option and a name that cannot be used are told in a line."""
    assert "VDA5050_WORKERS" in keys(url, "list", is_ok=False, VDA5050_WORKERS="many").stderr
    assert "30d" in keys(url, "create", "x", "--expires", "soon", is_ok=False).stderr
    assert "no key's name" in keys(url, "revoke", "nobody", is_ok=False).stderr
