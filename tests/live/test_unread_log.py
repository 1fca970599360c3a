"""Nobody reads what the gateway writes to stderr: that costs lines of the log, and nothing else."""

import http.client
import os
import random
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from tests.live import ledger
from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import Crowd, commuter, sse, websocket
from tests.services import LOOPBACK, Gateway, Service, free_port, running, wait_until
from vda5050.log_outlet import MAX_WAITING_BYTES, Outlet

LOST = "vda5050_log_lines_lost_total"
pytestmark = pytest.mark.timeout(300)


class UnreadGateway(Gateway):
    """A gateway whose log is a pipe, and not shown beside a failed test."""

    def output(self) -> str:
        return ""


@pytest.fixture
def unread(broker: Service, tmp_path: Path) -> Iterator[tuple[Gateway, int]]:
    """Run a gateway whose log is a pipe; give it, and the end of the pipe that nobody reads."""
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    settings: dict[str, object] = {"mqtt_url": f"mqtt://{LOOPBACK}:{broker.port}", "max_requests_per_minute": 0}
    try:
        with running(UnreadGateway(port=free_port(), log=pipe, settings=settings)) as service:
            assert isinstance(service, Gateway)
            wait_until(lambda: service.has("/ready"), what="ready", deadline_s=20)
            yield service, reader
    finally:
        os.close(reader)


def test_streams_go_on(broker: Service, unread: tuple[Gateway, int]) -> None:
    """While thousands of lines find no reader, streams go on without a gap; read again, the log says what it lacks."""
    service, reader = unread
    with RobotFleet(broker.port, robots=20, rate_hz=5) as fleet, Crowd() as crowd:
        for number, connect in enumerate((sse(service.port), sse(service.port, is_gzip=True), websocket(service.port))):
            crowd.add(f"reader {number}", connect)
            crowd.add(f"commuter {number}", connect, commuter(random.Random(number)))
        wait_until(lambda: all(w.updates for w in crowd.witnesses), what="all are served", deadline_s=30)

        wait_until(lambda: ask_often(service) and service.metric(LOST) > 0, what="lines are lost", deadline_s=150)
        fleet.stop()
        crowd.settle(fleet.last_header_ids, deadline_s=40)

    assert crowd.violations() == []
    assert ledger.missing(witness.trail for witness in crowd.witnesses) == []
    text = b""

    def is_told() -> bool:
        nonlocal text
        text += read_all(reader)
        service.get("/robots")
        return b'"lines of the log were lost, for nobody read it"' in text

    wait_until(is_told, what="the log says that lines were lost", deadline_s=30)
    service.stop()
    assert b"the gateway stops" in read_all(reader)


def ask_often(service: Gateway) -> bool:
    """Cause a few hundred lines, over one connection."""
    with closing(http.client.HTTPConnection(service.host, service.port, timeout=60)) as connection:
        for _ in range(500):
            connection.request("GET", "/robots?robots=NOBODY/*")
            connection.getresponse().read()
    return True


def read_all(reader: int) -> bytes:
    """Read what there is."""
    text = b""
    while True:
        try:
            data = os.read(reader, 65_536)
        except BlockingIOError:
            return text
        if not data:
            return text
        text += data


@contextmanager
def socket_nobody_reads() -> Iterator[TextIO]:
    """Give what stderr is under systemd: a socket of the journal's."""
    ours, theirs = socket.socketpair()
    with ours, theirs, os.fdopen(os.dup(ours.fileno()), "w") as stream:
        yield stream


@contextmanager
def terminal_nobody_reads() -> Iterator[TextIO]:
    """Give what stderr is for a person who pressed Ctrl-S."""
    theirs, ours = os.openpty()
    with os.fdopen(theirs, "rb", buffering=0), os.fdopen(ours, "w") as stream:
        yield stream


@pytest.mark.parametrize("unread_stream", [socket_nobody_reads, terminal_nobody_reads])
def test_no_write_waits(unread_stream: object) -> None:
    """A socket or a terminal that nobody reads takes what it has room for, and holds nobody up either."""
    assert callable(unread_stream)
    with unread_stream() as stream:
        outlet = Outlet(stream)
        for _ in range(2 * MAX_WAITING_BYTES // 1_000):
            outlet.put("x" * 999)
        outlet.close()

        assert outlet.is_waiting
        assert outlet.lost > 0
        assert os.get_blocking(stream.fileno())
