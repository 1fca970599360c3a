"""Robots and masters that others wrote, run on a real broker beside the gateway: they show, and are not slandered.

npm's vda-5050-lib (AgvController with VirtualAgvAdapter, 1.1.0 and 2.0.0: it knows no 2.1; its headerIds start at 0,
its connection goes out with QoS 0) and PyPI's vda5050-sdk (2.1.0), given orders by their own masters. Both packages are
tools of this test only, installed into its temporary folder; where a registry cannot be reached the test is skipped
with the reason, and fails in CI. docs/doctor.md tells what a longer run by hand showed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.services import LOOPBACK, Gateway, gateway, mosquitto, require, unavailable, wait_until

HERE = Path(__file__).parent
NODE_PACKAGE = "vda-5050-lib@1.4.0"
PYTHON_PACKAGES = ("vda5050-sdk[mqtt]==0.2.0", "aiomqtt<3")
INSTALL_WITHIN_S = 100
LIB = ("lib-0-1.1.0", "lib-1-1.1.0", "lib-0-2.0.0", "lib-1-2.0.0")
SDK = ("sdk-0", "sdk-1")

TRUE_ERRORS = {
    # Its MasterController writes `instantActions` in 2.0.0 as well, where the text (6.9) and the schema say `actions`.
    ("schema", "instantActions", "required text /actions"),
}
"""What is wrong indeed: all of it in what a master sends, nothing in what a robot does."""

EXPLAINED_WARNINGS = {
    # Right by the text (6.11), but 1.1's and 2.0's official schemas forgot PAUSED (VDA5050#356).
    ("schema", "state", "enum schema /actionStates/*/actionStatus"),
    # Right by the text of 1.1, whose official schema says actionName (vd-m-a-5050#16).
    ("schema", "instantActions", "required schema /instantActions/*/actionName"),
}

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the gateway had to say when both fleets were done."""

    robots: dict[str, dict[str, Any]]
    findings: list[dict[str, Any]]
    printed: str

    def of_severity(self, severity: str) -> set[tuple[str, str, str]]:
        """Rule, topic and place of the findings of one severity."""
        return {
            (found["rule"], found["topic"], found["place"]) for found in self.findings if found["severity"] == severity
        }


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Run both fleets for one round of orders, pauses and cancellings."""
    folder = tmp_path_factory.mktemp("foreign")
    node, python = require("node"), _sdk_python(folder)
    modules = _node_modules(folder)
    with mosquitto() as broker, gateway(broker) as running:
        url = f"mqtt://{LOOPBACK}:{broker.port}"
        fleets = [
            _start([node, HERE / "foreign_node_fleet.js", url, "2", "1"], NODE_PATH=str(modules)),
            _start([python, "-P", HERE / "foreign_sdk_fleet.py", url, "2", "1"]),
        ]
        printed = "".join(_finish(fleet) for fleet in fleets)
        # The gateway reads what the fleets sent last, and looks at the clock once more.
        wait_until(lambda: _has_heard_the_end(running), what="every robot is gone", deadline_s=20)
        yield Outcome(
            robots=_robots(running),
            findings=running.get("/conformance").json()["findings"],
            printed=printed,
        )


def test_foreign_fleets_do_their_orders(outcome: Outcome) -> None:
    """Orders were taken, updated and cancelled, so what the doctor judged was more than an idle state."""
    assert outcome.printed.count("the fleet is done") == 2, outcome.printed
    for name in LIB:
        assert f"{name}-0 1: done" in outcome.printed
        assert f"{name}-0-cancelled 0: cancelled" in outcome.printed


@pytest.mark.parametrize("name", [*LIB, *SDK])
def test_foreign_robots_show_as_they_are(outcome: Outcome, name: str) -> None:
    """Version, connection, last order and position of each robot stand in its view."""
    is_lib = name.startswith("lib")
    view = outcome.robots[f"{'Siemens' if is_lib else 'Sdk'}/{name}"]["view"]

    assert view["version"] == (name.rpartition("-")[2] if is_lib else "2.1.0")
    assert view["connection"]["state"] in _possible_ends(name)
    assert view["order"]["order_id"] == f"{name}-0-cancelled"
    assert view["position"]["map_id"] == ("local" if is_lib else "M1")


def test_no_foreign_robot_is_accused_of_an_error(outcome: Outcome) -> None:
    """No finding of severity error is false; the one that is there is true, and it is the master's."""
    errors = outcome.of_severity("error")

    assert errors <= TRUE_ERRORS
    assert not {topic for _, topic, _ in errors} & {"state", "visualization", "connection", "factsheet"}


def test_every_warning_about_foreign_robots_is_explained(outcome: Outcome) -> None:
    """What is warned of contradicts an official schema, as is known; nothing is warned of beyond that."""
    assert outcome.of_severity("warning") <= EXPLAINED_WARNINGS


def _possible_ends(name: str) -> set[str]:
    if name in SDK:
        return {"OFFLINE", "CONNECTION_BROKEN"}  # the package's disconnect hangs now and then
    return {"CONNECTION_BROKEN"} if name.startswith("lib-0") else {"OFFLINE"}


def _node_modules(folder: Path) -> Path:
    npm = require("npm")
    _install([npm, "install", "--prefix", folder, "--no-audit", "--no-fund", NODE_PACKAGE], what=NODE_PACKAGE)
    return folder / "node_modules"


def _sdk_python(folder: Path) -> Path:
    _install([sys.executable, "-m", "venv", folder / "venv"], what="a virtual environment")
    python = folder / "venv" / "bin" / "python"
    _install([python, "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], what=PYTHON_PACKAGES[0])
    return python


def _install(argv: Sequence[str | Path], *, what: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=INSTALL_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        unavailable(f"{what} could not be installed within {INSTALL_WITHIN_S} s")
    if done.returncode:
        unavailable(f"{what} could not be installed: {done.stderr.strip()[-300:]}")


def _start(argv: Sequence[str | Path], **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **env}
    )


def _finish(fleet: subprocess.Popen[str]) -> str:
    try:
        printed, _ = fleet.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        fleet.kill()
        printed, _ = fleet.communicate()
    return printed


def _robots(running: Gateway) -> dict[str, dict[str, Any]]:
    robots: dict[str, dict[str, Any]] = running.get("/robots").json()
    return robots


def _has_heard_the_end(running: Gateway) -> bool:
    states = [robot["connection_state"] for robot in _robots(running).values()]
    return len(states) == len(LIB) + len(SDK) and set(states) == {"OFFLINE", "CONNECTIONBROKEN"}
