"""The order a simulated robot works on: stops, edges, actions, base and horizon.

Takes the edges of a route and the actions at its stops, gives what the robot still has to do. Pure. Stop i has
sequenceId 2*i, the edge after it 2*i + 1 (VDA 5050, "Order": one shared run of sequence ids). The base are the
stops before `released`; what comes after is the horizon. Stop 0 is where the robot stands when it accepts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from fleet_simulator.route_graph import Edge, Node


class ActionStatus(Enum):
    """Where an action is in its life; it ends FINISHED or FAILED (VDA 5050, "actionStates")."""

    WAITING = "WAITING"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


ENDED = frozenset({ActionStatus.FINISHED, ActionStatus.FAILED})


@dataclass(slots=True)
class Action:
    """One action of an order, or an instant action, and how far it is."""

    action_id: str
    action_type: str
    status: ActionStatus = ActionStatus.WAITING
    result: str | None = None

    @property
    def is_ended(self) -> bool:
        """Whether the action is over, well or badly."""
        return self.status in ENDED

    def finish(self, result: str | None = None) -> None:
        """End well."""
        self.status, self.result = ActionStatus.FINISHED, result

    def fail(self, result: str) -> None:
        """End badly; `result` says why."""
        self.status, self.result = ActionStatus.FAILED, result


@dataclass(frozen=True, slots=True)
class Stop:
    """A node of the order with its place in the sequence and its actions, which are done one after another."""

    node: Node
    sequence_id: int
    actions: list[Action] = field(default_factory=list)

    def next_action(self) -> Action | None:
        """Return the first action that has not ended."""
        return next((action for action in self.actions if not action.is_ended), None)


class TransportOrder:
    """One order from its acceptance to its end."""

    def __init__(self, *, order_id: str, start: Node, edges: list[Edge], released: int) -> None:
        self.order_id = order_id
        self.update_id = 0
        self.edges = list(edges)
        self.stops = [Stop(start, 0)] + [Stop(edge.end, 2 * index + 2) for index, edge in enumerate(edges)]
        self.released = min(max(released, 1), len(self.stops))
        self.passed = 0

    @property
    def last_stop(self) -> Stop:
        """The stop reached last."""
        return self.stops[self.passed]

    @property
    def has_horizon(self) -> bool:
        """Whether stops are not released yet."""
        return self.released < len(self.stops)

    @property
    def is_done(self) -> bool:
        """Whether every stop is passed and every action over."""
        return self.passed == len(self.stops) - 1 and self.last_stop.next_action() is None

    @property
    def actions(self) -> list[Action]:
        """All actions of the order, in the sequence of its stops."""
        return [action for stop in self.stops for action in stop.actions]

    @property
    def needs_base(self) -> bool:
        """Whether the robot is on the last released edge, or has none, while a horizon remains."""
        return self.has_horizon and self.released - 1 - self.passed <= 1

    def next_edge(self) -> Edge | None:
        """Return the edge the robot may drive next, None at the end of the base."""
        return self.edges[self.passed] if self.passed + 1 < self.released else None

    def pass_stop(self) -> None:
        """Count the next stop as reached."""
        self.passed += 1

    def extend_base(self, stops: int) -> None:
        """Accept an order update that releases so many more stops."""
        self.released = min(self.released + stops, len(self.stops))
        self.update_id += 1

    def cut_after(self, stop_index: int) -> None:
        """Forget all stops after that one, and fail every action that has not ended (cancelOrder)."""
        for action in self.actions:
            if not action.is_ended:
                action.fail("order cancelled")
        self._keep_failed_actions(stop_index)
        del self.stops[stop_index + 1 :]
        del self.edges[stop_index:]
        self.released = min(self.released, len(self.stops))

    def _keep_failed_actions(self, stop_index: int) -> None:
        """Move the actions of the stops to be forgotten, so that their end is still reported."""
        kept = self.stops[stop_index].actions
        for stop in self.stops[stop_index + 1 :]:
            kept.extend(stop.actions)
