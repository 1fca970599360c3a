"""Node's eventsource (npm, a tool of this test only) reads the stream, compressed too, and comes back without a gap."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.live.mqtt_packets import Publisher
from tests.live.tcp_proxy import TcpProxy
from tests.npm import install
from tests.services import LOOPBACK, Gateway, require, wait_until

PACKAGE = "eventsource@3.0.7"
"""The newest that Debian 12's Node (18) can run."""
SCRIPT = Path(__file__).with_name("event_source.js")
UPDATES = 30
ROBOT = "ACME/R1"

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package; give the folder it lies in."""
    return install(PACKAGE, tmp_path_factory.mktemp("eventsource")).parent


@contextmanager
def event_source(modules: Path, url: str, encoding: str) -> Iterator[IO[bytes]]:
    """Run it; give what it prints."""
    command: list[str | Path] = [require("node"), SCRIPT, url, encoding]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={"NODE_PATH": str(modules)})
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def read(output: IO[bytes], count: int) -> list[dict[str, Any]]:
    """Read so many lines; pytest's timeout ends a wait for ever."""
    return [json.loads(output.readline()) for _ in range(count)]


def publish(robot: Publisher, first: int) -> list[int]:
    """Publish UPDATES states, numbered from `first`; give the numbers."""
    numbers = list(range(first, first + UPDATES))
    for number in numbers:
        robot.publish(f"uagv/v2/{ROBOT}/state", json.dumps({"headerId": number, "text": "Ölstand ≥ 3 \u2028"}))
    return numbers


def header_ids(events: list[dict[str, Any]]) -> list[int]:
    """Give the updates' headerIds."""
    return [event["data"]["payload"]["headerId"] for event in events if event["type"] == "update"]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_event_source(modules: Path, running: Gateway, robot: Publisher, encoding: str) -> None:
    """Snapshot, every update, a lost connection, and exactly the updates that were missed: no snapshot, no reset."""
    robot.publish(f"uagv/v2/{ROBOT}/state", '{"headerId":0}')
    wait_until(lambda: running.has(f"/robots/{ROBOT}"), what="the robot is known")
    wait_until(lambda: running.metric("vda5050_streams") == 0, what="nobody is left to share an older snapshot with")
    with (
        TcpProxy(running.port) as proxy,
        event_source(modules, f"http://{LOOPBACK}:{proxy.port}/stream", encoding) as output,
    ):
        opened, snapshot = read(output, 2)
        first = publish(robot, 1)
        updates = read(output, UPDATES)

        proxy.cut()
        wait_until(lambda: running.metric("vda5050_streams") == 0, what="the connection is lost")
        missed = publish(robot, 1 + UPDATES)
        opened_again, *rest = read(output, 1 + UPDATES)

    assert opened == opened_again == {"opened": None if encoding == "identity" else encoding}
    assert snapshot["type"] == "snapshot"
    assert ROBOT in snapshot["data"]
    assert (header_ids(updates), header_ids(rest)) == (first, missed)
    ids = [event["id"].rpartition("-") for event in [snapshot, *updates, *rest]]
    offsets = [int(offset) for _epoch, _, offset in ids]
    assert len({epoch for epoch, _, _offset in ids}) == 1
    assert offsets == sorted(set(offsets))
