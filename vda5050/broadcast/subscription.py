"""One client's queue: filled by its group, drained by the greenlet that writes to the client.

Bounded in bytes. The bound counts updates that wait, not the snapshot a client begins with. A client that falls
further behind is *lagging*: what waits is dropped at once, nothing more is queued, and when its greenlet comes back
from the socket it finds a mark instead, for which it gets `reset` and a fresh snapshot. So memory stays bounded, and
every client ends at the newest state.

The unit of the queue is a parcel: bytes that must be written whole, because a client cannot tell half a batch from a
batch. A parcel's bytes are shared by all clients of its group; small ones that wait together are joined into a copy.

A parcel for a client that waits with nothing before it is handed over: it goes to the client's socket at once, and the
greenlet is woken only where the kernel did not take all of it. The queue is for who has fallen behind. (Waking a
greenlet that goes through its queue costs more than the write.)

Notices, answers to what the client itself sent, are beside the queue: they come before the next parcel, and being
behind or another filter drops none of them (RFC 6455, section 5.5.2: a ping must be answered).
"""

from collections.abc import Callable, Sequence
from enum import Enum

from gevent.queue import SimpleQueue

from vda5050.broadcast.delivery import Delivery, SocketWriter
from vda5050.broadcast.filters import Filter
from vda5050.broadcast.parcel import JOIN_BYTES, Parcel, joined
from vda5050.errors import Vda5050Error
from vda5050.frames import Wire

MAX_NOTICES = 64
"""More than a client may ask for at once (see `api.websocket`); of more for one that does not read the newest count."""
PARCEL_BYTES = 256
"""What a waiting parcel costs beside its bytes; counted, so that many small ones are bounded too."""


class StreamEnded(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """There is nothing more to write. `last_words` are to be written still, unless the client has gone."""

    def __init__(self, last_words: bytes = b"") -> None:
        super().__init__("the stream has ended")
        self.last_words = last_words


class _Mark(Enum):
    LAGGING = "lagging"
    ENDED = "ended"
    UNFINISHED = "unfinished"
    """`SocketWriter.write_now` left something."""
    NOTICE = "notice"
    """Wakes for what is in `_notices`."""


class Subscription:
    """A client's place in a group.

    `filter` is the one it gets updates of, `wanted` the one it asked for since (`has_asked`, until it comes to read).
    `taken_events` and `taken_bytes` tell what was handed to its writer so far, `end_reason` why it ended.

    `slot`, `beats_left` and `beats_writing` (heartbeats since the greenlet last came to read) are `Presence`'s;
    `is_writing` while the greenlet is not here but at the socket. `cut` ends the connection from outside, even under a
    greenlet that is stuck in a write; `writer` makes `hand` possible. Both are set by whoever serves the client, where
    it can be done.

    `hand`, `put`, `notify`, `lag`, `change_filter`, `end`, `withdraw` and `abandon` never block and may be called from
    anywhere; `take` is for one greenlet.
    """

    __slots__ = (
        "_ended", "_is_idle", "_is_lagging", "_max_bytes", "_notices", "_pieces", "_queue", "_resync", "_waiting_bytes",
        "beats_left", "beats_writing", "changed_at", "client", "cut", "end_reason", "filter", "has_asked",
        "is_writing", "lag_reason", "opened_at", "slot", "taken_bytes", "taken_events", "wanted", "wire", "writer",
    )  # fmt: skip

    def __init__(
        self,
        filter_: Filter,
        wire: Wire,
        *,
        max_bytes: int,
        opened_at: float,
        resync: Callable[["Subscription"], Sequence[Parcel]],
        client: str = "",
    ) -> None:
        self.client = client
        self.filter = filter_
        self.wanted = filter_
        self.has_asked = False
        self.lag_reason = ""
        self.changed_at = float("-inf")
        self.wire = wire
        self.slot = 0
        self.beats_left = 0
        self.beats_writing = 0
        self.is_writing = False
        self.cut: Callable[[], None] | None = None
        self.writer: SocketWriter | None = None
        self.opened_at = opened_at
        self.taken_events = 0
        self.taken_bytes = 0
        self.end_reason = "left"
        self._max_bytes = max_bytes
        self._resync = resync
        self._queue: SimpleQueue[Parcel | _Mark] = SimpleQueue()
        self._notices: tuple[bytes, ...] = ()
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self._is_lagging = False
        self._is_idle = False
        self._ended: StreamEnded | None = None

    @property
    def has_ended(self) -> bool:
        """True where nothing more will be queued."""
        return self._ended is not None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of updates that wait for the client."""
        return self._waiting_bytes

    def begin(self, parcels: Sequence[Parcel]) -> None:
        """Set what the client gets before any update; not counted against the bound."""
        for parcel in parcels:
            self._pieces.extend(parcel.pieces)
            self.taken_events += parcel.events
            self.taken_bytes += parcel.size

    def hand(self, delivery: Delivery) -> bool:
        """Write a parcel to a client that waits for one; queue it as `put` does where that cannot be done: False."""
        if not self._is_idle or self.writer is None:
            self.put(delivery.parcel)
            return False
        self.taken_events += delivery.parcel.events
        self.taken_bytes += delivery.parcel.size
        if not self.writer.write_now(delivery):
            self._enqueue(_Mark.UNFINISHED)
        return True

    def put(self, parcel: Parcel) -> None:
        """Queue a parcel, or mark the client as lagging where it would wait behind too much."""
        if self._is_lagging or self._ended is not None:
            return
        cost = parcel.size + PARCEL_BYTES
        if self._waiting_bytes and self._waiting_bytes + cost > self._max_bytes:
            self.lag()
            return
        self._waiting_bytes += cost
        self._enqueue(parcel)

    def notify(self, notice: bytes) -> None:
        """Answer the client before anything else that waits; of more than MAX_NOTICES the oldest go."""
        if self._ended is None:
            if not self._notices:
                self._enqueue(_Mark.NOTICE)
            self._notices = (*self._notices[1 - MAX_NOTICES :], notice)

    def lag(self, reason: str = "lagging") -> None:
        """Drop what waits and let the client begin again with `reset` and a snapshot when it comes to read."""
        if not self._is_lagging and self._ended is None:
            self.lag_reason = reason
            self._drop_waiting()
            self._is_lagging = True
            self._enqueue(_Mark.LAGGING)

    def change_filter(self, wanted: Filter) -> None:
        """Let the client begin again with another filter, the newest one asked for, when it comes to read."""
        self.wanted = wanted
        self.has_asked = True
        self.lag()

    def end(self, last_words: bytes = b"", *, reason: str) -> None:
        """End the stream after what already waits. `reason` is a fixed word: it labels a metric."""
        if self._ended is None:
            self.end_reason = reason
            self._ended = StreamEnded(last_words)
            self._enqueue(_Mark.ENDED)

    def withdraw(self, last_words: bytes = b"", *, reason: str) -> None:
        """End the stream and drop what waits: the client is to have no more of it."""
        if self._ended is None:
            self._drop_waiting()
            self.end(last_words, reason=reason)

    def abandon(self) -> None:
        """End the stream now: the client has gone."""
        self._empty_queue()
        self._notices = ()
        self._pieces.clear()
        self._ended = StreamEnded()
        self._enqueue(_Mark.ENDED)

    def take(self) -> bytes:
        """Wait for what the client is to be sent next, small parcels that wait together as one.

        Empty only where `writer` left something, which goes before whatever is taken. Raises StreamEnded.
        """
        self.is_writing = False
        self.beats_writing = 0
        while not self._pieces:
            self._refill()
        self.is_writing = True
        return self._pieces.pop(0)

    def _refill(self) -> None:
        """Move notices, or else waiting parcels, joined where they are small, to `_pieces`. May leave these empty.

        Switches in `peek`, and in `resync`, while it is lagging and takes nothing in.
        """
        queue, pieces = self._queue, self._pieces
        size = 0
        if queue.empty():
            self._is_idle = True
            try:
                queue.peek()
            finally:
                self._is_idle = False
        if self._notices:
            self._begin_notices()
            return
        while True:
            item = queue.get()
            if isinstance(item, Parcel):
                self._waiting_bytes -= item.size + PARCEL_BYTES
                size += item.size
                self.taken_events += item.events
                pieces.extend(item.pieces)
            elif self._heed(item):
                break
            if size >= JOIN_BYTES or queue.empty():
                break
        self.taken_bytes += size
        if size and len(pieces) > 1:
            pieces[:] = joined(pieces)

    def _heed(self, mark: _Mark) -> bool:
        """Do what a mark says; tells whether what is behind it has to wait. Raises StreamEnded."""
        if mark is _Mark.ENDED:
            if not self._pieces:
                raise self._ended or StreamEnded()
            self._queue.put(mark)  # what came before it goes out first
            return True
        if mark is _Mark.LAGGING:
            first = self._resync(self)  # may flush the group: nothing may be queued here before it is done
            self._begin_notices()
            self.begin(first)
            self._is_lagging = False
            return True
        if mark is _Mark.UNFINISHED:
            self._pieces.append(b"")
        return False

    def _begin_notices(self) -> None:
        notices, self._notices = self._notices, ()
        self.begin([Parcel.of(b"".join(notices))] if notices else [])

    def _enqueue(self, item: Parcel | _Mark) -> None:
        self._is_idle = False  # what comes now comes after it
        self._queue.put(item)

    def _drop_waiting(self) -> None:
        """Empty the queue, but for the mark of what is written in part: its end has to follow."""
        if self._empty_queue():
            self._enqueue(_Mark.UNFINISHED)

    def _empty_queue(self) -> bool:
        """Drop everything; tells whether the end of something written in part was among it."""
        is_unfinished = False
        while not self._queue.empty():
            is_unfinished |= self._queue.get() is _Mark.UNFINISHED
        self._waiting_bytes = 0
        return is_unfinished
