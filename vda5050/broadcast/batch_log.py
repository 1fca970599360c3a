"""The latest batches of each group, ready for whoever arrives: encoded once already, or as soon as one asks.

Bounded for all groups together, by LOG_BYTES of frame text and by LOG_S: the oldest batch of any group goes first, so
all logs reach back as far, whatever a group needs for that. (Equal shares were tried: a hundred streams of one robot
each left the one of all robots a hundredth, and whoever came back to it was encoded for alone.) The broadcaster's ring
holds more, for what a log no longer has.
"""

from collections import deque
from collections.abc import Iterator
from itertools import count

from vda5050.broadcast.batch import Batch
from vda5050.broadcast.parcel import Parcel
from vda5050.frames import Wire

LOG_BYTES = 16_777_216
"""Of frame text; encoded for the wires in use it takes about as much again."""
LOG_S = 10.0


class BatchLog:
    """One group's. It has every frame of the group after `start`."""

    __slots__ = ("_batches", "_budget", "start")

    def __init__(self, budget: "LogBudget", *, start: int) -> None:
        self.start = start
        self._budget = budget
        self._batches: deque[tuple[int, Batch]] = deque()

    def append(self, batch: Batch) -> None:
        """Keep a batch, the newest of all groups."""
        self._batches.append((self._budget.enter(self, batch), batch))
        self._budget.keep_to(batch.flushed_at)

    def begin_at(self, offset: int) -> None:
        """Forget everything up to `offset`."""
        self._budget.size -= sum(batch.size for _, batch in self._batches)
        self._batches.clear()
        self.start = offset

    def forget(self, number: int) -> int:
        """Forget the oldest batch if it still is the one of this number; tells how large it was."""
        if not self._batches or self._batches[0][0] != number:
            return 0
        _, batch = self._batches.popleft()
        self.start = batch.last_offset
        return batch.size

    def since(self, offset: int, wire: Wire) -> Iterator[Parcel]:
        """Give the batches after `offset`, which is not before `start`, in order."""
        for _, batch in self._batches:
            if rest := batch.rest(offset, wire):
                yield rest


class LogBudget:
    """What all logs together may hold; `size` is what they do."""

    __slots__ = ("_max_bytes", "_numbers", "_order", "size")

    def __init__(self, max_bytes: int) -> None:
        self.size = 0
        self._max_bytes = max_bytes
        self._numbers = count()
        self._order: deque[tuple[float, int, BatchLog]] = deque()

    def enter(self, log: BatchLog, batch: Batch) -> int:
        """Count a batch; gives it its number."""
        number = next(self._numbers)
        self._order.append((batch.flushed_at, number, log))
        self.size += batch.size
        return number

    def keep_to(self, now: float) -> None:
        """Let the oldest batches go until the rest is as little and as young as it has to be; the newest one stays."""
        order, oldest_wanted = self._order, now - LOG_S
        while len(order) > 1 and (self.size > self._max_bytes or order[0][0] < oldest_wanted):
            _, number, log = order.popleft()
            self.size -= log.forget(number)
