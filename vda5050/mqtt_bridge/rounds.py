"""When the bridge reads, and for how long: told by how the streams are served, and by how much comes.

Takes what each round found, gives the time of the next. docs/adr/0014-delivery.md has what was measured.
"""

from collections.abc import Callable
from typing import Protocol

YIELD_AFTER_S = (0.004, 0.020)
"""How long messages are taken in before others have their turn: the shorter one while the streams are quick, the longer
one while they gather for long anyway, so that what has come goes out together."""
ROUND_S = 0.004
"""Between two rounds at least, so that each takes several messages: a wake-up costs more than reading a message does. A
message that comes alone, and to streams that do not pause, waits for nothing."""
UNWATCHED_ROUND_S = 0.020
LONGEST_ROUND_S = 0.150
HELD_MESSAGES = 300
"""So many may come in a round that waits for the streams: the kernel holds them, and after it the broker, which drops
what is too much."""


class Pace(Protocol):
    """How the streams are served at the moment (`broadcast.Pace`); times are monotonic seconds."""

    interval_s: float
    next_flush_at: float
    is_watched: bool


def next_round_at(last: float, pace: Pace, *, message_every_s: float) -> float:
    """Tell when to read again, where the last round began at `last` and a message came `message_every_s`.

    While the streams pause nothing that is read is sent; read all at once before their next flush it costs less (the
    processor's caches are full of the reading then). 0 for `message_every_s`: more is waiting than one read takes.
    """
    if not message_every_s:
        return last
    held_until = min(pace.next_flush_at, last + min(LONGEST_ROUND_S, HELD_MESSAGES * message_every_s))
    return max(last + (ROUND_S if pace.is_watched else UNWATCHED_ROUND_S), held_until)


class Rounds:
    """The bridge's rounds, one after the other."""

    def __init__(self, pace: Pace, *, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock
        self._began_at = 0.0
        self._after_s = 0.0
        """How long after the one before."""
        self._message_every_s = 1.0

    @property
    def too_soon_s(self) -> float:
        """How long the next round has to wait, as it looks now; 0 or less where it may begin."""
        return next_round_at(self._began_at, self._pace, message_every_s=self._message_every_s) - self._clock()

    @property
    def yield_after_s(self) -> float:
        """How long messages may be taken in before others have their turn."""
        quick_s, slow_s = YIELD_AFTER_S
        return min(slow_s, max(quick_s, self._pace.interval_s))

    def begin(self) -> None:
        """Note that a round begins now."""
        now = self._clock()
        self._after_s, self._began_at = now - self._began_at, now

    def end(self, messages: int, *, is_full: bool) -> None:
        """Note how many messages the round took; `is_full`: it read as much as one read takes, so more is waiting."""
        self._message_every_s = 0.0 if is_full else max(1e-6, self._after_s / max(1, messages))
