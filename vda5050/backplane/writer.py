"""What the ingesting worker has to append: entries that wait, the batch that is on its way, what was acknowledged.

Bounded in bytes. While Redis is away entries wait; when they are too many, of each robot and topic only the newest is
kept, the rest is counted as lost, and the epoch cannot go on (`has_hole`): every client is to be told. Nothing is shown
to a client before it was appended and read back, so what is lost here was never seen. Where the newest alone are more
than the bound there is room for SLACK as much before it is gone through again: so it costs little for each message.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vda5050.backplane.batches import Batch, BatchError, encode, encode_entry
from vda5050.backplane.store import Append
from vda5050.doctor import MAX_FINDINGS_A_ROBOT
from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.logs import get_logger

log = get_logger(__name__)

MAX_BATCH_BYTES = 1_048_576
MAX_WAITING_BYTES = 67_108_864
SLACK = 1.25
_ENTRY_BYTES = 200
"""What an entry costs beside its payload; counted, so that many small ones are bounded too."""
_LINK_FIELD = b"\0link"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A batch that was sent and may have arrived; to be sent again as it is."""

    entries: tuple[Entry, ...]
    append: Append


class Writer:
    """The entries of one holder, in order. `lost` gets the number of messages that nobody will see."""

    def __init__(self, token: str, *, lost: Callable[[int], None], max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        self.epoch = ""
        self.offset = 0
        """That of the newest entry which is known to be in the stream."""
        self.has_hole = False
        self._token = token
        self._lost = lost
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting: deque[Entry] = deque()
        self._waiting_bytes = 0
        self._room_bytes = max_waiting_bytes
        self._sent: _Sent | None = None
        self._findings = _ToldFindings()

    def __len__(self) -> int:
        return len(self._waiting) + (len(self._sent.entries) if self._sent else 0)

    def begin(self, epoch: str, offset: int, *, applied_offset: int, findings: Iterable[Told] = ()) -> None:
        """Append to the stream from where it stands now; what waits goes first.

        `applied_offset`: up to here this worker has read what was appended before, so a batch whose acknowledgement was
        lost is not sent once more. `findings`: those the store has.
        """
        if self._sent is not None:
            if self._sent.append.last > applied_offset:
                self._waiting.extendleft(reversed(self._sent.entries))
                self._waiting_bytes += sum(map(_size, self._sent.entries))
            self._sent = None
        self.epoch, self.offset, self.has_hole = epoch, offset, False
        self._findings = _ToldFindings(findings)

    def put(self, entry: Entry) -> int:
        """Let an entry wait; returns the offset it is going to have, unless another epoch begins before."""
        self._waiting.append(entry)
        self._waiting_bytes += _size(entry)
        if self._waiting_bytes > self._room_bytes:
            self._keep_newest()
        return self.offset + len(self)

    def next(self, *, keep_from: int) -> Append | None:
        """Give the batch that is to be appended next, the same one until `done`; None where nothing waits.

        An entry that cannot be written is given up; it holds up no other.
        """
        while self._sent is None and self._waiting:
            entries = tuple(self._first_waiting())
            try:
                self._sent = _Sent(entries, self._pack(entries, keep_from))
            except BatchError:
                if not self._give_up_unwritable(entries):
                    raise
            else:
                self._remove_first(entries)
        return None if self._sent is None else self._sent.append

    def note(self, note: dict[str, object], *, keep_from: int, successor: str = "") -> Append:
        """Give a batch that only tells the other workers something, for when nothing is on its way."""
        body = encode(Batch(self._token, (), note))
        return Append(self.epoch, self.offset + 1, self.offset, body, keep_from, successor=successor)

    def done(self) -> None:
        """Note that the batch on its way is in the stream."""
        if self._sent is not None:
            self.offset, self._sent = self._sent.append.last, None
        if not self._waiting:
            self._room_bytes = self._max_waiting_bytes

    def drop(self) -> None:
        """Give up all that waits: this worker's time is over."""
        self._lost(_updates_in([*self._waiting, *(self._sent.entries if self._sent else ())]))
        self._waiting.clear()
        self._waiting_bytes, self._sent = 0, None
        self._room_bytes = self._max_waiting_bytes

    def stands_at(self, epoch: str, offset: int) -> bool:
        """Tell whether a stream that stands there goes on with what is here."""
        known = {self.offset} if self._sent is None else {self.offset, self._sent.append.last}
        return not self.has_hole and epoch == self.epoch and offset in known

    def _first_waiting(self) -> Iterable[Entry]:
        size = 0
        for entry in self._waiting:
            yield entry
            size += _size(entry)
            if size >= MAX_BATCH_BYTES:
                return

    def _remove_first(self, entries: Sequence[Entry]) -> None:
        for _ in entries:
            self._waiting.popleft()
        self._waiting_bytes -= sum(map(_size, entries))

    def _give_up_unwritable(self, entries: Sequence[Entry]) -> bool:
        """Let those of the first entries go that cannot be written, each by itself; False where none did."""
        kept = writable(entries)
        self._remove_first(entries)
        self._waiting.extendleft(reversed(kept))
        self._waiting_bytes += sum(map(_size, kept))
        self._lost(_updates_in(entries) - _updates_in(kept))
        return len(kept) < len(entries)

    def _pack(self, entries: tuple[Entry, ...], keep_from: int) -> Append:
        body = encode(Batch(self._token, entries))
        newest = {field_of(entry): entry for entry in entries}
        packed = {field: encode_entry(entry) for field, entry in newest.items()}
        told = {field: entry.robot for field, entry in newest.items() if isinstance(entry, Told)}
        forgotten = [gone for field, robot in told.items() for gone in self._findings.keep(robot, field)]
        findings = {field: packed.pop(field) for field in told}
        first, last = self.offset + 1, self.offset + len(entries)
        return Append(self.epoch, first, last, body, keep_from, packed, findings, tuple(forgotten))

    def _keep_newest(self) -> None:
        """Keep what the others will need to know the fleet, and let the rest go."""
        newest = {field_of(entry): entry for entry in self._waiting}
        if len(newest) < len(self._waiting):
            self._lost(_updates_in(self._waiting) - _updates_in(newest.values()))
            self.has_hole = True
        self._waiting = deque(newest.values())
        self._waiting_bytes = sum(map(_size, self._waiting))
        self._room_bytes = max(self._max_waiting_bytes, int(SLACK * self._waiting_bytes))


class _ToldFindings:
    """Which findings the store holds of each robot, so that they stay bounded there as they are here."""

    def __init__(self, findings: Iterable[Told] = ()) -> None:
        self._fields: dict[str, OrderedDict[bytes, None]] = {}
        for told in findings:
            self.keep(told.robot, field_of(told))

    def keep(self, robot: str, field: bytes) -> list[bytes]:
        """Note a finding as the newest of a robot; returns those that are too many, the oldest first."""
        fields = self._fields.setdefault(robot, OrderedDict())
        fields[field] = None
        fields.move_to_end(field)
        return [fields.popitem(last=False)[0] for _ in range(len(fields) - MAX_FINDINGS_A_ROBOT)]


def field_of(entry: Entry) -> bytes:
    """Name an entry in its hash: a later one of the same name takes its place."""
    match entry:
        case Update(address):
            return f"{address.robot}\0{address.topic}".encode()
        case Told(robot, finding):
            return "\0".join((robot, finding["rule"], finding["topic"], finding["place"])).encode()
        case LinkChange():
            return _LINK_FIELD


def writable(entries: Iterable[Entry]) -> list[Entry]:
    """Give the entries that can be written into Redis; where some cannot, that is logged."""
    kept: list[Entry] = []
    problems: list[str] = []
    for entry in entries:
        try:
            encode_entry(entry)
        except BatchError as error:
            problems.append(f"{type(entry).__name__}: {error}")
        else:
            kept.append(entry)
    if problems:
        log.warning("left out what cannot be written", entries=len(problems), problem=problems[0])
    return kept


def _updates_in(entries: Iterable[Entry]) -> int:
    return sum(isinstance(entry, Update) for entry in entries)


def _size(entry: Entry) -> int:
    return _ENTRY_BYTES + (len(entry.payload) if isinstance(entry, Update) else 0)
