"""What is let go: messages older than allowed, and the oldest while there is more than allowed.

Works in short steps between two batches of the writer, so that neither the writer nor who reads waits long. The last
message of each robot and topic stays however old it is: a robot that has been online for a year said so a year ago,
and its factsheet came then. One that a later message replaces goes with the next sweep, at most SWEEP_S later.

Sizes: SQLite's file keeps the pages that were freed and fills them again, PostgreSQL's tables likewise after its
vacuum. So what counts is what is in use: SQLite knows it, for PostgreSQL it is estimated from the number of rows.
"""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import Connection

from vda5050.database import SQLITE
from vda5050.history.stretch import MICROSECONDS
from vda5050.history.tables import MESSAGES
from vda5050.metrics import Metrics

STEP_ROWS = 2_000
STEPS_S = 0.2
"""For so long steps follow each other before the writer has its turn; a step takes a few milliseconds."""
CHECK_S = 60.0
SWEEP_S = 86_400.0
ROOM = 0.05
"""When there is too much, so much more is let go, so that it is not a little each time."""
ROW_BYTES = {SQLITE: 75, "postgresql": 125}
"""What a row takes beside its payload, indexes included; measured, see docs/adr/0009-history.md."""

_ESTIMATED = sa.text(
    "SELECT reltuples, (SELECT max(avg_width) FROM pg_stats"
    " WHERE schemaname = nspname AND tablename = relname AND attname = 'payload')"
    " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = 'messages'::regclass"
)
"""PostgreSQL's rows, and the bytes of a payload: of our table alone, whatever other schemas call theirs."""

_NEWER = MESSAGES.alias("newer")

Do = Callable[[Callable[[Connection], bool]], bool]


class Retention:
    """Lets go what is too old or too much. For one greenlet; `tend` is called again and again."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        max_age_s: float,
        max_bytes: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._metrics = metrics
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._wall_clock = wall_clock
        self._checked_at = float("-inf")
        self._swept_at = float("-inf")
        self._floor = -1
        self._excess_rows = 0
        self._has_old = False

    def tend(self, do: Do) -> None:
        """Do a little of what there is to do; `do` runs work in a transaction. Raises DatabaseUnavailable."""
        now = self._clock()
        if now - self._checked_at >= CHECK_S:
            self._checked_at = now
            if now - self._swept_at >= SWEEP_S:
                self._swept_at, self._floor = now, -1
            do(self._check)
        until = now + STEPS_S
        while (self._has_old or self._excess_rows > 0) and self._clock() < until:
            do(self._step)

    def _check(self, connection: Connection) -> bool:
        used, total = measure(connection, self._max_bytes)
        self._metrics.history_database.set(total)
        self._has_old = True
        if used > self._max_bytes:
            sample = sa.select(sa.func.length(MESSAGES.c.payload)).order_by(MESSAGES.c.id.desc()).limit(1_000)
            lengths = connection.execute(sample).scalars().all() or [1]
            row_bytes = ROW_BYTES[connection.dialect.name] + sum(lengths) / len(lengths)
            self._excess_rows = int((used - self._max_bytes * (1 - ROOM)) / row_bytes)
        return True

    def _step(self, connection: Connection) -> bool:
        """Look at the next STEP_ROWS of the oldest, and delete what is not the last of its robot and topic."""
        oldest_allowed = int((self._wall_clock() - self._max_age_s) * MICROSECONDS)
        goes = MESSAGES.c.id > self._floor
        if self._excess_rows <= 0:
            goes &= MESSAGES.c.id < oldest_allowed
        ids = connection.execute(sa.select(MESSAGES.c.id).where(goes).order_by(MESSAGES.c.id).limit(STEP_ROWS))
        step = ids.scalars().all()
        if step:
            is_replaced = (
                sa.select(_NEWER.c.id)
                .where(
                    _NEWER.c.robot_id == MESSAGES.c.robot_id,
                    _NEWER.c.topic == MESSAGES.c.topic,
                    _NEWER.c.id > MESSAGES.c.id,
                )
                .exists()
            )
            connection.execute(sa.delete(MESSAGES).where(MESSAGES.c.id.between(step[0], step[-1]), is_replaced))
            self._floor = step[-1]
        is_at_end = len(step) < STEP_ROWS
        self._excess_rows = 0 if is_at_end else self._excess_rows - len(step)
        self._has_old = not is_at_end
        return not is_at_end


def measure(connection: Connection, max_bytes: int) -> tuple[int, int]:
    """Give the bytes in use (estimated where there may be more than `max_bytes`), and those on disk."""
    if connection.dialect.name == SQLITE:
        pages, free, page_bytes = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page_bytes, pages * page_bytes
    total: int = connection.execute(sa.text("SELECT pg_total_relation_size('messages')")).scalar_one()
    if total <= max_bytes:
        return total, total
    connection.execute(sa.text("ANALYZE messages"))
    rows, width = connection.execute(_ESTIMATED).one()
    return min(total, int(max(rows, 0) * (ROW_BYTES["postgresql"] + (width or 0)))), total
