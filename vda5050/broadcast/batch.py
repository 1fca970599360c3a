"""Frames that are flushed together: encoded once for each wire that somebody has, shared by all who get them.

Takes frames in order, gives parcels. A snapshot is a batch of one frame.
"""

from dataclasses import dataclass, field

from vda5050.broadcast.parcel import Parcel
from vda5050.frames import Frame, Wire, encode_events


def parcel_of(epoch: bytes, frames: list[Frame], wire: Wire) -> Parcel:
    """Encode frames for one wire."""
    return Parcel.of(encode_events(epoch, frames, wire), events=len(frames))


@dataclass(slots=True)
class Batch:
    """`frames` of `epoch`, flushed at `flushed_at` (monotonic seconds); `size` is the length of their text.

    Encoded when somebody wants it.
    """

    epoch: bytes
    frames: list[Frame]
    flushed_at: float
    size: int = 0
    _parcels: dict[Wire, Parcel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.size = sum(frame.size for frame in self.frames)

    @property
    def last_offset(self) -> int:
        return self.frames[-1].offset

    def rest(self, offset: int, wire: Wire) -> Parcel | None:
        """Encode the frames after `offset`; None where there are none. Shared only where that is the whole batch."""
        if self.last_offset <= offset:
            return None
        if self.frames[0].offset > offset:
            return self.parcel(wire)
        frames = [frame for frame in self.frames if frame.offset > offset]
        return parcel_of(self.epoch, frames, wire)

    def parcel(self, wire: Wire) -> Parcel:
        """Encode the batch for one wire; the same object for every client."""
        parcel = self._parcels.get(wire)
        if parcel is None:
            parcel = self._parcels[wire] = parcel_of(self.epoch, self.frames, wire)
        return parcel


@dataclass(slots=True)
class Snapshot:
    """The matching robots at `offset`, taken at `taken_at` (monotonic seconds)."""

    batch: Batch
    offset: int
    taken_at: float
