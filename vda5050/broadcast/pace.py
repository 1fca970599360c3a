"""When the streams are flushed: at once after an idle moment, and the more rarely the more events a flush hands out.

What batching saves is writes, one for each client and flush: FACTOR times the time that one takes, WRITE_S, is what
each event is worth to wait for, up to MAX_SAVING events a write. So a small fleet sees a few milliseconds, and a large
one batches that are worth their cost. (A fixed interval is wrong at both ends: see benchmarks/EARLIER.md.)

Events grow with the pause before them, and no faster. Writes times updates would: a pause by that, or by the square of
what a flush cost, stayed at the longest one once anything had held the gateway up. The cost is a lower bound only: the
pause is REST times the middle one of the last three, so that two thirds of the time are left for all else, where the
longest pause allows it.

Who brings the updates reads it, too (`mqtt_bridge`): what comes while the streams pause goes out after the pause,
whenever it is taken in.
"""

from collections import deque
from statistics import median_low

FACTOR = 4.0
WRITE_S = 6e-6
"""About what a write to one client takes beside its bytes."""
MAX_SAVING = 8
REST = 2.0


class Pace:
    """Of one broadcaster. Times are monotonic seconds.

    `interval_s` is how long updates were gathered last, `next_flush_at` when that pause ends, `is_watched` whether
    anybody waits for updates.
    """

    __slots__ = ("_costs_s", "_max_interval_s", "interval_s", "is_watched", "next_flush_at")

    def __init__(self, max_interval_s: float, *, is_watched: bool = False) -> None:
        self._max_interval_s = max_interval_s
        self._costs_s: deque[float] = deque(maxlen=3)
        self.interval_s = 0.0
        self.next_flush_at = 0.0
        self.is_watched = is_watched

    def flushed(self, cost_s: float, now: float, *, writes: int, events: int) -> float:
        """Note that a flush ended at `now`, of so many `events` in all its writes; tells for how long to pause."""
        self._costs_s.append(cost_s)
        wanted_s = FACTOR * WRITE_S * min(events, MAX_SAVING * writes)
        self.interval_s = min(self._max_interval_s, max(wanted_s, REST * median_low(self._costs_s)))
        self.next_flush_at = now + self.interval_s
        return self.interval_s
