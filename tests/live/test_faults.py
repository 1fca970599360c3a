"""What goes wrong around a gateway under load, one after the other, and clients that check every number meanwhile.

The robots' way to the gateway leads over a proxy, so that their connection to the broker stays while the gateway's
breaks. tests/live/test_life_cycle.py has the faults of the gateway itself, test_broker_faults.py each fault of the
broker by itself, test_sequence.py the clients that stand still.
"""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.full_disk import small_disk
from tests.live import ledger
from tests.live.bad_payloads import (
    ODD_PAYLOADS,
    REFUSED_PAYLOADS,
    STRANGE_NAMES,
    TOPICS_THAT_DO_NOT_FIT,
    WELL_FORMED_PAYLOADS,
)
from tests.live.ledger import Trail
from tests.live.mqtt_packets import Publisher
from tests.live.sequence_checker import Count, Promise
from tests.live.stage import scene
from tests.live.tcp_proxy import TcpProxy
from tests.services import LOOPBACK, Gateway, Service, free_port, gateway, mosquitto, running, wait_until

WALL_CLOCK = """
import time
_time, _time_ns = time.time, time.time_ns
def _offset_s():
    with open({path!r}) as file:
        return int(file.read() or 0)
time.time = lambda: _time() + _offset_s()
time.time_ns = lambda: _time_ns() + _offset_s() * 10**9
"""
"""A sitecustomize for the gateway's Python. (libfaketime 0.9.10 breaks Python's sleep where it leaves the monotonic
clock alone.)"""
CONNECTS = "vda5050_broker_connects_total"
REJECTED = "vda5050_rejected_messages_total"
HISTORY_LOST = "vda5050_history_lost_total"
HISTORY_STORED = "vda5050_history_stored_total"
STREAMS = "vda5050_streams"


@pytest.mark.parametrize("skipped", [3, 7])
def test_ledger_finds_what_one_client_was_not_told(skipped: int) -> None:
    """A number that one client saw and another one, which saw those around it, did not, is found."""
    complete, lacking, late = Trail(), Trail(), Trail()
    for trail, begin in ((complete, 0), (lacking, 0), (late, 5)):
        trail.begin(f"e-{begin}")
        for offset in range(begin + 1, 10):
            if trail is not lacking or offset != skipped:
                trail.go_on(f"e-{offset}")

    assert len(ledger.missing([complete, lacking, late])) == 1
    assert ledger.missing([complete, late]) == []


def reconnected(service: Gateway, before: float) -> None:
    """Wait until the gateway has its broker again."""
    wait_until(lambda: service.metric(CONNECTS) > before and service.has("/ready"), what="connected", deadline_s=20)


def test_broker_connection_is_cut_goes_silent_and_the_broker_dies() -> None:
    """None of that ends a stream or resets one, and what was numbered, everybody was told, in order.

    Retained messages, which the broker sends again each time, are updates like others.
    """
    with mosquitto() as broker, TcpProxy(broker.port) as proxy, Publisher(broker.port) as robot:
        for number in range(5):
            robot.publish(
                f"uagv/v2/ACME/AGV_00{number}/connection", json.dumps({"headerId": 1}), qos=1, is_retained=True
            )
        with (
            gateway(proxy, mqtt_keepalive_s=1) as service,
            scene(service, broker, Promise(header_ids=Count.RISING)) as stage,
        ):
            connects = service.metric(CONNECTS)
            proxy.cut()
            reconnected(service, connects)

            connects = service.metric(CONNECTS)
            proxy.silence()
            wait_until(lambda: not service.has("/ready"), what="the silence is noticed", deadline_s=15)
            proxy.speak()
            reconnected(service, connects)

            connects = service.metric(CONNECTS)
            broker.kill()
            wait_until(lambda: not service.has("/ready"), what="the death is noticed", deadline_s=15)
            broker.start()
            reconnected(service, connects)

            stage.settle()
            stage.assert_nobody_was_reset()
            assert min(w.statuses for w in stage.crowd.witnesses if "reader" in w.name) == 6


@pytest.fixture
def clock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let Python, where it is started from now on, add a file's seconds to the wall clock; monotonic time is real."""
    path = tmp_path / "clock"
    path.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(WALL_CLOCK.format(path=str(path)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return path


def test_wall_clock_jumps(broker: Service, clock_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set forward by hours and back by a day under load decides nothing: no stream, no robot, no link.

    Only what people read follows it. Afterwards silence makes robots stale in its time, which is monotonic.
    """
    settings: dict[str, object] = {"mqtt_url": f"mqtt://{LOOPBACK}:{broker.port}", "stale_after_s": 3}
    service = Gateway(port=free_port(), log=tmp_path / "log", settings=settings)
    monkeypatch.undo()
    with running(service):
        wait_until(lambda: service.has("/ready"), what="ready", deadline_s=20)
        with scene(service, broker, Promise()) as stage:
            seen_at = [last_seen(service)]
            for offset in ("+7200", "-86400", "+60"):
                clock_file.write_text(offset)
                sent = stage.fleet.sent
                while stage.fleet.sent < sent + 200:
                    assert service.has("/health")
                seen_at.append(last_seen(service))
                assert service.has("/ready")
                assert not any(entry["is_stale"] for entry in own_robots(service))

            silent_since = time.monotonic()
            stage.settle()
            stage.assert_nobody_was_reset()
            wait_until(lambda: all(e["is_stale"] for e in own_robots(service)), what="all are stale", deadline_s=15)
        assert time.monotonic() - silent_since > 2.5
        assert seen_at[2] < seen_at[0] < seen_at[3] < seen_at[1]  # ISO 8601: what people read did follow
        assert service.metric(CONNECTS) == 1


def test_robots_that_send_nonsense(broker: Service) -> None:
    """Whatever one robot sends, on whatever topic: the others' updates reach everybody, each once and in order."""
    payloads = [payload for payload, _ in [*REFUSED_PAYLOADS.values(), *ODD_PAYLOADS.values()]]
    payloads += [payload.encode() for payload in WELL_FORMED_PAYLOADS.values()]
    with (
        gateway(broker) as service,
        scene(service, broker, Promise()) as stage,
        Publisher(broker.port) as robot,
    ):
        for payload in payloads:
            robot.publish("uagv/v2/ODD/R1/visualization", payload)  # of states the clients read the headerId
        for name in STRANGE_NAMES:
            robot.publish(f"uagv/v2/ODD/{name}/visualization", '{"x":1}')
        for topic in TOPICS_THAT_DO_NOT_FIT:
            robot.publish(topic, "{}")
        wait_until(
            lambda: service.metric(REJECTED) >= len(REFUSED_PAYLOADS) + len(TOPICS_THAT_DO_NOT_FIT),
            what="what cannot be used was rejected",
        )

        stage.settle()
        stage.assert_nobody_was_reset()


def test_disk_that_is_full(broker: Service) -> None:
    """While the history's disk is full, and its buffer too, nobody's stream misses anything."""
    with (
        small_disk() as disk,
        gateway(broker, database_url=f"sqlite:///{disk.folder}/gateway.db", history_buffer_bytes=100_000) as service,
        scene(service, broker, Promise()) as stage,
    ):
        disk.fill()
        wait_until(lambda: service.metric(HISTORY_LOST) > 100, what="the history loses messages", deadline_s=60)
        disk.empty()
        stored = service.metric(HISTORY_STORED)
        wait_until(lambda: service.metric(HISTORY_STORED) > stored, what="it stores again", deadline_s=60)

        stage.settle()
        stage.assert_nobody_was_reset()


def test_no_descriptor_is_left(broker: Service, tmp_path: Path) -> None:
    """While nobody can be let in, who is there misses nothing; who comes waits, and resumes where it was."""
    settings: dict[str, object] = {"mqtt_url": f"mqtt://{LOOPBACK}:{broker.port}"}
    service = Gateway(port=free_port(), log=tmp_path / "log", settings=settings)
    vars(service)["_argv"][:0] = ["prlimit", "--nofile=200:200"]
    with running(service):
        wait_until(lambda: service.has("/ready"), what="ready", deadline_s=20)
        with scene(service, broker, Promise()) as stage:
            idle = [socket.create_connection((LOOPBACK, service.port)) for _ in range(400)]
            wait_until(lambda: "Too many open files" in service.output(), what="there is no descriptor", deadline_s=30)
            sent = stage.fleet.sent
            wait_until(lambda: stage.fleet.sent > sent + 200, what="robots have spoken meanwhile", deadline_s=30)
            for connection in idle:
                connection.close()
            wait_until(lambda: service.has("/health"), what="it answers again", deadline_s=30)

            stage.settle()
            assert all(not w.resets for w in stage.crowd.witnesses if "reader" in w.name)


def own_robots(service: Gateway) -> list[dict[str, object]]:
    """Give the fleet's entries."""
    robots: dict[str, dict[str, object]] = service.get("/robots?robots=ACME/AGV_*").json()
    return list(robots.values())


def last_seen(service: Gateway) -> str:
    """Give when a robot was last seen, as people read it."""
    return str(own_robots(service)[0]["last_seen"])
