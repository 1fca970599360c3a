"""The courier has messages stored by another process, never waits for it, and counts what it loses with it."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import gevent
import pytest

from tests.unit.history.recorded import Archive, archive, lost, record, stored
from vda5050.history import courier, lease
from vda5050.history.backlog import RECORD_BYTES
from vda5050.history.courier import Courier
from vda5050.history.writer import Standing
from vda5050.metrics import Metrics
from vda5050.settings import Settings


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait long for another process."""
    monkeypatch.setattr(courier, "BACK_OFF_S", (0.05, 0.1))


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """End the processes of a test that failed on its way, those that hang too."""
    yield
    while Office.opened:
        if (process := Office.opened.pop().courier.process_id) is not None:
            os.kill(process, signal.SIGKILL)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Archive]:
    """Give an empty archive."""
    with archive(tmp_path) as found:
        yield found


class Office:
    """A courier to the database in a folder, and its metrics."""

    opened: ClassVar["list[Office]"] = []

    def __init__(self, folder: Path, *, max_buffer_bytes: int = 1_000_000) -> None:
        self.metrics = Metrics()
        settings = Settings(database_url=f"sqlite:///{folder}/history.db", history_buffer_bytes=max_buffer_bytes)
        self.courier = Courier(settings, self.metrics, owner="me", clock=time.monotonic)
        self.opened.append(self)

    def start(self, standing: Standing = Standing.WRITING) -> int:
        """Start, wait until the writer stands so, and give its process id."""
        self.courier.start()
        self.wait_until(standing)
        process = self.courier.process_id
        assert process is not None
        return process

    def put(self, *numbers: int, document: bytes | None = None) -> None:
        """Let messages arrive, now: the process has no other clock, and lets go what is old."""
        for number in numbers:
            self.courier.put(record(number, document)._replace(received_at=time.time()))

    def hold(self, process: int, *numbers: int) -> None:
        """Let a process hang, with messages in its hands."""
        os.kill(process, signal.SIGSTOP)
        self.put(*numbers)
        self.wait(lambda: self.courier.sent == len(numbers))

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until something is so."""
        with gevent.Timeout(20):
            while not until():
                gevent.sleep(0.01)

    def wait_until(self, standing: Standing) -> None:
        """Wait until the writer stands so."""
        self.wait(lambda: self.courier.standing is standing)

    def gauge(self) -> float | None:
        """Read how many bytes wait."""
        return self.metrics.registry.get_sample_value("vda5050_history_buffer_bytes")


def test_stores(tmp_path: Path, kept: Archive) -> None:
    """What was put is stored within a moment, of the topics asked for, and nothing waits any more."""
    office = Office(tmp_path)
    office.courier.start()
    office.put(*range(1, 1_001))
    office.courier.put(record(2_000, topic="visualization"))
    assert office.gauge() == office.courier.buffer_bytes > 1_000 * RECORD_BYTES
    office.wait(lambda: stored(office.metrics) == 1_000)
    office.wait(lambda: office.courier.buffer_bytes == 0)
    office.put(1_001)
    office.courier.stop()
    office.courier.stop()

    assert kept.offsets() == list(range(1, 1_002))
    assert (stored(office.metrics), office.gauge()) == (1_001, 0)


def test_another_process(tmp_path: Path, kept: Archive) -> None:
    """It is another process that writes, one that lets others go first and that nobody's Ctrl-C ends."""
    office = Office(tmp_path)
    process = office.start()
    assert os.getpriority(os.PRIO_PROCESS, process) > os.getpriority(os.PRIO_PROCESS, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process, number)
    office.put(1)
    office.courier.stop()

    assert kept.offsets() == [1]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_that_is_killed(tmp_path: Path, kept: Archive, caplog: pytest.LogCaptureFixture) -> None:
    """Another one goes on. What the first had in its hands is stored or counted, each message one of the two."""
    caplog.set_level(logging.ERROR, "vda5050.history")
    office = Office(tmp_path)
    first = office.start()
    office.hold(first, *range(1, 101))
    os.kill(first, signal.SIGKILL)
    office.put(*range(101, 201))
    office.wait(lambda: office.courier.process_id not in (None, first))
    office.wait_until(Standing.WRITING)
    office.courier.stop()

    assert kept.offsets() == list(range(101, 201))
    assert (stored(office.metrics), lost(office.metrics, "process"), office.gauge()) == (100, 100, 0)
    assert any("ended" in line.getMessage() for line in caplog.records)


def test_an_outage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the database is away the buffer fills, what is beyond is counted; afterwards writing goes on by itself."""
    caplog.set_level(logging.ERROR, "vda5050.history")
    (tmp_path / "var").write_text("a file in the way")
    office = Office(tmp_path / "var", max_buffer_bytes=10 * (2 + RECORD_BYTES))
    office.courier.start()
    office.put(*range(1, 16), document=b"{}")
    office.wait_until(Standing.FAILING)
    assert "File exists" in office.courier.problem
    office.wait(lambda: lost(office.metrics, "buffer") == 5)

    (tmp_path / "var").unlink()
    office.wait(lambda: office.courier.buffer_bytes == 0)
    office.put(16, document=b"{}")
    office.courier.stop()

    with archive(tmp_path / "var") as kept:
        assert kept.offsets() == [*range(1, 11), 16]
    assert (stored(office.metrics), lost(office.metrics, "buffer")) == (11, 5)
    assert sum("messages lost" in line.getMessage() for line in caplog.records) == 1


def test_stopped_while_the_database_is_away(tmp_path: Path) -> None:
    """What could not be stored until the end is counted as lost."""
    (tmp_path / "var").write_text("a file in the way")
    office = Office(tmp_path / "var")
    office.courier.start()
    office.put(1, 2)
    office.wait_until(Standing.FAILING)
    office.courier.stop()

    assert lost(office.metrics, "shutdown") == 2


def test_a_process_that_hangs(tmp_path: Path, kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end does not wait for it for ever, and what it had is counted as lost."""
    monkeypatch.setattr(courier, "END_TIMEOUT_S", 0.2)
    office = Office(tmp_path)
    process = office.start()
    os.kill(process, signal.SIGSTOP)
    office.put(1, 2, 3)
    office.courier.stop()

    assert kept.offsets() == []
    assert lost(office.metrics, "shutdown") == 3
    office.wait(lambda: not Path(f"/proc/{process}/exe").exists())


def test_a_process_that_says_nothing(tmp_path: Path, kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs is ended, and another one goes on."""
    monkeypatch.setattr(courier, "ANSWER_TIMEOUT_S", 3.0)
    office = Office(tmp_path)
    first = office.start()
    os.kill(first, signal.SIGSTOP)
    office.wait_until(Standing.FAILING)
    assert "ended with code -9" in office.courier.problem
    office.put(1)
    office.wait_until(Standing.WRITING)
    office.courier.stop()

    assert kept.offsets() == [1]


def test_what_cannot_be_sent(
    tmp_path: Path, kept: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails in sending, it begins anew, and what was not sent is stored then."""
    caplog.set_level(logging.WARNING, "vda5050.history")
    office = Office(tmp_path)
    office.courier.start()
    office.wait_until(Standing.WRITING)
    with monkeypatch.context() as patch:
        patch.setattr(courier, "weight", lambda _record: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            office.put(1)
        patch.setattr(courier, "weight", lambda _record: 1)
        patch.setattr(courier, "say", lambda _sock, _word: 1 / 0)
        office.put(2)
        office.wait_until(Standing.FAILING)
    office.put(3)
    office.wait_until(Standing.WRITING)
    office.courier.stop()

    assert kept.offsets() == [3]
    assert lost(office.metrics, "process") == 1


def test_what_never_came_is_lost(tmp_path: Path, kept: Archive) -> None:
    """What this worker was not given is counted where it is the one that writes."""
    office = Office(tmp_path)
    office.start()
    office.courier.skip(7)
    office.courier.stop()
    kept.lane.write(lambda connection: lease.take(connection, "another"))
    other = Office(tmp_path)
    other.start(Standing.STANDBY)
    other.courier.skip(7)
    other.courier.stop()

    assert (lost(office.metrics, "skipped"), lost(other.metrics, "skipped")) == (7, 0)


def test_one_that_stands_by_loses_nothing(tmp_path: Path, kept: Archive) -> None:
    """What it has in its hands when it is killed is in those of the process that writes."""
    kept.lane.write(lambda connection: lease.take(connection, "another"))
    office = Office(tmp_path)
    process = office.start(Standing.STANDBY)
    office.put(1, 2, 3)
    office.wait(lambda: office.courier.sent == 3)
    os.kill(process, signal.SIGKILL)
    office.wait_until(Standing.FAILING)
    office.courier.stop()

    assert lost(office.metrics, "process") == lost(office.metrics, "shutdown") == 0


def test_stopped_between_two_processes(tmp_path: Path, kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end does not wait for the next one, and each message is counted once."""
    monkeypatch.setattr(courier, "BACK_OFF_S", (30, 30))
    office = Office(tmp_path)
    process = office.start()
    office.hold(process, 1, 2, 3)
    os.kill(process, signal.SIGKILL)
    office.wait(lambda: lost(office.metrics, "process") == 3)
    office.put(4)
    office.courier.stop()

    assert kept.offsets() == []
    assert (lost(office.metrics, "process"), lost(office.metrics, "shutdown")) == (3, 1)


def test_no_process_can_be_started(
    tmp_path: Path, kept: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, and tried again."""
    caplog.set_level(logging.CRITICAL, "vda5050.history")
    office = Office(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        office.courier.start()
        office.wait_until(Standing.FAILING)
        assert "No such file" in office.courier.problem
    office.put(1)
    office.wait_until(Standing.WRITING)
    office.courier.stop()

    assert kept.offsets() == [1]
