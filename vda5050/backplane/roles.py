"""What a worker can be beside serving, and what it is told from outside for that."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol


class Role(Enum):
    """What a worker does beside serving."""

    FOLLOWS = "follows"
    STANDS_BY = "stands by"  # it has claimed the lease and holds back what the broker sends
    INGESTS = "ingests"
    LEFT = "left"  # it is about to end, and takes the lease no more


class Source(Protocol):
    """Where messages come from (`mqtt_bridge.MqttBridge`)."""

    def start(self) -> None:
        """Begin to receive; returns at once."""

    def stop(self) -> None:
        """Receive no more. May be called twice."""


class Bridge(Source, Protocol):
    """A source that can be left in order."""

    def fence(self, timeout_s: float) -> bool:
        """Wait until everything that the broker sent up to now has been received."""


class Surroundings(NamedTuple):
    """What a node is told from outside: the time (monotonic and epoch seconds), names for epochs, who counts losses.

    `on_ingest(is_up)` is called when this worker begins to ingest, with whether the link to the broker stands.
    """

    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    new_epoch: Callable[[], str]
    count_lost: Callable[[int], None]
    on_ingest: Callable[[bool], None]
