"""Robots that somebody invents take the room of real ones: what keeps them out, and what docs/operations.md does."""

import re
import shlex
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.services import LOOPBACK, PROJECT, Gateway, Service, gateway, require, wait_until

MAX_ROBOTS = 20
GUIDE = (PROJECT / "docs" / "operations.md").read_text()


def state_of(robot: str) -> str:
    """Name its topic."""
    return f"uagv/v2/{robot}/state"


def invent(stranger: Publisher, service: Gateway) -> None:
    """Publish as more robots than the gateway takes, some retained; return when it has refused one."""
    for number in range(2 * MAX_ROBOTS):
        stranger.publish(state_of(f"EVIL/{number}"), "{}", is_retained=number < 3)
    wait_until(lambda: refused(service) > 0, what="a robot is refused")


def refused(service: Gateway) -> float:
    """Count messages of robots that were one too many."""
    return service.metric("vda5050_rejected_messages_total", reason="robots")


def from_guide(pattern: str) -> str:
    """Give the one command of the guide that fits."""
    (found,) = re.findall(rf"`({pattern}[^`]*)`", GUIDE)
    assert isinstance(found, str)
    return found


def test_get_rid_of_them(broker: Service, tmp_path: Path) -> None:
    """A real robot is refused, after a restart too; when what the guide says is done, it is shown and they are gone."""
    file = tmp_path / "history.db"
    with (
        gateway(broker, max_robots=MAX_ROBOTS, database_url=f"sqlite:///{file}") as service,
        Publisher(broker.port) as robot,
    ):
        invent(robot, service)
        for _ in range(2):
            before = refused(service)
            robot.publish(state_of("ACME/R1"), "{}")
            wait_until(lambda: refused(service) > before, what="the real robot is refused")  # noqa: B023 - awaited here
            service.stop()
            service.start()
            wait_until(lambda: service.has("/ready"), what="ready again", deadline_s=20)

        service.stop()
        listen = shlex.split(from_guide("mosquitto_sub"))
        command = [require(listen[0]), "-h", LOOPBACK, "-p", str(broker.port), *listen[1:]]
        subprocess.run(command, timeout=30, check=False, capture_output=True)  # 27: the time of -W is over
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(from_guide("DELETE FROM messages"))
        service.start()
        wait_until(lambda: service.has("/ready"), what="ready again", deadline_s=20)
        robot.publish(state_of("ACME/R1"), "{}")
        wait_until(lambda: service.has("/robots/ACME/R1"), what="the real robot is shown")

        with SseClient(service.port) as stream:
            assert set(stream.next("snapshot").data["data"]) == {"ACME/R1"}


def test_those_of_other_makers_are_not_heard(broker: Service) -> None:
    """Where the topics name the fleet's manufacturers, no robot of another one takes room."""
    with (
        gateway(broker, max_robots=MAX_ROBOTS, mqtt_topics="uagv/+/ACME/#,vda5050/+/ACME/#") as service,
        Publisher(broker.port) as robot,
    ):
        for number in range(2 * MAX_ROBOTS):
            robot.publish(state_of(f"EVIL{number}/R1"), "{}")
        robot.publish(state_of("ACME/R1"), "{}")
        wait_until(lambda: service.has("/robots/ACME/R1"), what="the real robot is shown")

        assert list(service.get("/robots").json()) == ["ACME/R1"]
        assert refused(service) == 0
