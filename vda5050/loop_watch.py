"""Measures how late the event loop is: whatever blocks it makes every stream and every robot wait.

A greenlet asks to be woken after INTERVAL_S and looks how late it is. A block that is longer than INTERVAL_S is always
seen, a shorter one as often as a timer falls into it. (gevent's own monitor is a native thread that takes the GIL.)

Counts the loop's greenlets as well: one more after each client that came and went would be a leak.
"""

import weakref
from collections.abc import Callable

import gevent

from vda5050.greenlets import start
from vda5050.logs import get_logger
from vda5050.metrics import Metrics

log = get_logger(__name__)

INTERVAL_S = 0.05
SAID_FROM_S = 1.0
SAID_EVERY_S = 10.0


class LoopWatch:
    """One loop's watch. `clock` is monotonic seconds, `sleep` switches to the hub."""

    def __init__(
        self, metrics: Metrics, *, clock: Callable[[], float], sleep: Callable[[float], object] = gevent.sleep
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._sleep = sleep
        self._said_at = float("-inf")
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._spawned: weakref.WeakSet[gevent.Greenlet[..., object]] = weakref.WeakSet()
        metrics.greenlets.set_function(self._count_greenlets)

    def start(self) -> None:
        """Start the greenlet, and count those that start from now on."""
        gevent.Greenlet.add_spawn_callback(self._spawned.add)
        self._greenlet = start(self._watch_for_ever, name="loop_watch")

    def stop(self) -> None:
        """Stop it. May be called twice."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
            gevent.Greenlet.remove_spawn_callback(self._spawned.add)

    def look(self) -> None:
        """Take one sample, which takes INTERVAL_S."""
        due_at = self._clock() + INTERVAL_S
        self._sleep(INTERVAL_S)
        now = self._clock()
        late_s = max(0.0, now - due_at)
        self._metrics.loop_late.observe(late_s)
        if late_s >= SAID_FROM_S and now - self._said_at >= SAID_EVERY_S:
            self._said_at = now
            log.warning("the event loop stood still: streams and robots had to wait", seconds=round(late_s, 2))

    def _count_greenlets(self) -> float:
        return sum(not greenlet.dead for greenlet in self._spawned)

    def _watch_for_ever(self) -> None:
        while True:
            self.look()
