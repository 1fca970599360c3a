"""How a worker ends: what is announced and when, and how a stop is told from a takeover by the master's sockets."""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import gevent
import pytest

from vda5050 import life_cycle


@dataclass(slots=True)
class FakeWorker:
    """gunicorn's worker, as far as it is used; its master is this very process."""

    sockets: list[socket.socket]
    ppid: int = field(default_factory=os.getpid)
    alive: bool = True


class FakeService:
    """Notes what it is told, and whether the worker was still alive then."""

    stream_count = 3

    def __init__(self, worker: FakeWorker) -> None:
        self.is_stopping = False
        self.told: list[tuple[str, bool]] = []
        self.back_after_s = -1.0
        self._worker = worker

    def announce_stop(self, in_s: float) -> None:
        self.is_stopping = True
        self.told.append((f"announce {in_s:g}", self._worker.alive))

    def drain(self, over_s: float, *, back_after_s: float, patience_s: float) -> None:
        self.back_after_s = back_after_s
        self.told.append((f"drain {over_s:g}, {patience_s:g}", self._worker.alive))

    def stop(self) -> None:
        self.told.append(("stop", self._worker.alive))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Make a socket, which the master has as long as it is open here."""
    with socket.socket() as sock:
        yield sock


def test_stop(listener: socket.socket) -> None:
    """Where the master has closed its sockets, the worker goes on to answer until its streams have ended."""
    worker = FakeWorker([listener], ppid=os.getppid())  # which does not have this socket
    service = FakeService(worker)

    life_cycle._end(worker, service, 3.0)  # noqa: SLF001 - the signal itself is tested live

    assert service.told == [("announce 5", True), ("drain 3, 1", True), ("stop", True)]
    assert service.back_after_s == 5.0
    assert not worker.alive


def test_takeover(listener: socket.socket) -> None:
    """Where the master still listens, the worker accepts no more at once, refuses nobody and sends all away soon."""
    worker = FakeWorker([listener])
    service = FakeService(worker)

    life_cycle._end(worker, service, 3.0)  # noqa: SLF001

    assert service.told == [("drain 3, 1", False), ("stop", False)]
    assert service.back_after_s == 0.0


def test_master_that_cannot_be_looked_at(listener: socket.socket) -> None:
    """Where nothing can be seen, others are assumed to take over: a connection refused is safer than a 503."""
    worker = FakeWorker([listener], ppid=2**31 - 1)
    service = FakeService(worker)

    life_cycle._end(worker, service, 3.0)  # noqa: SLF001

    assert not service.is_stopping


def test_exit_waits_for_the_end(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is taken over and has no connection any more exits only when its service has stopped."""
    worker = FakeWorker([listener])
    service = FakeService(worker)
    handlers: list[Callable[[], None]] = []
    monkeypatch.setattr(gevent, "signal_handler", lambda _signal, handler: handlers.append(handler))
    monkeypatch.setattr(service, "drain", lambda *_, **__: gevent.sleep(0))
    wait = life_cycle.end_in_order(worker, service, over_s=3.0)
    wait()  # nothing has begun

    handlers[0]()
    while worker.alive:
        gevent.sleep(0)
    told_when_gunicorn_exits = list(service.told)
    wait()

    assert told_when_gunicorn_exits == []
    assert service.told == [("stop", False)]
