"""History on real databases: a restart shows the fleet, an outage loses what is counted and nothing else."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from tests.full_disk import SmallDisk, small_disk
from tests.live.mqtt_packets import Publisher
from tests.live.robot_fleet import RobotFleet
from tests.live.stream_client import SseClient
from tests.postgres import Postgres, postgres
from tests.services import Gateway, Service, gateway, mosquitto, wait_until
from vda5050.database import Database
from vda5050.errors import DatabaseUnavailable
from vda5050.history import Reader, Stretch
from vda5050.history.retention import measure

STORED, LOST = "vda5050_history_stored_total", "vda5050_history_lost_total"
CONNECTED = "vda5050_broker_connects_total"
BUFFER, TAKEN = "vda5050_history_buffer_bytes", "vda5050_messages_total"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Run one PostgreSQL for this module."""
    with postgres() as server:
        yield server


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder for a database."""
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        yield Path(name)


def says(running: Gateway) -> tuple[bool, str]:
    """Read how /ready says that the history stands; it is 200 all the same."""
    answer = running.get("/ready")
    assert answer.status == 200
    history = answer.json()["dependencies"]["history"]
    return history["ready"], history["detail"]


def says_full(running: Gateway) -> bool:
    """Tell whether /ready says that nothing can be written, and that the disk is full."""
    is_ready, detail = says(running)
    return not is_ready and "full" in detail


def is_done(running: Gateway) -> bool:
    """Tell whether every message that was taken in is stored or lost."""
    return running.metric(STORED) + running.metric(LOST) == running.metric(TAKEN) > 0


def _has_stored(running: Gateway, count: float) -> bool:
    return running.metric(STORED) >= count


def stored_ids(url: str) -> dict[str, list[int]]:
    """Read the headerIds that a database has of each robot, in its order; waits for one that is busy."""
    found: list[dict[str, list[int]]] = []

    def can_be_read() -> bool:
        with suppress(DatabaseUnavailable):
            found.append(_read_ids(url))
        return bool(found)

    wait_until(can_be_read, what="the database can be read", deadline_s=WITHIN_S)
    return found[0]


def _read_ids(url: str) -> dict[str, list[int]]:
    lane = Database(url).lane(threads=1)
    reader, found, start_us = Reader(lane), defaultdict(list), 0
    while (page := reader.page(Stretch(start_us=start_us), limit=5_000)).last_id is not None:
        for _, record in page.messages:
            found[record.address.robot].append(json.loads(record.payload)["headerId"])
        start_us = page.last_id + 1
    lane.close()
    return found


def test_a_restart_shows_the_fleet(broker: Service) -> None:
    """After a restart, before any robot is heard, /robots shows each as it was last seen: stale, as of when."""
    with folder() as where, mosquitto() as silent_broker:
        url = f"sqlite:///{where}/gateway.db"
        with gateway(broker, database_url=url) as first, Publisher(broker.port) as robot:
            for number in range(20):
                robot.publish(f"uagv/v2/ACME/R{number}/connection", '{"connectionState":"ONLINE"}')
                robot.publish(f"uagv/v2/ACME/R{number}/state", json.dumps({"headerId": number}))
            wait_until(lambda: first.metric(TAKEN) == 40, what="40 were taken in")
            before = first.get("/robots").json()
        with gateway(silent_broker, database_url=url) as second, SseClient(second.port) as stream:
            after = second.get("/robots").json()
            snapshot = stream.next("snapshot").data["data"]

    assert len(after) == 20
    assert all(entry["is_stale"] for entry in after.values())
    for robot_key, entry in before.items():
        for known in ("last_seen", "connection_state", "messages", "manufacturer", "serial_number"):
            assert after[robot_key][known] == entry[known]
        assert snapshot[robot_key]["payload"] == entry["payload"]


def test_postgresql_killed_and_back(broker: Service, server: Postgres) -> None:
    """While PostgreSQL is dead the stream goes on and /ready says so; afterwards every message is there, once."""
    with (
        gateway(broker, database_url=server.url) as running,
        SseClient(running.port) as stream,
        RobotFleet(broker.port, robots=20, rate_hz=20) as fleet,
    ):
        wait_until(lambda: running.metric(STORED) > 500, what="messages are stored", deadline_s=WITHIN_S)
        server.kill()
        wait_until(lambda: not says(running)[0], what="/ready says that the database is away", deadline_s=WITHIN_S)
        seen = running.metric(TAKEN)
        wait_until(lambda: running.metric(TAKEN) > seen + 500, what="ingest goes on", deadline_s=WITHIN_S)
        assert running.metric(BUFFER) > 0
        server.start()
        wait_until(lambda: says(running)[0], what="the database is back", deadline_s=WITHIN_S)
        stored = running.metric(STORED)
        wait_until(lambda: running.metric(STORED) > stored + 500, what="writing goes on", deadline_s=WITHIN_S)
        fleet.stop()
        wait_until(lambda: is_done(running), what="all is stored", deadline_s=WITHIN_S)
        lost, updates = running.metric(LOST), 0
        stream.next("snapshot")
        while updates < fleet.sent:
            stream.next("update")
            updates += 1

    assert lost == 0
    assert stored_ids(server.url) == {
        robot: list(range(1, last + 1)) for robot, last in fleet.last_header_ids.items() if last
    }


def test_a_full_disk(broker: Service) -> None:
    """While the disk is full the gateway goes on; what its buffer cannot hold is counted, and the rest is stored."""
    with (
        small_disk() as disk,
        gateway(broker, database_url=f"sqlite:///{disk.folder}/gateway.db", history_buffer_bytes=300_000) as running,
        RobotFleet(broker.port, robots=20, rate_hz=20) as fleet,
    ):
        wait_until(lambda: running.metric(STORED) > 200, what="messages are stored", deadline_s=WITHIN_S)
        disk.fill()
        wait_until(lambda: says_full(running), what="/ready says that the disk is full", deadline_s=WITHIN_S)
        lost = running.metric(LOST)
        wait_until(lambda: running.metric(LOST) > lost + 100, what="what is lost is counted", deadline_s=WITHIN_S)
        disk.empty()
        wait_until(lambda: says(running)[0], what="the database is back", deadline_s=WITHIN_S)
        stored = running.metric(STORED)
        wait_until(lambda: running.metric(STORED) > stored + 200, what="writing goes on", deadline_s=WITHIN_S)
        fleet.stop()
        wait_until(lambda: is_done(running), what="all is stored or lost", deadline_s=WITHIN_S)
        stored, lost = running.metric(STORED), running.metric(LOST)
        found = stored_ids(f"sqlite:///{disk.folder}/gateway.db")

    assert stored + lost == fleet.sent
    assert sum(len(ids) for ids in found.values()) == stored
    assert all(ids == sorted(set(ids)) for ids in found.values())


def test_a_full_disk_of_postgresql(broker: Service, server: Postgres) -> None:
    """While PostgreSQL's disk is full /ready says so and nothing is lost: all is stored once there is room again."""
    with (
        small_disk() as disk,
        gateway(broker, database_url=server.url) as running,
        RobotFleet(broker.port, robots=20, rate_hz=20) as fleet,
    ):
        before = running.metric(STORED)
        wait_until(lambda: running.metric(STORED) > before + 200, what="messages are stored", deadline_s=WITHIN_S)
        with messages_on(disk, server):
            disk.fill()
            wait_until(lambda: "No space left" in says(running)[1], what="/ready says it", deadline_s=WITHIN_S)
            assert not says(running)[0]
            disk.empty()
            fleet.stop()
            wait_until(lambda: is_done(running), what="all is stored or lost", deadline_s=WITHIN_S)
            is_ready = says(running)[0]
        stored, lost = running.metric(STORED), running.metric(LOST)

    assert (is_ready, stored, lost) == (True, fleet.sent, 0)


def test_the_size_beside_a_table_of_the_same_name(server: Postgres) -> None:
    """What our messages take is told although another schema has messages too, with payloads of their own."""

    def measured(connection: Connection) -> tuple[int, int]:
        undone = connection.begin_nested()
        connection.exec_driver_sql("INSERT INTO messages VALUES (1, 1, 1, 1, 0, 1, false, 'x')")
        connection.exec_driver_sql("CREATE SCHEMA shop")
        connection.exec_driver_sql("CREATE TABLE shop.messages AS SELECT repeat('x', 1000) AS payload")
        connection.exec_driver_sql("ANALYZE shop.messages")
        found = measure(connection, 0)
        undone.rollback()
        return found

    lane = Database(server.url).lane(threads=1)
    used, total = lane.write(measured)
    lane.close()

    assert 0 < used <= total


@contextmanager
def messages_on(disk: SmallDisk, server: Postgres) -> Iterator[None]:
    """Keep the table of messages on another disk for the time of a `with` block."""
    folder = disk.folder / "space"
    folder.mkdir()
    if os.geteuid() == 0:  # then the server runs as another user
        disk.folder.chmod(0o755)
        shutil.chown(folder, "postgres")
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'".encode())
        connection.execute("ALTER TABLE messages SET TABLESPACE small")
        try:
            yield
        finally:
            connection.execute("TRUNCATE messages")
            connection.execute("ALTER TABLE messages SET TABLESPACE pg_default")
            connection.execute("DROP TABLESPACE small")


def test_the_process_that_writes_is_killed(broker: Service) -> None:
    """The stream goes on, another process writes, and each message is stored once or counted as lost."""
    with (
        folder() as where,
        gateway(broker, database_url=f"sqlite:///{where}/gateway.db") as running,
        SseClient(running.port) as stream,
        RobotFleet(broker.port, robots=20, rate_hz=20) as fleet,
    ):
        for _ in range(2):
            more = running.metric(STORED) + 200
            wait_until(partial(_has_stored, running, more), what="messages are stored", deadline_s=WITHIN_S)
            os.kill(running.history_pid, signal.SIGKILL)
            wait_until(lambda: not says(running)[0], what="/ready says so", deadline_s=WITHIN_S)
            assert "ended with code -9" in says(running)[1]
            wait_until(lambda: says(running)[0], what="another process writes", deadline_s=WITHIN_S)
        fleet.stop()
        wait_until(lambda: is_done(running), what="all is stored or lost", deadline_s=WITHIN_S)
        stored, lost = running.metric(STORED), running.metric(LOST, reason="process")
        found = stored_ids(f"sqlite:///{where}/gateway.db")
        stream.next("snapshot")
        for _ in range(fleet.sent):
            stream.next("update")

    assert stored + lost == fleet.sent
    # What was kept in the moment before the kill may have been counted as lost all the same.
    assert stored <= sum(len(ids) for ids in found.values()) <= fleet.sent
    assert all(ids == sorted(set(ids)) for ids in found.values())


def test_a_gateway_that_is_killed(broker: Service) -> None:
    """The process that writes stores what it was given, and ends."""
    with folder() as where, Publisher(broker.port) as robot:
        url = f"sqlite:///{where}/gateway.db"
        with gateway(broker, database_url=url) as running:
            wait_until(lambda: says(running)[0], what="the process is there", deadline_s=WITHIN_S)
            writer = running.history_pid
            os.kill(writer, signal.SIGSTOP)
            for number in range(50):
                robot.publish("uagv/v2/ACME/R1/state", json.dumps({"headerId": number}))
            wait_until(lambda: running.metric(TAKEN) == 50, what="all were taken in")
            time.sleep(0.5)
            assert running.metric(STORED) == 0
            for pid in (running.pid, running.worker_pid):
                os.kill(pid, signal.SIGKILL)
        os.kill(writer, signal.SIGCONT)
        wait_until(lambda: not Path(f"/proc/{writer}/exe").exists(), what="it ends", deadline_s=WITHIN_S)
        found = stored_ids(url)

    assert found == {"ACME/R1": list(range(50))}


def test_workers_without_redis(broker: Service) -> None:
    """Two workers that take the same messages in store each once."""
    with folder() as where:
        url = f"sqlite:///{where}/gateway.db"
        with gateway(broker, database_url=url, workers=2) as running:
            wait_until(lambda: running.metric(CONNECTED) == 2, what="both are connected", deadline_s=WITHIN_S)
            with RobotFleet(broker.port, robots=5) as fleet:
                wait_until(lambda: fleet.sent > 100, what="100 were sent", deadline_s=WITHIN_S)
            wait_until(lambda: running.metric(STORED) == fleet.sent, what="all are stored", deadline_s=WITHIN_S)
        found = stored_ids(url)

    assert found == {robot: list(range(1, last + 1)) for robot, last in fleet.last_header_ids.items()}
