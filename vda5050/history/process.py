"""The process that writes: `python -m vda5050.history.process DESCRIPTOR`, started by `courier`; see `talk`.

Why a process: compressing and writing is Python for a good part. Done by a thread of the gateway it kept the streams
waiting for the interpreter's lock, and for long where the thread that held it had lost its processor to somebody else
(benchmarks/EARLIER.md). And it is a polite one (`make_way`): what is written may come later, what is streamed may not.

It ends when the gateway has closed its side, or died, after it has stored what came until then, where the database lets
it within `writer.STOP_TIMEOUT_S` and nobody ends it first (a service manager does when the gateway's master is gone).
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gevent import socket
from gevent.event import Event

from vda5050 import logs
from vda5050.database import Database
from vda5050.greenlets import start
from vda5050.history.backlog import weight
from vda5050.history.retention import Retention
from vda5050.history.talk import NotedMetrics, Orders, Report, Unpacker, heard, say
from vda5050.history.writer import Writer

log = logs.get_logger(__name__)

REPORT_S = 0.1
REPORT_AT_LEAST_S = 1.0
"""Also where nothing is new: the gateway takes one that says nothing for one that hangs."""
NICENESS = 10
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""Who ends the gateway may signal all its processes; what it still sends is to be stored."""
_DAY_S = 86_400.0


class Scribe:
    """A writer that takes its records from a socket and reports there."""

    def __init__(self, sock: socket.socket, orders: Orders) -> None:
        self._sock = sock
        self._noted = NotedMetrics()
        metrics: Any = self._noted
        retention = Retention(
            metrics,
            max_age_s=orders.max_age_days * _DAY_S,
            max_bytes=orders.max_bytes,
            clock=time.monotonic,
            wall_clock=time.time,
        )
        self._writer = Writer(
            Database(orders.database_url),
            metrics,
            owner=orders.owner,
            max_standby_bytes=orders.max_buffer_bytes * 3 // 4,  # so that the gateway's buffer never is full meanwhile
            tend=retention.tend,
            clock=time.monotonic,
            wall_clock=time.time,
        )
        self._taken = self._taken_bytes = 0
        self._told: Report | None = None
        self._told_at = 0.0
        self._is_ending = Event()

    def serve(self, words: Iterator[Any]) -> None:
        """Store what comes until nothing does."""
        self._writer.start()
        reporter = start(self._report_until_the_end, name="history_reporter")
        unpacker = Unpacker()
        try:
            for piece in words:
                records = unpacker.unpack(piece)
                for record in records:
                    self._writer.put(record)
                    self._taken_bytes += weight(record)
                self._taken += len(records)
        finally:
            self._writer.stop()
            self._is_ending.set()
            reporter.join()
            self._report(waiting=0, waiting_bytes=0)

    def _report_until_the_end(self) -> None:
        while not self._is_ending.is_set():
            try:
                self._report(waiting=self._writer.waiting, waiting_bytes=self._writer.waiting_bytes)
            except Exception:
                log.exception("a report of the history's writer failed; the next one goes on")
            logs.write_waiting()
            self._is_ending.wait(REPORT_S)

    def _report(self, *, waiting: int, waiting_bytes: int) -> None:
        """Tell what is new."""
        calls, self._noted.calls[:] = self._noted.calls[:], []
        writer, now = self._writer, time.monotonic()
        report = Report(
            writer.standing, writer.problem, self._taken - waiting, self._taken_bytes - waiting_bytes, calls
        )
        if report != self._told or now - self._told_at >= REPORT_AT_LEAST_S:
            self._told, self._told_at = report._replace(calls=[]), now
            with suppress(OSError):  # the gateway is gone; what it had sent is stored all the same
                say(self._sock, report)


def make_way() -> None:
    """Let the gateway go first where both want a processor, and last where there is no memory left."""
    with suppress(OSError):  # who may not say so has no way to make
        Path("/proc/self/oom_score_adj").write_text("500")
        os.nice(NICENESS)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def main() -> None:
    """Serve the gateway at the other end of the socket whose descriptor the command line names."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    sock = socket.socket(fileno=int(sys.argv[1]))
    words = heard(sock)
    orders: Orders | None = next(words, None)
    if orders is None:
        return
    logs.configure(level=orders.log_level, format_=orders.log_format, secrets=orders.secrets)
    make_way()
    Scribe(sock, orders).serve(words)


if __name__ == "__main__":
    main()
