"""Who may drive to which node of a hall, as a fleet control does it: robots queue, and do not drive through each other.

A robot's base are nodes that it holds; it gives each back when it has left it, and waits where the next one is another
robot's. A robot never waits at the crossing before an occupied station, because the one in there could not come out. A
ring in which each waits for the next one is not found out: a robot that has waited PATIENCE_S goes on all the same.
Stations that an order leads to are booked: others are sent elsewhere. Robots of a hall may live in different threads,
hence the lock.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

from fleet_simulator.route_graph import NodeKind
from fleet_simulator.transport_order import Stop

PATIENCE_S = 25.0


class Traffic:
    """The nodes of one hall and the robots that hold them."""

    def __init__(self) -> None:
        self._holders: dict[str, object] = {}
        self._bookings: dict[object, frozenset[str]] = {}
        self._lock = threading.Lock()

    def take(self, robot: object, stops: Sequence[Stop], *, wanted: int) -> int:
        """Hold the next stops, about so many of those that are free; return how many."""
        with self._lock:
            count = 0
            while count < min(wanted, len(stops)) and self._is_free(robot, stops[count]):
                count += 1
            while 0 < count < len(stops) and _is_before_station(stops, count):
                count += 1 if self._is_free(robot, stops[count]) else -1
            self._hold(robot, stops[:count])
            return count

    def seize(self, robot: object, stops: Sequence[Stop]) -> None:
        """Hold stops whoever else does."""
        with self._lock:
            self._hold(robot, stops)

    def keep(self, robot: object, stops: Collection[Stop]) -> None:
        """Give back all that the robot holds beside these."""
        kept = {stop.node.node_id for stop in stops}
        with self._lock:
            for node_id in [name for name, holder in self._holders.items() if holder is robot and name not in kept]:
                del self._holders[node_id]

    def book(self, robot: object, stops: Collection[Stop]) -> None:
        """Book the stations among the stops of an order; what the robot had booked before is free again."""
        with self._lock:
            self._bookings[robot] = frozenset(
                stop.node.node_id for stop in stops if stop.node.kind is not NodeKind.CROSSING
            )

    def wanted_by_others(self, robot: object) -> frozenset[str]:
        """Name the nodes that other robots hold now or have booked."""
        with self._lock:
            held = {name for name, holder in self._holders.items() if holder is not robot}
            booked = [names for other, names in self._bookings.items() if other is not robot]
            return frozenset(held.union(*booked))

    def _is_free(self, robot: object, stop: Stop) -> bool:
        return self._holders.get(stop.node.node_id, robot) is robot

    def _hold(self, robot: object, stops: Sequence[Stop]) -> None:
        self._holders.update((stop.node.node_id, robot) for stop in stops)


def _is_before_station(stops: Sequence[Stop], count: int) -> bool:
    return stops[count - 1].node.kind is NodeKind.CROSSING and stops[count].node.kind is not NodeKind.CROSSING
