"""Reads the stream into this worker's replica; the worker that ingests follows as well, and shows nothing else.

Each batch must begin where the one before ended, in the same epoch. Where it does not (an epoch began, or this worker
was too slow and what it has not read was trimmed), everything is loaded again and every client is reset: it is told of
the gap. A client's stream is then what it would be in any other worker.
"""

from collections.abc import Callable, Iterator
from typing import Any

from vda5050.backplane.batches import Batch, BatchError, decode, decode_entry
from vda5050.backplane.store import Head, Item, Loaded, Store
from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.frames import Frame, entry_frame
from vda5050.logs import get_logger
from vda5050.replica import Image, Replica

log = get_logger(__name__)

NoteHandler = Callable[[dict[str, Any]], None]


class Follower:
    """Where this worker stands in the stream. `head` is None until everything was loaded once.

    `token` tells this worker's own batches from others'. `on_note` gets what other workers tell, in the stream's order.
    """

    def __init__(self, store: Store, replica: Replica, *, token: str, on_note: NoteHandler) -> None:
        self.head: Head | None = None
        self._store = store
        self._replica = replica
        self._token = token
        self._on_note = on_note

    def read(self, block_ms: int) -> int:
        """Wait for what comes next and apply it; returns the number of batches. Raises StoreError."""
        head = self.head
        if head is None:
            return int(self.load())
        items = self._store.read(head.position, block_ms=block_ms)
        if self.head is not head or (not items and self._is_elsewhere(head)):
            return int(self.load())
        for item in items:
            if not self._take(item):
                return int(self.load())
        return len(items)

    def load(self) -> bool:
        """Take everything over as it is in the store. False where there is nothing yet. Raises StoreError."""
        loaded = self._store.load()
        if loaded is None:
            return False
        frames = self._past_frames(loaded.head)
        self._replica.restart(_image(loaded, frames))
        self.head = loaded.head
        log.info("follows the stream", epoch=self.head.epoch, offset=self.head.offset, held=len(frames))
        return True

    def forget(self) -> None:
        """Load everything again at the next reading."""
        self.head = None

    def _is_elsewhere(self, head: Head) -> bool:
        """Tell whether the stream was replaced under us, where reading on would wait for ever."""
        there = self._store.head()
        return there is not None and (there.epoch != head.epoch or there.offset < head.offset)

    def _take(self, item: Item) -> bool:
        """Apply a batch; False where it does not continue what we have."""
        head = self.head
        assert head is not None
        if item.epoch != head.epoch or item.first != head.offset + 1:
            return False
        batch = decode(item.body)
        apply = self._replica.put if batch.writer == self._token else self._replica.follow
        for entry in batch.entries:
            apply(entry)
        self.head = Head(head.epoch, head.offset + len(batch.entries), head.holder, item.position)
        if batch.note is not None:
            self._on_note(batch.note)
        return True

    def _past_frames(self, head: Head) -> list[Frame]:
        """Read the frames that the stream still holds, up to `head`, without a gap."""
        frames: list[Frame] = []
        for item in self._store.past(head.position):
            if item.epoch != head.epoch or (frames and item.first != frames[-1].offset + 1):
                frames.clear()
            if item.epoch == head.epoch:
                frames += _numbered(item.first, decode(item.body))
        return frames if not frames or frames[-1].offset == head.offset else []


def _numbered(first: int, batch: Batch) -> Iterator[Frame]:
    for offset, entry in enumerate(batch.entries, first):
        yield entry_frame(offset, entry)


def _image(loaded: Loaded, frames: list[Frame]) -> Image:
    updates: list[Update] = []
    findings: list[Told] = []
    link = None
    for entry in _entries(loaded):
        match entry:
            case Update():
                updates.append(entry)
            case Told():
                findings.append(entry)
            case LinkChange():
                link = entry
    return Image(loaded.head.epoch, loaded.head.offset, updates, findings, link, frames)


def _entries(loaded: Loaded) -> Iterator[Entry]:
    for members in (loaded.state, loaded.findings):
        for value in members.values():
            try:
                yield decode_entry(value)
            except BatchError as error:  # one robot less is better than none
                log.warning("something in Redis was left out", problem=str(error))
