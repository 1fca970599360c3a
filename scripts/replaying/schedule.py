"""When recorded messages are due: as far apart as they were, divided by the speed. Pure."""

from __future__ import annotations


class Schedule:
    """Times of messages -> seconds since the first one was due.

    A message without a time is due with the one before it. One that is earlier than the one before it is due at once:
    the order of a recording is kept. A gap longer than `longest_gap_s` (as recorded) is shortened to that.
    """

    def __init__(self, *, speed: float, longest_gap_s: float) -> None:
        self._speed = speed
        self._longest_gap_s = longest_gap_s
        self._last_at: float | None = None
        self._due_s = 0.0

    def due_s(self, at: float | None) -> float:
        """Give when the next message is due; `at` is its time, if it has one."""
        if at is not None:
            if self._last_at is not None and at > self._last_at:
                self._due_s += min(at - self._last_at, self._longest_gap_s) / self._speed
            self._last_at = at if self._last_at is None else max(at, self._last_at)
        return self._due_s
