"""The fleet as it was: a `RobotState` made of what each robot had said last by then."""

from collections.abc import Iterable

from vda5050.entries import Update
from vda5050.history.reader import Stored
from vda5050.history.stretch import MICROSECONDS
from vda5050.robot_state import RobotState


def fleet_at(at_us: int, messages: Iterable[Stored], *, stale_after_s: float) -> RobotState:
    """Give the state that `messages`, oldest first, had made of the fleet at a time.

    A robot is stale that had not been heard for `stale_after_s` by then. Whether the gateway had its broker then is not
    known.
    """
    now = float("-inf")
    robots = RobotState(max_robots=1 << 62, max_bytes=1 << 62, stale_after_s=stale_after_s, clock=lambda: now)
    robots.set_link(is_up=True)
    for _, record in messages:
        now = record.received_at
        robots.update_from_mqtt(Update(*record[:4]))
    now = at_us / MICROSECONDS
    return robots
