"""Who else is given every message that was taken in: the seam for history and the event bus.

Takes from `replica`, in order, one `Record` per accepted message, after it was published to the streams. A sink has a
bounded buffer of its own and works it off elsewhere: what it cannot keep it counts, and the streams never wait for it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from vda5050.topics import Address


class Record(NamedTuple):
    """One accepted message with its place in the stream.

    `payload` is as `robot_state` keeps it and the streams show it: the robot's bytes, without a raw CR or LF.
    `received_at` is epoch seconds. `epoch` and `offset` together are the id of its event (see `frames`).
    """

    address: Address
    payload: bytes
    received_at: float
    is_retained: bool
    epoch: str
    offset: int


class Sink(Protocol):
    """Takes every message. Called on the hot path, thousands of times a second."""

    def put(self, record: Record) -> None:
        """Take one message. Must not raise, block, switch greenlets or take more than a few hundred nanoseconds."""

    def skip(self, count: int) -> None:
        """Note that so many entries of the stream, messages and others, never came to this worker. As `put`."""


NO_SINKS: Sequence[Sink] = ()
