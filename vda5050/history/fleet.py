"""The fleet as it was: a `RobotState` made of what each robot had said by a moment, which may be taken further."""

from collections.abc import Iterable

from vda5050.entries import Update
from vda5050.history.reader import Stored
from vda5050.history.stretch import MICROSECONDS
from vda5050.robot_state import RobotState


class PastFleet:
    """The fleet at a moment that goes on with every message taken, oldest first.

    A robot is stale that had not been heard for `stale_after_s` by then. Whether the gateway had its broker then is not
    known.
    """

    def __init__(self, *, stale_after_s: float) -> None:
        self._now = float("-inf")
        self.robots = RobotState(
            max_robots=1 << 62, max_bytes=1 << 62, stale_after_s=stale_after_s, clock=lambda: self._now
        )
        self.robots.set_link(is_up=True)

    def take(self, message: Stored) -> None:
        """Go on to a message."""
        self._now = message.record.received_at
        self.robots.update_from_mqtt(Update(*message.record[:4]))

    def go_to(self, at_us: int) -> None:
        """Go on to a moment, at which nothing is said."""
        self._now = at_us / MICROSECONDS


def fleet_at(at_us: int, messages: Iterable[Stored], *, stale_after_s: float) -> PastFleet:
    """Give the fleet that `messages`, oldest first, had made by a time."""
    fleet = PastFleet(stale_after_s=stale_after_s)
    for message in messages:
        fleet.take(message)
    fleet.go_to(at_us)
    return fleet
