"""What happens, in one order for all: a robot said something, the doctor found something, the link changed.

Takes what `ingest`, `conformance` and the bridge noticed, gives values that every worker applies in the same order (see
`replica`). Who gives them that order is a `Sequencer`: the worker's own replica, or with Redis the backplane.
"""

from typing import Any, NamedTuple, Protocol, Self

import msgspec

from vda5050.topics import Address

_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


class Update(msgspec.Struct, frozen=True, gc=False):
    """One accepted message; `payload` is valid JSON (an object) in UTF-8, without a raw CR or LF.

    `received_at` is epoch seconds. `is_retained`: the broker had kept it, its age is unknown.
    """

    address: Address
    payload: bytes
    received_at: float
    is_retained: bool

    @classmethod
    def of(cls, address: Address, payload: bytes, *, received_at: float, is_retained: bool) -> Self:
        """Make an update of a payload that was parsed.

        Raw CR and LF, which in valid JSON stand between tokens only, become spaces, because either would end a line of
        an event stream.
        """
        if b"\n" in payload or b"\r" in payload:
            payload = payload.translate(_LINE_BREAKS)
        return cls(address, payload, received_at, is_retained)


class Told(NamedTuple):
    """The doctor tells a finding of `robot`, in the shape of `doctor.Finding.to_dict`."""

    robot: str
    finding: dict[str, Any]


class LinkChange(NamedTuple):
    """The link to the broker stands, or is lost, since `at` (epoch seconds)."""

    is_up: bool
    at: float


Entry = Update | Told | LinkChange


class Sequencer(Protocol):
    """Who gives entries their order. Must not switch greenlets."""

    def put(self, entry: Entry) -> int:
        """Take the next entry; returns the offset that its frame has, or is going to have.

        May raise for a fault of its own; the entry is then lost.
        """
