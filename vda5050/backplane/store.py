"""What the backplane keeps in common, as values, and the steps that change it, each of them atomic (`redis_store`).

A step that changes something asks at the same moment whether the writer holds the lease and stands where the head
stands: a worker that was stopped and wakes up changes nothing.

Raises StoreError where the store is away or refuses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

from vda5050.errors import Vda5050Error

READY = "ready "


class StoreError(Vda5050Error):
    """Redis is away, or refuses. What was asked for may have been done all the same."""


class Head(NamedTuple):
    """Where the stream stands."""

    epoch: str
    offset: int
    holder: str
    position: str

    def is_after(self, other: "Head") -> bool:
        """Tell whether this one is newer: names of epochs begin with the time, see `service.new_epoch`."""
        return (self.epoch, self.offset) > (other.epoch, other.offset)


class Lease(Enum):
    """What came of asking for the lease."""

    OTHER = "other"  # another worker has it
    KEPT = "kept"  # it was the asker's already
    TAKEN = "taken"  # nobody had it
    LATE = "late"  # nobody has it, and the question is too old to be answered with yes


class Held(NamedTuple):
    """The answer: where the stream stands if the lease is held, how many others are there, and the time in Redis."""

    lease: Lease
    head: Head | None
    others: int
    now_ms: int


class Appended(Enum):
    """What came of appending."""

    DONE = "done"
    EXPIRED = "expired"  # the lease has run out, and nobody has taken it yet
    FENCED = "fenced"  # another holds the lease, or the stream stands elsewhere: this writer's time is over


class Item(NamedTuple):
    """One batch of the stream, undecoded."""

    position: str
    epoch: str
    first: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """One batch to be appended, with what it changes: `first` to `last` are the offsets of its entries.

    `keep_from`: batches that end before this offset may go. `successor` gets the lease with it, if not empty.
    """

    epoch: str
    first: int
    last: int
    body: bytes
    keep_from: int
    state: Mapping[bytes, bytes] = field(default_factory=dict)
    findings: Mapping[bytes, bytes] = field(default_factory=dict)
    forgotten: Sequence[bytes] = ()
    successor: str = ""


class Loaded(NamedTuple):
    """All there is to know at one moment, as entries not decoded."""

    head: Head
    state: Mapping[bytes, bytes]
    findings: Mapping[bytes, bytes]


class Store(Protocol):
    """The steps; the model that the property tests use has them too. All of them raise StoreError."""

    def hold(self, token: str, *, ttl_ms: int, until_ms: int) -> Held:
        """Ask for the lease, or to keep it.

        One who did not hold it last gets it only `until_ms` of Redis's time: a Redis that stood still answers what was
        asked long ago, and the last holder, which has what came meanwhile, shall be the first.
        """

    def begin(self, token: str, *, epoch: str, floor: int, body: bytes) -> Head | None:
        """Begin an epoch, its offsets above `floor`, with a batch of no entries. None where the lease is another's."""

    def seed(self, token: str, *, state: Mapping[bytes, bytes], findings: Mapping[bytes, bytes]) -> bool:
        """Put last messages and findings in, before `begin`. False where the lease is another's."""

    def append(self, token: str, append: Append, *, ttl_ms: int) -> Appended:
        """Append; done once however often it is asked for the same batch."""

    def release(self, token: str) -> None:
        """Let the lease go, if it is held, and be there no more."""

    def claim(self, token: str, *, ttl_ms: int) -> bool:
        """Offer to take the lease over. False where another has done so already."""

    def ready(self, token: str, *, ttl_ms: int) -> None:
        """Say that whoever claimed can take over now."""

    def call_for_successor(self) -> None:
        """Forget who claimed before."""

    def successor(self) -> str | None:
        """Give who claimed, after READY once ready."""

    def head(self) -> Head | None:
        """Tell where the stream stands."""

    def load(self) -> Loaded | None:
        """Read everything as of one moment; None where there is no stream yet."""

    def past(self, upto: str) -> Iterator[Item]:
        """Read the stream from its beginning to a position."""

    def read(self, after: str, *, block_ms: int) -> list[Item]:
        """Wait for batches after a position."""
