"""Hands every update to the process that writes, and knows how that stands: the history's `Sink`.

Takes records on the hot path; one greenlet sends them on, a few hundredths of a second later and in small pieces, since
the streams wait meanwhile. Bounded: what was put and is not yet off the writer's hands has `max_buffer_bytes` at most,
wherever it is. What is beyond is lost and counted as `buffer` (the newest, so that what is missing is one stretch with
an end); what a process that died had in its hands is counted as `process`, and another one is started; what this worker
was not given, because Redis was away from it alone for too long, as `skipped`. See `writer` for what else can be lost.
"""

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path

import gevent
from gevent import socket, subprocess
from gevent.event import Event

from vda5050.greenlets import start
from vda5050.history.backlog import weight
from vda5050.history.talk import Orders, Packer, Report, heard, say
from vda5050.history.writer import STOP_TIMEOUT_S, Standing
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.settings import Settings
from vda5050.sinks import Record

log = get_logger(__name__)

GATHER_S = 0.02
"""So long records wait for others: what is said one by one costs more."""
PIECE_RECORDS = 50
PIECE_BYTES = 131_072
"""So many are made ready before the streams have their turn: about 0.2 ms."""
ANSWER_TIMEOUT_S = 60.0
"""A process that is not heard for so long hangs: it reports every second."""
BACK_OFF_S = (0.5, 10.0)
STABLE_AFTER_S = 30.0
"""A process that lived for so long was a good one; after one that did not, the next is started ever later."""
END_TIMEOUT_S = STOP_TIMEOUT_S + 1.0
LOG_EVERY_S = 10.0
_MODULE = "vda5050.history.process"
_ROOT = Path(__file__).parents[2]


class Courier:
    """A `Sink` that has it stored. `owner` names this gateway's process in the database's lease."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        owner: str,
        clock: Callable[[], float],
    ) -> None:
        self.standing = Standing.OPENING
        self.problem = ""
        self._orders = Orders(
            owner=owner,
            database_url=settings.database_url,
            max_age_days=settings.history_max_age_days,
            max_bytes=settings.history_max_bytes,
            max_buffer_bytes=settings.history_buffer_bytes,
            log_level=settings.log_level,
            log_format=settings.log_format,
            secrets=tuple(settings.secrets),
        )
        self._metrics = metrics
        self._topics: Collection[str] = frozenset(settings.history_topics)
        self._max_buffer_bytes = settings.history_buffer_bytes
        self._clock = clock
        self._waiting: deque[Record] = deque()
        self._is_waiting = Event()
        self.sent = self._sent_bytes = 0
        self._waiting_bytes = 0
        self._done = self._done_bytes = 0
        self._overflow = 0
        self._stands_by = False
        self._lost: Counter[str] = Counter()
        self._said_at = float("-inf")
        self._stopping = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None
        metrics.history_buffer.set_function(lambda: self.buffer_bytes)

    @property
    def buffer_bytes(self) -> int:
        """What was put and is not off the writer's hands."""
        return self._waiting_bytes + self._sent_bytes - self._done_bytes

    @property
    def process_id(self) -> int | None:
        """That of the process that writes; None while there is none."""
        return None if self._process is None else self._process.pid

    def put(self, record: Record) -> None:
        """Take one record, or count it as lost."""
        if record.address.topic not in self._topics:
            return
        size = weight(record)
        if self.buffer_bytes + size > self._max_buffer_bytes:
            self._overflow += 1
            return
        self._waiting_bytes += size
        self._waiting.append(record)
        if len(self._waiting) == 1:
            self._is_waiting.set()

    def skip(self, count: int) -> None:
        """Count as lost what this worker was not given, if it is the one that writes."""
        self._count_lost("skipped", count)

    def start(self) -> None:
        """Start the greenlet, and with it the process."""
        self._greenlet = start(self._run, name="history_courier")

    def stop(self) -> None:
        """Have stored what waits, for at most END_TIMEOUT_S, and end the process. May be called twice."""
        self._stopping.set()
        self._is_waiting.set()
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is None:
            return
        greenlet.join(END_TIMEOUT_S)
        greenlet.kill()
        if self._process is not None:
            self._process.kill()
        self._count_overflow()
        self._count_lost("shutdown", len(self._waiting) + self._let_go())
        self._say_losses(every_s=0.0)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = self._clock()
            try:
                self._serve_once()
            except Exception as error:
                self.problem = f"the process that writes could not be served: {error}"
                log.exception("the process that writes the history could not be served; the next one goes on")
            if not self._stopping.is_set():
                self.standing = Standing.FAILING
                self._count_lost("process", self._let_go())
                self._count_overflow()
                failures = 0 if self._clock() - started > STABLE_AFTER_S else failures + 1
                self._stopping.wait(min(BACK_OFF_S[1], BACK_OFF_S[0] * 2 ** min(failures, 10)))

    def _serve_once(self) -> None:
        """Start a process, and serve it until it has ended. Raises OSError where it cannot be started."""
        ours, theirs = socket.socketpair()
        with ours:
            ours.settimeout(ANSWER_TIMEOUT_S)
            with theirs:
                process = self._process = _start(theirs.fileno())
            is_there = Event()
            sender = start(partial(self._send_for_ever, ours, is_there), name="history_sender")
            ends_by_itself = False
            try:
                for report in heard(ours):
                    self._take(report)
                    is_there.set()
                ends_by_itself = self._stopping.is_set()
            finally:
                sender.kill()
                if not ends_by_itself:
                    process.kill()
                code = process.wait()
                self._process = None
        if not self._stopping.is_set():
            self.problem = f"the process that writes ended with code {code}"
            log.error("the process that writes the history ended", code=code)

    def _let_go(self) -> int:
        """Forget what a process had in its hands that is no more; returns how many messages these were."""
        lost = self.sent - self._done
        self.sent = self._sent_bytes = self._done = self._done_bytes = 0
        return lost

    def _send_for_ever(self, sock: socket.socket, is_there: Event) -> None:
        """Send what waits once the process is there, and when that is all there will be, close our side."""
        packer = Packer()
        try:
            say(sock, self._orders)
            is_there.wait()  # one that cannot start takes nothing with it
            while self._waiting or not self._stopping.is_set():
                if not self._waiting:
                    self._is_waiting.clear()
                    self._is_waiting.wait()
                self._stopping.wait(GATHER_S)
                while self._waiting:
                    say(sock, packer.pack(self._next_piece()))
                    gevent.sleep(0)
            sock.shutdown(socket.SHUT_WR)
        except Exception as error:  # noqa: BLE001 - whatever it is, who hears the reports ends with it and begins anew
            log.warning("nothing can be sent to the process that writes the history", problem=repr(error))
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _next_piece(self) -> list[Record]:
        piece: list[Record] = []
        size = 0
        while self._waiting and len(piece) < PIECE_RECORDS and size < PIECE_BYTES:
            record = self._waiting.popleft()
            piece.append(record)
            size += weight(record)
        self._waiting_bytes -= size
        self._sent_bytes += size
        self.sent += len(piece)
        return piece

    def _take(self, report: Report) -> None:
        self.standing, self.problem = report.standing, report.problem
        self._stands_by = report.standing is Standing.STANDBY
        self._done, self._done_bytes = report.done, report.done_bytes
        for call in report.calls:
            call.make(self._metrics)
        self._count_overflow()

    def _count_overflow(self) -> None:
        overflow, self._overflow = self._overflow, 0
        self._count_lost("buffer", overflow)

    def _count_lost(self, reason: str, count: int) -> None:
        if count and not self._stands_by:  # where it does, the process that writes has them
            self._metrics.history_lost.labels(reason).inc(count)
            self._lost[reason] += count
            self._say_losses(every_s=LOG_EVERY_S)

    def _say_losses(self, *, every_s: float) -> None:
        now = self._clock()
        if self._lost and now - self._said_at >= every_s:
            self._said_at = now
            log.error("messages lost for the history", problem=self.problem, **self._lost)
            self._lost.clear()


def _start(descriptor: int) -> "subprocess.Popen[bytes]":
    """Start the process in this one's folder, to which a database's path may be relative.

    In a session of its own: Ctrl-C and other signals to the gateway's group are not for it (see `process`).
    """
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE, str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
