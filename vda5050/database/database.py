"""Opens and migrates one database, and runs work on it in native threads, off the hub.

A greenlet calls `Lane.read` or `Lane.write` with a function of a connection; it runs in one transaction in a native
thread of that lane, while the hub goes on. Bounded: a lane has so many threads and connections, and a caller that gets
none, or no answer, within its timeout is told so.

The database is opened, and its schema brought up to date, when it is first used, and again after each failure: one
that comes back empty, or from a newer gateway, is noticed. All bookkeeping happens in the hub's thread; a native
thread touches nothing but the connection that it was handed.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import gevent
from gevent.event import AsyncResult
from gevent.lock import RLock, Semaphore
from gevent.threadpool import ThreadPool
from sqlalchemy import Connection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from vda5050.database.engines import BEGIN, make_engine, make_file
from vda5050.database.migration import is_current, migrate
from vda5050.database.urls import SQLITE, check_database_url, shown
from vda5050.errors import DatabaseUnavailable
from vda5050.logs import get_logger

log = get_logger(__name__)

TIMEOUT_S = 10.0
OPEN_TIMEOUT_S = 60.0
"""A migration may take a while, and longer still where it waits for that of another instance."""
_MAX_REASON_CHARS = 300
_Result = TypeVar("_Result")
Work = Callable[[Connection], _Result]


class Database:
    """One database. `name` may be shown; `problem` is why it cannot be used, empty while it can.

    Building it does nothing; raises ValueError where `url` is none (see `urls`).
    """

    def __init__(self, url: str) -> None:
        self._url = check_database_url(url)
        self._engine: Engine | None = None
        self._opening = RLock()
        self.name = shown(self._url)
        self.is_sqlite = self._url.get_backend_name() == SQLITE
        self.is_open = False
        self.problem = "not opened yet"

    def lane(self, *, threads: int) -> "Lane":
        """Give a way to this database with threads and connections of its own; threads start when they are needed."""
        return Lane(self, threads)

    def engine(self) -> Engine:
        """Build the engine, once."""
        if self._engine is None:
            self._engine = make_engine(self._url)
        return self._engine

    def connect(self) -> Connection:
        """Open a connection, in the calling thread. Raises OSError or an error of SQLAlchemy's."""
        if self.is_sqlite:
            make_file(self._url)
        return self.engine().connect()

    def migrate(self) -> str | None:
        """Bring the schema up to date, in the calling thread; returns as `migration.migrate`.

        Raises OSError and what SQLAlchemy and `migration.migrate` raise.
        """
        with self.connect() as connection:
            with connection.begin():
                if is_current(connection):  # without the writer's lock, which the history may hold for a while
                    return None
            connection.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                return migrate(connection)

    def ensure_open(self, lane: "Lane", timeout_s: float) -> None:
        """Open, unless that is done; others wait meanwhile. Raises DatabaseUnavailable."""
        if self.is_open:
            return
        if not self._opening.acquire(timeout=timeout_s):
            raise DatabaseUnavailable("it is being opened")
        try:
            if not self.is_open:
                lane.open()
        finally:
            self._opening.release()

    def note_opened(self, version: str | None) -> None:
        """Remember that it can be used; `version` is that of its schema where it had to be brought there."""
        changed = {} if version is None else {"schema": version}
        log.info("the database is open", database=self.name, **changed)
        self.is_open = True
        self.problem = ""

    def note_failure(self, error: DatabaseUnavailable) -> None:
        """Remember why it cannot be used, and say so once."""
        if self.problem != error.reason:
            log.error("the database cannot be used", database=self.name, problem=error.reason)
        self.problem = error.reason
        self.is_open = False


class _Outcome(NamedTuple):
    """What a native thread gives back: the connection where it can be used again, and a result or an error."""

    connection: Connection | None
    result: Any
    error: Exception | None


class Lane:
    """A way to a database with `threads` native threads, each with a connection at most. For one hub's greenlets."""

    def __init__(self, database: Database, threads: int) -> None:
        self._database = database
        self._threads = threads
        self._free = Semaphore(threads)
        self._pool: ThreadPool | None = None
        self._idle: list[Connection] = []
        self._is_closed = False

    def read(self, work: Work[_Result], *, timeout_s: float = TIMEOUT_S) -> _Result:
        """Return `work(connection)`, run in a transaction. Raises DatabaseUnavailable and what `work` raises."""
        return self._transact(work, "BEGIN", timeout_s)

    def write(self, work: Work[_Result], *, timeout_s: float = TIMEOUT_S) -> _Result:
        """Return `work(connection)`, run in a transaction that is committed unless it raises; raises as `read`.

        After a timeout, or a connection that broke, it may have been committed all the same.
        """
        return self._transact(work, "BEGIN IMMEDIATE", timeout_s)

    def close(self) -> None:
        """Close the connections; those at work are closed when they are done. May be called twice."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if self._free.counter == self._threads:
            pool.kill()
        else:
            pool.maxsize = 0  # its threads end when they have nothing to do; `kill` would wait for them

    def open(self) -> None:
        """Bring the database's schema up to date; called by `Database.ensure_open`. Raises DatabaseUnavailable."""
        self._database.note_opened(self._call(lambda idle: _opened(self._database, idle), OPEN_TIMEOUT_S))

    def _transact(self, work: Work[_Result], begin: str, timeout_s: float) -> _Result:
        database = self._database
        if self._is_closed:
            raise DatabaseUnavailable("it is closed")
        try:
            database.ensure_open(self, timeout_s)
            result: _Result = self._call(lambda idle: _transacted(database, idle, work, begin), timeout_s)
        except DatabaseUnavailable as error:
            database.note_failure(error)
            raise
        return result

    def _call(self, task: Callable[[Connection | None], _Outcome], timeout_s: float) -> Any:
        """Run `task` with an idle connection, if there is one, in a thread, and return or raise its outcome."""
        if not self._free.acquire(timeout=timeout_s):
            raise DatabaseUnavailable(f"all of its {self._threads} threads were busy for {timeout_s:g} s")
        if self._pool is None:
            self._pool = ThreadPool(self._threads)
        answer: AsyncResult[_Outcome] = self._pool.spawn(task, self._idle.pop() if self._idle else None)
        answer.rawlink(self._done)
        try:
            outcome: _Outcome = answer.get(timeout=timeout_s)  # type: ignore[assignment]
        except gevent.Timeout:
            raise DatabaseUnavailable(f"no answer within {timeout_s:g} s") from None
        if outcome.error is not None:
            raise outcome.error
        return outcome.result

    def _done(self, answer: "AsyncResult[_Outcome]") -> None:
        """Take the connection back; runs in the hub when a thread is done, whether or not anybody still waits."""
        self._free.release()
        connection = answer.value.connection if answer.value is not None else None
        if connection is not None:
            if self._is_closed:
                connection.close()
            else:
                self._idle.append(connection)


def unavailable(error: Exception) -> Exception:
    """Say as DatabaseUnavailable that a database failed; other errors stay what they are.

    The driver's own first line is kept: SQLAlchemy's text holds the statement and its values.
    """
    if isinstance(error, IntegrityError | DataError) or not isinstance(error, OSError | DBAPIError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    unavailable = DatabaseUnavailable(lines[0][:_MAX_REASON_CHARS])
    unavailable.__cause__ = error
    return unavailable


def _opened(database: Database, idle: Connection | None) -> _Outcome:
    try:
        return _Outcome(idle, database.migrate(), None)
    except Exception as error:  # noqa: BLE001 - handed to the greenlet that waits, which raises it
        return _Outcome(idle, None, unavailable(error))


def _transacted(database: Database, idle: Connection | None, work: Work[Any], begin: str) -> _Outcome:
    connection = idle
    try:
        if connection is not None and not _is_alive(connection):
            connection = None
        connection = connection or database.connect()
        connection.execution_options(**{BEGIN: begin})
        with connection.begin():
            result = work(connection)
    except Exception as error:  # noqa: BLE001 - as above
        told = unavailable(error)
        if connection is not None and isinstance(told, DatabaseUnavailable):
            _let_go(connection)
            connection = None
        return _Outcome(connection, None, told)
    return _Outcome(connection, result, None)


def _is_alive(connection: Connection) -> bool:
    """Ask the server whether an idle connection still stands, else let it go."""
    driver_connection: Any = connection.connection.driver_connection
    try:
        return bool(connection.dialect.do_ping(driver_connection))
    except Exception:  # noqa: BLE001 - whatever it is, a new connection is the answer
        _let_go(connection)
        return False


def _let_go(connection: Connection) -> None:
    """Close what may be broken."""
    with suppress(Exception):
        connection.invalidate()
    with suppress(Exception):
        connection.close()
