"""What waits to be stored: records in the order they came, the oldest of them in batches that are at work.

A batch that the database refuses is cut in halves, until the record that it does not take is alone.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple

from vda5050.sinks import Record

BATCH_ROWS = 5_000
BATCH_BYTES = 8_388_608
RECORD_BYTES = 300
"""What a waiting record costs beside its payload."""


class Batch(NamedTuple):
    """Records on their way, with the ids they were given once."""

    records: Sequence[Record]
    ids: Sequence[int]

    def halves(self) -> tuple["Batch", "Batch"]:
        """Cut in two."""
        middle = len(self.records) // 2
        first = Batch(self.records[:middle], self.ids[:middle])
        return first, Batch(self.records[middle:], self.ids[middle:])


class Recent(NamedTuple):
    """What others have stored: up to `upto` (epoch seconds); `messages` counts what may wait here as well.

    By robot, topic and payload: two processes take the same messages in, but neither at the same time nor, without a
    backplane, under the same ids.
    """

    upto: float
    messages: Counter[tuple[str, str, bytes]]


def weight(record: Record) -> int:
    """Give what a record that waits counts, bytes."""
    return len(record.payload) + RECORD_BYTES


class Backlog:
    """Of one writer. `number` gives records the ids that they are to have; `size` is what waits, bytes."""

    def __init__(self, number: Callable[[Sequence[Record]], Sequence[int]]) -> None:
        self.size = 0
        self._number = number
        self._waiting: deque[Record] = deque()
        self._at_work: list[Batch] = []  # the last one is the next
        self._given_up_at: deque[float] = deque()  # when what `keep_newest` let go had been received

    def __len__(self) -> int:
        """Count the records that are not stored yet."""
        return len(self._waiting) + sum(len(batch.records) for batch in self._at_work)

    def __bool__(self) -> bool:
        return bool(self._waiting or self._at_work)

    @property
    def oldest_at(self) -> float:
        """When the first of these records was received, epoch seconds; infinity where nothing waits."""
        batches = (record.received_at for batch in self._at_work for record in batch.records)
        return min((*batches, *(record.received_at for record in self._waiting)), default=inf)

    @property
    def is_long(self) -> bool:
        """Tell whether more waits than one batch takes, or a part of a refused one does."""
        return bool(self._at_work) or len(self._waiting) >= BATCH_ROWS or self.size >= 2 * BATCH_BYTES

    def put(self, record: Record) -> None:
        """Take one record."""
        self.size += weight(record)
        self._waiting.append(record)

    def batch(self) -> Batch:
        """Give the batch that is to be stored next, until it is `done` or `refused`. Something must wait."""
        if not self._at_work:
            self._at_work.append(self._next())
        return self._at_work[-1]

    def done(self) -> None:
        """Let the batch go: it is stored, or lost."""
        self.size -= sum(map(weight, self._at_work.pop().records))

    def refused(self) -> None:
        """Cut the batch in halves, which are tried one after the other."""
        self._at_work[-1:] = reversed(self._at_work[-1].halves())

    def put_back(self) -> None:
        """Let what is at work wait again: another process may have stored it."""
        while self._at_work:
            self._waiting.extendleft(reversed(self._at_work.pop(0).records))

    def forget_before(self, received_at: float) -> None:
        """Let go the oldest records, up to those received then."""
        while self._waiting and self._waiting[0].received_at < received_at:
            self.size -= weight(self._waiting.popleft())
        while self._given_up_at and self._given_up_at[0] < received_at:
            self._given_up_at.popleft()

    def keep_newest(self, max_size: int) -> None:
        """Let go the oldest records beyond so many bytes; `skip_stored` tells how many of them are missing then."""
        while self._waiting and self.size > max_size:
            record = self._waiting.popleft()
            self.size -= weight(record)
            self._given_up_at.append(record.received_at)

    def skip_stored(self, recent: Recent) -> int:
        """Let go what another process has stored; returns how many that it has not were let go before."""
        self.put_back()
        waiting, self._waiting = self._waiting, deque()
        for record in waiting:
            what = (record.address.robot, record.address.topic, record.payload)
            if recent.messages[what]:
                recent.messages[what] -= 1
                self.size -= weight(record)
            else:
                self._waiting.append(record)
        missing = sum(at > recent.upto for at in self._given_up_at)
        self._given_up_at.clear()
        return missing

    def _next(self) -> Batch:
        records: list[Record] = []
        size = 0
        while self._waiting and len(records) < BATCH_ROWS and size < BATCH_BYTES:
            record = self._waiting.popleft()
            records.append(record)
            size += len(record.payload)
        return Batch(records, self._number(records))
