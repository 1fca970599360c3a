"""When the streams are flushed: at once after an idle moment, and the more rarely the more a flush costs.

A flush's cost is the time until every client has been served. What counts is the middle one of the last three costs: a
single dear flush had to wait for something else, such as the history's thread, and a long pause would make that worse.
The next flush waits FACTOR times that, longer still where it is dear, and `max_interval_s` at most. So a small fleet
sees a few milliseconds, and a large one batches that are worth their cost. (A fixed interval is wrong at both ends: see
benchmarks/README.md.)

Who brings the updates reads it, too (`mqtt_bridge`): what comes while the streams pause goes out after the pause,
whenever it is taken in.
"""

from collections import deque
from statistics import median_low

FACTOR = 4.0
DEAR_S = 0.001
"""A flush that costs more than this waits more than FACTOR times its cost, in proportion."""


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

    def flushed(self, cost_s: float, now: float) -> float:
        """Note that a flush ended at `now`; tells for how long to pause."""
        self._costs_s.append(cost_s)
        usual_s = median_low(self._costs_s)
        self.interval_s = min(self._max_interval_s, FACTOR * usual_s * max(1.0, usual_s / DEAR_S))
        self.next_flush_at = now + self.interval_s
        return self.interval_s
