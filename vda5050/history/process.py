"""The process that writes: `python -m vda5050.history.process DESCRIPTOR`, started by `courier`; see `talk`.

Why a process: compressing and writing is Python for a good part. Done by a thread of the gateway it kept the streams
waiting for the interpreter's lock, and for long where the thread that held it had lost its processor to somebody else
(benchmarks/README.md). And it is a polite one (`make_way`): what is written may come later, what is streamed may not.

It ends when the gateway has closed its side, or died, and what came until then is stored or counted as lost.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
from gevent import socket

from vda5050 import logs
from vda5050.database import Database
from vda5050.history.retention import Retention
from vda5050.history.talk import NotedMetrics, Orders, Report, heard, say
from vda5050.history.writer import Writer, weight

REPORT_S = 0.1
NICENESS = 10
_DAY_S = 86_400.0


class Scribe:
    """A writer that takes its records from a socket and reports there."""

    def __init__(self, sock: socket.socket, orders: Orders) -> None:
        settings = orders.settings
        self._sock = sock
        self._noted = NotedMetrics()
        metrics: Any = self._noted
        retention = Retention(
            metrics,
            max_age_s=settings.history_max_age_days * _DAY_S,
            max_bytes=settings.history_max_bytes,
            clock=time.monotonic,
            wall_clock=time.time,
        )
        self._writer = Writer(
            Database(settings.database_url),
            metrics,
            owner=orders.owner,
            tend=retention.tend,
            clock=time.monotonic,
            wall_clock=time.time,
        )
        self._taken = self._taken_bytes = 0
        self._told: Report | None = None

    def serve(self, words: Iterator[Any]) -> None:
        """Store what comes until nothing does."""
        self._writer.start()
        reporter = gevent.spawn(self._report_for_ever)
        for records in words:
            for record in records:
                self._writer.put(record)
                self._taken_bytes += weight(record)
            self._taken += len(records)
        self._writer.stop()
        reporter.kill()
        self._report(waiting=0, waiting_bytes=0)

    def _report_for_ever(self) -> None:
        while True:
            gevent.sleep(REPORT_S)
            self._report(waiting=self._writer.waiting, waiting_bytes=self._writer.buffer_bytes)
            logs.write_waiting()

    def _report(self, *, waiting: int, waiting_bytes: int) -> None:
        """Tell what is new."""
        calls, self._noted.calls[:] = self._noted.calls[:], []
        writer = self._writer
        report = Report(
            writer.standing, writer.problem, self._taken - waiting, self._taken_bytes - waiting_bytes, calls
        )
        if report != self._told:
            self._told = report._replace(calls=[])
            with suppress(OSError):  # the gateway is gone; what it had sent is stored all the same
                say(self._sock, report)


def make_way() -> None:
    """Let the gateway go first where both want a processor."""
    with suppress(OSError):  # who may not say so has no way to make
        os.nice(NICENESS)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def main() -> None:
    """Serve the gateway at the other end of the socket whose descriptor the command line names."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to a whole group it would lose what the gateway still sends
    sock = socket.socket(fileno=int(sys.argv[1]))
    words = heard(sock)
    orders: Orders | None = next(words, None)
    if orders is None:
        return
    settings = orders.settings
    logs.configure(level=settings.log_level, format_=settings.log_format, secrets=settings.secrets)
    make_way()
    Scribe(sock, orders).serve(words)


if __name__ == "__main__":
    main()
