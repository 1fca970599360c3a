"""deploy/ says what is there: its files name files, settings, routes and packages that exist, and tools accept them.

nginx.conf and mosquitto.conf are run in tests/live. The container image and the compose file cannot be run where no
containers are: here their text is held against the project.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services import require
from vda5050.settings import PREFIX, Settings
from vda5050.site_maps import MAX_LAYOUT_BYTES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "vda5050-gateway@.service"
SETTINGS = {PREFIX + knob.name.upper() for knob in fields(Settings)}
MADE_BY_THE_OPERATOR = ("./certs/", "./secrets/")


def compose() -> dict[str, Any]:
    """Read compose.yaml, its anchors resolved."""
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return document


def mounts() -> Iterator[tuple[str, str]]:
    """Give each service's mounted files and named volumes."""
    for name, service in compose()["services"].items():
        for volume in service.get("volumes", []):
            yield name, volume.split(":")[0]


@pytest.mark.parametrize("path", [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()], ids=lambda p: p.name)
def test_settings_exist(path: Path) -> None:
    """Every VDA5050_ variable in deploy/ is a setting, or the file of one."""
    named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", path.read_text()))

    assert {name.removesuffix("_FILE") if name not in SETTINGS else name for name in named} <= SETTINGS


def test_compose_mounts_what_is_there() -> None:
    """Every file that compose.yaml mounts is in deploy/, or named as one to be made; its volumes are declared."""
    document = compose()
    head = (DEPLOY / "compose.yaml").read_text().partition("name: vda5050")[0]
    for service, source in mounts():
        if source.startswith(MADE_BY_THE_OPERATOR):
            assert Path(source).name in head, f"{service}: {source} is not named at the top"
        elif source.startswith("."):
            assert (DEPLOY / source).exists(), f"{service}: {source}"
        else:
            assert source in document["volumes"]


def test_compose_secrets_are_declared() -> None:
    """Every secret that a service uses is declared, is used, and is named at the top."""
    document = compose()
    head = (DEPLOY / "compose.yaml").read_text().partition("name: vda5050")[0]
    used = {secret for service in document["services"].values() for secret in service.get("secrets", [])}

    assert used == set(document["secrets"])
    assert all(Path(secret["file"]).name in head for secret in document["secrets"].values())


def test_compose_gateways_are_those_of_nginx() -> None:
    """nginx, compose.yaml and Prometheus agree on the gateways' addresses."""
    addresses = {
        service["environment"]["VDA5050_BIND"]
        for service in compose()["services"].values()
        if "VDA5050_BIND" in service.get("environment", {})
    }
    upstreams = set(re.findall(r"^\s+server (127\.0\.0\.1:\d+)", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE))
    scraped = set(re.findall(r'"(127\.0\.0\.1:80\d\d)"', (DEPLOY / "prometheus" / "prometheus.yml").read_text()))

    assert addresses == upstreams
    assert scraped <= upstreams


def test_compose_database_wants_a_password() -> None:
    """The database lets nobody of the machine, whose network it shares, in without a password."""
    environment = compose()["services"]["postgres"]["environment"]

    assert set(environment["POSTGRES_INITDB_ARGS"].split()) == {
        "--auth-host=scram-sha-256",
        "--auth-local=scram-sha-256",
    }


def test_nginx_lets_uploads_through() -> None:
    """What the gateway takes, and what is a little more, reaches it: the gateway itself says what is too large."""
    size = re.search(r"^\s+client_max_body_size (\d+)m;$", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    assert size is not None

    assert int(size[1]) * 1024 * 1024 > MAX_LAYOUT_BYTES


def test_container_is_built_from_what_is_there() -> None:
    """The Containerfile copies files that exist and that .dockerignore lets through, and does not run as root."""
    text = (DEPLOY / "Containerfile").read_text()
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()}

    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["vda5050"]


def test_unit_is_one(tmp_path: Path) -> None:
    """The unit is taken by systemd as it is, and judged as exposed to little."""
    unit = tmp_path / "vda5050-gateway@8000.service"
    text, count = re.subn(r"/opt/vda5050-gateway/\.venv/bin/\w+", "/bin/true", UNIT.read_text())  # not installed here
    assert count == 2
    unit.write_text(text)

    def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [require("systemd-analyze"), *arguments, str(unit)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    verified = analyze("verify", "--man=no")
    assert (verified.returncode, unit.name in verified.stderr) == (0, False), verified.stderr
    judged = analyze("security", "--offline=true", "--threshold=20")  # tenths: 2.0
    assert judged.returncode == 0, judged.stdout[-300:]


@pytest.mark.parametrize(
    ("environment", "said"),
    [({}, ""), ({"MAX_STREAMS": "many"}, "VDA5050_MAX_STREAMS"), ({"LAYOUT_FILE": "half.json"}, "VDA5050_LAYOUT_FILE")],
    ids=["nothing", "a setting", "a file that a setting names"],
)
def test_reload_looks_at_what_would_end_the_gateway(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    """Before gunicorn is told to read anew, the unit finds what its master would end with, and leaves it alone."""
    first, second = re.findall(r"^ExecReload=(.+)$", UNIT.read_text(), re.MULTILINE)
    _python, *arguments = shlex.split(first)
    (tmp_path / "half.json").write_text('{"half":')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {PREFIX + name: str(tmp_path / v) if v.endswith(".json") else v for name, v in environment.items()}

    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, said in done.stderr) == (1 if said else 0, True), done.stderr
    assert second == "/bin/kill -HUP $MAINPID"
