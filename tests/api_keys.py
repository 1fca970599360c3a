"""A gateway's keys, made as people make them: with the command line, beside the running gateway."""

import os
import subprocess
import sys

from tests.services import PROJECT, Gateway


def create_key(service: Gateway, name: str, *, role: str = "read", robots: str = "") -> str:
    """Make a key in the database of a gateway that keeps it beside its log; the gateway sees it within seconds."""
    url = f"sqlite:///{service.log.absolute().parent}/gateway.db"
    env = {name: value for name, value in os.environ.items() if not name.startswith("VDA5050_")}
    only = ["--robots", robots] if robots else []
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "keys", "create", name, "--role", role, *only],
        cwd=PROJECT,
        env={**env, "VDA5050_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()
