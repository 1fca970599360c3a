"""`flask keys`: what a person types, and what is answered. As a process: tests/live/test_keys_command.py."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    """Undo what the command does to the log of its process."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def keys(database_url: str, *arguments: str, is_ok: bool = True) -> Result:
    """Run a command on a database; fails the test where it does not end as expected."""
    app = create_flask_app(Service(Settings(database_url=database_url)))
    done = app.test_cli_runner().invoke(args=["keys", *arguments])
    assert (done.exit_code == 0) == is_ok, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Name a database that is not there yet."""
    return f"sqlite:///{tmp_path}/var/gateway.db"


def test_a_key_is_printed_alone_and_once(url: str) -> None:
    """Only the key goes to stdout, for scripts; what it is goes to stderr; no list shows it again."""
    made = keys(url, "create", "wallboard hall 3", "--role", "control", "--robots", "KUKA/*", "--expires", "30d")
    key = made.stdout.strip()
    listed = keys(url, "list").stdout

    assert re.fullmatch(r"vda5050_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", key)
    assert key not in made.stderr
    assert "control, robots KUKA/*, expires 20" in made.stderr
    assert re.search(r"wallboard hall 3 +control +KUKA/\* .* never +valid", listed)
    assert key.split("_", 2)[2] not in listed


def test_revoked_keys_are_listed_on_demand(url: str) -> None:
    """What is over is in the list with --all, and says what it is; JSON holds the same."""
    keys(url, "create", "old")
    keys(url, "create", "new")
    keys(url, "revoke", "old")
    everything = json.loads(keys(url, "list", "--all", "--json").stdout)

    assert "old" not in keys(url, "list").stdout
    assert {key["name"]: key["status"] for key in everything} == {"old": "revoked", "new": "valid"}
    assert [key["revoked_at"] is None for key in everything].count(True) == 1


def test_an_empty_list_says_what_to_do(url: str) -> None:
    """Where there is no key, the command that makes one is told, and stdout stays empty for programs."""
    listed = keys(url, "list")

    assert listed.stdout == ""
    assert "flask --app app keys create" in listed.stderr
    assert json.loads(keys(url, "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["create"], "NAME"),
        (["create", "x", "--role", "root"], "'read', 'control', 'admin'"),
        (["create", "x", "--robots", "KUKA"], "MANUFACTURER/SERIAL_NUMBER"),
        (["create", "x", "--robots", ""], "--robots is empty"),
        (["create", "x", "--robots", " , "], "names no robot"),
        (["create", "x", "--expires", "soon"], "30d"),
        (["create", "x", "--expires", "2020-01-01"], "expired already"),
        (["create", "a\nb"], "printable"),
        (["revoke", "nobody"], "keys list --all"),
        (["rename", "x"], "No such command"),
    ],
)
def test_wrong_things_are_refused(url: str, arguments: list[str], told: str) -> None:
    """What cannot be done is answered in a line that says how it would be right, and nothing is changed."""
    refused = keys(url, *arguments, is_ok=False)

    assert told in refused.stderr
    assert json.loads(keys(url, "list", "--all", "--json").stdout) == []


def test_help(url: str) -> None:
    """Each command explains itself."""
    assert all(word in keys(url, "--help").stdout for word in ("create", "list", "revoke"))
    assert all(word in keys(url, "create", "--help").stdout for word in ("--role", "--robots", "--expires", "KUKA/*"))
    assert "five seconds" in keys(url, "revoke", "--help").stdout


def test_where_there_can_be_no_keys() -> None:
    """Without a database the command says so."""
    assert "DATABASE_URL is none" in keys("none", "list", is_ok=False).stderr


def test_where_the_database_is_away(tmp_path: Path) -> None:
    """A database that cannot be used is told with the reason, and without its password."""
    (tmp_path / "file").write_text("")
    refused = keys(f"sqlite:///{tmp_path}/file/gateway.db", "list", is_ok=False).stderr
    away = keys("postgresql://gateway:geheim@127.0.0.1:1/fleet", "list", is_ok=False).stderr

    assert "cannot be used" in refused
    assert "refused" in away
    assert "geheim" not in away
