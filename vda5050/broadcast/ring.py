"""The latest frames of all robots, numbered: what a client that comes back can be given.

Bounded in bytes; the oldest frame goes first. Offsets in it have no gaps.
"""

from collections import deque
from collections.abc import Iterable

from vda5050.frames import Frame

FRAME_BYTES = 200
"""What a frame costs beside its text; counted, so that many small ones are bounded too."""


class Ring:
    """Gives frames their offsets and holds the newest of them. `epoch` is the first part of every event id."""

    def __init__(self, epoch: bytes, *, max_bytes: int) -> None:
        self.last_offset = 0
        self.size = 0
        self._epoch = epoch
        self._max_bytes = max_bytes
        self._frames: deque[Frame] = deque()

    def restart(self, epoch: bytes, last_offset: int, frames: Iterable[Frame]) -> None:
        """Go on after `last_offset` of another epoch, with the frames that are held of it."""
        self._epoch = epoch
        self.last_offset = last_offset
        self._frames = deque(frames)
        self.size = sum(frame.size + FRAME_BYTES for frame in self._frames)
        self._let_go()

    @property
    def oldest_offset(self) -> int:
        """The offset of the oldest frame that is held, or of the next one where none is."""
        return self._frames[0].offset if self._frames else self.last_offset + 1

    def append(self, robot: str, topic: str, head: bytes, body: bytes = b"", tail: bytes = b"") -> Frame:
        """Make the next frame."""
        self.last_offset = offset = self.last_offset + 1
        frame = Frame(offset, robot, topic, head, body, tail)
        self._frames.append(frame)
        self.size += len(head) + len(body) + len(tail) + FRAME_BYTES
        if self.size > self._max_bytes:
            self._let_go()
        return frame

    def held_offset(self, event_id: str) -> int | None:
        """Read an event id. None where it is not of this epoch, or where a frame after it is no longer held."""
        offset = self._offset_in_epoch(event_id)
        return offset if offset is not None and self.oldest_offset - 1 <= offset <= self.last_offset else None

    def is_ahead(self, event_id: str) -> bool:
        """Tell whether an id is one of this epoch that has not come here yet: another worker has shown it."""
        offset = self._offset_in_epoch(event_id)
        return offset is not None and offset > self.last_offset

    def _offset_in_epoch(self, event_id: str) -> int | None:
        epoch, _, digits = event_id.rpartition("-")
        if epoch.encode() != self._epoch or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return None
        return int(digits)

    def _let_go(self) -> None:
        while self.size > self._max_bytes:
            self.size -= self._frames.popleft().size + FRAME_BYTES

    def between(self, after: int, upto: int) -> list[Frame]:
        """Give the held frames with after < offset <= upto, in order; walks back from the newest."""
        frames = []
        for frame in reversed(self._frames):
            if frame.offset <= after:
                break
            if frame.offset <= upto:
                frames.append(frame)
        frames.reverse()
        return frames
