"""When the groups hand out what they have gathered: at their `Pace`, each that has something and is due.

One greenlet, `flush_for_ever`; a flush itself switches to no other. It wakes for the first frame after an idle moment,
and pauses after each round of flushes for as long as the pace says.
"""

from collections.abc import Callable

import gevent
from gevent.event import Event

from vda5050.broadcast.accounts import Accounts
from vda5050.broadcast.group import FlushTally, Group
from vda5050.broadcast.pace import Pace
from vda5050.broadcast.ring import Ring
from vda5050.logs import get_logger
from vda5050.metrics import Metrics

log = get_logger(__name__)

RETRY_FLUSH_S = 0.1


class Flushing:
    """That of one broadcaster. `dirty` are the groups that have gathered something."""

    def __init__(
        self, ring: Ring, pace: Pace, accounts: Accounts, metrics: Metrics, *, clock: Callable[[], float]
    ) -> None:
        self.dirty: set[Group] = set()
        self._ring = ring
        self._pace = pace
        self._accounts = accounts
        self._metrics = metrics
        self._clock = clock
        self._wake = Event()

    def mark(self, group: Group, received_at: float | None) -> None:
        """Have a group flushed that is not dirty yet; its first frame was received then (epoch seconds)."""
        self.dirty.add(group)
        group.oldest_received_at = received_at
        self._wake.set()

    def flush(self, group: Group, now: float, tally: FlushTally | None = None) -> None:
        """Hand out what a group has gathered."""
        self.dirty.discard(group)
        done = group.flush(now, self._ring.last_offset, tally)
        for wire, (clients, frames, size) in done.items():
            self._accounts.flushed(wire, clients=clients, frames=frames, size=size)

    def flush_for_ever(self) -> None:
        """Flush what is due, and pause, round and round; for a greenlet of its own."""
        while True:
            try:
                self._flush_due()
            except Exception:  # without this greenlet every stream would stand still behind a healthy connection
                log.exception("a flush failed; the next one goes on")
                gevent.sleep(RETRY_FLUSH_S)

    def _flush_due(self) -> None:
        now = self._clock()
        due = [group for group in self.dirty if group.due_at <= now]
        if not due:
            self._wait_for_work(now)
            return
        oldest = self._accounts.oldest_of(due)
        tally = FlushTally()
        for group in due:
            self.flush(group, now, tally)
        handed_at = self._clock()
        gevent.sleep(0)  # every client that the flush woke is served before this returns
        served_at = self._clock()
        # Others run meanwhile: what they take is no cost of the flush, unless most clients are served by greenlets.
        is_queued = tally.queued > tally.handed
        cost_s = (served_at if is_queued else handed_at) - now
        pause = self._pace.flushed(cost_s, served_at, writes=tally.writes, events=tally.events)
        self._metrics.flush.observe(served_at - now)
        self._accounts.served(oldest)
        self._metrics.batch_interval.set(pause)
        self._metrics.replay_bytes.set(self._ring.size)
        gevent.sleep(pause)

    def _wait_for_work(self, now: float) -> None:
        """Wait for a frame, or until the first group that waits for its interval is due."""
        self._wake.clear()
        next_due = min((group.due_at for group in self.dirty), default=None)
        self._wake.wait(None if next_due is None else max(0.001, next_due - now))
