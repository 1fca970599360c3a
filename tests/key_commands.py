"""The command line of keys, as a person runs it: in a process of its own."""

import os
import subprocess
import sys

from tests.services import PROJECT

TIMEOUT_S = 60.0


def keys(database_url: str, *arguments: str, is_ok: bool = True, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `flask --app app keys ...` on a database; fails the test where it does not end as expected."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("VDA5050_")}
    environ |= {"VDA5050_DATABASE_URL": database_url, **settings}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "keys", *arguments],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (done.returncode == 0) == is_ok, f"code {done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


def create(database_url: str, name: str, *options: str) -> str:
    """Make a key; gives its text."""
    return keys(database_url, "create", name, *options).stdout.strip()


def bearer(key: str) -> dict[str, str]:
    """Give the header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
