"""The one who writes, in a process of its own: takes every record, stores them in batches.

Takes what `courier` sends, which bounds how much waits here; one greenlet hands a batch to a native thread every
FLUSH_S. What cannot be stored:

* `buffer`: a process that stands by could not hold what the one that writes left behind when it died.
* `refused`: the database does not take this record (say, a name with a NUL in PostgreSQL), however often it is asked.
* `shutdown`: the process ended while the database was away.

Counted by these reasons, logged at most once in LOG_EVERY_S. A batch whose end was not learnt is tried again under the
same ids, and what was stored already is left out: at most once, and at least once while it is in the buffer.

Of several processes with one database only the holder of the lease writes (`lease`); the others keep the last STANDBY_S
and take over where it stopped. One that has not been there for so long lets the others go first: they have what came
before it.
"""

from collections import Counter
from collections.abc import Callable
from enum import Enum

import gevent
from sqlalchemy import Connection

from vda5050.database import Database
from vda5050.errors import DatabaseUnavailable
from vda5050.greenlets import start
from vda5050.history import lease
from vda5050.history.backlog import Backlog
from vda5050.history.store import Store
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.sinks import Record

log = get_logger(__name__)

FLUSH_S = 0.25
REST_BUDGET_S = 0.15
"""For so long of FLUSH_S a batch may rest between its slices (see `store`), unless more waits than one batch holds."""
BACK_OFF_S = (0.5, 10.0)
WRITE_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 2.0
ASK_S = 2.0
"""The lease is renewed so often where there is nothing to write."""
STANDBY_S = lease.LEASE_S + 5
OVERLAP_S = 1.0
"""By so much two processes may differ in when they received one message."""
YIELD_S = 2
"""For so long a lease lies free before a newcomer takes it; whole seconds, of which the first may be short."""
LOG_EVERY_S = 10.0


class Standing(Enum):
    """How the writer stands; the value is for people."""

    OPENING = "not opened yet"
    WRITING = "writing"
    STANDBY = "another process writes"
    FAILING = "cannot write"


class Answer(Enum):
    """What came of asking for the lease."""

    KEPT = "kept"  # nobody else has written since
    TAKEN = "taken"  # somebody else may have
    ANOTHERS = "another's"


class Writer:
    """Stores what it is given.

    `owner` names this process in the lease; standing by it holds at most `max_standby_bytes`. `tend` is called about
    once a FLUSH_S while it writes, with a way to run short work in a transaction (see `retention`).
    """

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        owner: str,
        max_standby_bytes: int,
        tend: Callable[[Callable[[Callable[[Connection], bool]], bool]], None],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.standing = Standing.OPENING
        self.problem = ""
        self._lane = database.lane(threads=1)
        self._metrics = metrics
        self._owner = owner
        self._max_standby_bytes = max_standby_bytes
        self._tend = tend
        self._clock = clock
        self._wall_clock = wall_clock
        self._store = Store()
        self._backlog = Backlog(self._store.number)
        self._lost: Counter[str] = Counter()
        self._said_at = float("-inf")
        self._ask_at = float("-inf")
        self._started_at = clock()
        self._is_to_compare = False
        self._is_stopping = False
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def put(self, record: Record) -> None:
        """Take one record."""
        self._backlog.put(record)

    @property
    def waiting(self) -> int:
        """Records that are not stored yet."""
        return len(self._backlog)

    @property
    def waiting_bytes(self) -> int:
        """What these count (see `backlog.weight`)."""
        return self._backlog.size

    def start(self) -> None:
        """Start the greenlet."""
        self._greenlet = start(self._run, name="history_writer")

    def stop(self) -> None:
        """Store what waits, for at most STOP_TIMEOUT_S, and let another process write. May be called twice."""
        self._is_stopping = True
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is None:
            return
        greenlet.join(STOP_TIMEOUT_S)
        greenlet.kill()
        if self.standing is not Standing.STANDBY:
            self._lose("shutdown", self.waiting)
        self._say_losses(-LOG_EVERY_S)
        self._lane.close()

    def _run(self) -> None:
        failures = 0
        while True:
            is_last = self._is_stopping
            started = self._clock()
            try:
                self._round()
                failures = 0
            except DatabaseUnavailable as error:
                failures += 1
                self._fail(error.reason)
            except Exception as error:
                failures += 1
                log.exception("a round of the history's writer failed; the next one goes on")
                self._fail(f"internal error: {type(error).__name__}")
            self._say_losses(self._said_at)
            if is_last:
                self._release()
                return
            due_s = FLUSH_S - (self._clock() - started)
            self._pause(min(BACK_OFF_S[1], BACK_OFF_S[0] * 2 ** (failures - 1)) if failures else due_s)

    def _pause(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._is_stopping and (left := until - self._clock()) > 0:
            gevent.sleep(min(left, FLUSH_S))

    def _round(self) -> None:
        """Write what waits; without anything to write, renew the lease. Raises DatabaseUnavailable."""
        if self.standing is Standing.STANDBY:  # the process that writes has stored by now what is old
            self._backlog.forget_before(self._wall_clock() - STANDBY_S)
            self._backlog.keep_newest(self._max_standby_bytes)
        while self._hold():
            if self._backlog:
                self._write()
            goes_on = self._backlog.is_long or (self._is_stopping and self._backlog)
            if self.standing is Standing.WRITING and not goes_on:
                self._improve()
                if not self._is_stopping:
                    self._tend(self._do)
                return

    def _hold(self) -> bool:
        """Make sure that this process is the writer, and knows what the database has."""
        before = self.standing
        if before is Standing.WRITING and self._backlog:
            return True  # the lease is renewed with the batch
        if before is Standing.WRITING and self._clock() < self._ask_at and not self._is_stopping:
            return True
        is_newcomer = self._clock() < self._started_at + STANDBY_S and not self._is_stopping

        def take(connection: Connection) -> Answer:
            if lease.keep(connection, self._owner):
                if before is not Standing.WRITING:
                    self._store.load(connection)
                return Answer.KEPT
            if not lease.take(connection, self._owner, free_for_s=YIELD_S if is_newcomer else 0):
                return Answer.ANOTHERS
            self._store.load(connection)
            return Answer.TAKEN

        answer = self._lane.write(take, timeout_s=WRITE_TIMEOUT_S)
        self._ask_at = self._clock() + ASK_S
        if answer is Answer.ANOTHERS:
            self._stand_by()
            return False
        self._is_to_compare |= answer is Answer.TAKEN
        if self._is_to_compare:
            self._compare()
        self.standing, self.problem = Standing.WRITING, ""
        return True

    def _compare(self) -> None:
        """Let go what others have stored. Raises DatabaseUnavailable; what is not compared yet is not forgotten."""
        now = self._wall_clock()
        since = min(self._backlog.oldest_at, now) - OVERLAP_S
        recent = self._lane.read(
            lambda connection: self._store.recent(connection, since, now=now), timeout_s=WRITE_TIMEOUT_S
        )
        self._lose("buffer", self._backlog.skip_stored(recent))
        self._is_to_compare = False

    def _write(self) -> None:
        """Store the next batch, or cut it in halves where the database refuses it. Raises DatabaseUnavailable."""
        rest_budget_s = 0.0 if self._is_stopping or self._backlog.is_long else REST_BUDGET_S
        batch = self._backlog.batch()

        def write(connection: Connection) -> int | None:
            if not lease.keep(connection, self._owner):
                return None
            return self._store.write(connection, batch.records, batch.ids, rest_budget_s=rest_budget_s)

        started = self._clock()
        try:
            stored = self._lane.write(write, timeout_s=WRITE_TIMEOUT_S)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            self._store.forget()
            if len(batch.records) == 1:
                address = batch.records[0].address
                log.exception("the database refuses a message", topic=address.topic, robot=address.robot)
                self._lose("refused", 1)
                self._backlog.done()
            else:
                log.debug("the database refused a batch, which is now tried in halves", error=repr(error))
                self._backlog.refused()
            return
        ended = self._clock()
        self._ask_at = ended + ASK_S
        if stored is None:  # the lease was lost, and nothing written
            self._stand_by()
            return
        self._metrics.history_write.observe(ended - started - self._store.rested_s)
        self._store.note_kept()
        self._metrics.history_stored.inc(stored)
        self._backlog.done()

    def _improve(self) -> None:
        if not self._store.is_trial_due:
            return
        if candidates := self._lane.read(lambda _connection: self._store.candidates(), timeout_s=WRITE_TIMEOUT_S):
            now = self._wall_clock()
            self._store.use(self._lane.write(lambda connection: self._store.keep(connection, candidates, now)))

    def _do(self, work: Callable[[Connection], bool]) -> bool:
        return self._lane.write(work, timeout_s=WRITE_TIMEOUT_S)

    def _stand_by(self) -> None:
        if self.standing is not Standing.STANDBY:
            log.info("another process writes the history; this one stands by")
        self.standing, self.problem = Standing.STANDBY, ""
        self._backlog.put_back()

    def _fail(self, reason: str) -> None:
        self.standing, self.problem = Standing.FAILING, reason

    def _lose(self, reason: str, count: int) -> None:
        if count:
            self._metrics.history_lost.labels(reason).inc(count)
            self._lost[reason] += count

    def _say_losses(self, said_at: float) -> None:
        now = self._clock()
        if self._lost and now - said_at >= LOG_EVERY_S:
            self._said_at = now
            log.error("messages lost for the history", problem=self.problem, **self._lost)
            self._lost.clear()

    def _release(self) -> None:
        if self.standing is Standing.WRITING:
            try:
                self._lane.write(lambda connection: lease.release(connection, self._owner), timeout_s=1.0)
            except DatabaseUnavailable as error:
                log.debug("the lease runs out by itself", problem=error.reason)
