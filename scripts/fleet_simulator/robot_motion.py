"""How a simulated robot moves: it turns on the spot at nodes, accelerates, cruises and brakes along straight edges.

Takes steps of time, the order to follow and a speed limit, gives the pose and the velocity; counts passed stops in
the order. What is reported fits together: a step moves the robot by the speed it reports times the step's length.
Metres, seconds, radians; theta within [-pi, pi]. Pure.
"""

from __future__ import annotations

import math

from fleet_simulator.robot_types import RobotType
from fleet_simulator.route_graph import Edge, Node, NodeKind
from fleet_simulator.transport_order import TransportOrder

_STRAIGHT_RAD = 0.001
_OPPOSITE_RAD = 3.0
_ARRIVED_M = 1e-6
_REVERSE_SPEED = 0.6


def normalized(angle: float) -> float:
    """Return the angle within [-pi, pi]."""
    return math.remainder(angle, math.tau)


class Motion:
    """Pose and velocity of one robot. `edge` is None while it stands on a node."""

    def __init__(self, robot_type: RobotType, *, node: Node, theta: float) -> None:
        self._type = robot_type
        self.x, self.y, self.theta = node.x, node.y, normalized(theta)
        self.speed = 0.0
        self.turn_rate = 0.0
        self.edge: Edge | None = None
        self.travelled = 0.0
        self.is_reversing = False

    @property
    def is_moving(self) -> bool:
        """Whether the robot drives or turns."""
        return self.speed > 0.0 or self.turn_rate != 0.0

    @property
    def vx(self) -> float:
        """Speed in the robot's own x direction: negative when it reverses."""
        return -self.speed if self.is_reversing else self.speed

    @property
    def braking_distance(self) -> float:
        """How far the robot goes on until it stands."""
        return self.speed**2 / (2.0 * self._type.acceleration)

    def step(self, seconds: float, order: TransportOrder, *, speed_limit: float) -> None:
        """Move on for a moment; a speed limit of 0 means: brake, and stay where that ends."""
        self.turn_rate = 0.0
        if self.edge is None:
            edge = self._edge_to_enter(order, speed_limit=speed_limit)
            if edge is None:
                self.speed = 0.0
                return
            if not self._turn(seconds, self._choose_heading(edge)):
                return
            self.edge, self.travelled = edge, 0.0
        self._drive(seconds, order, speed_limit=speed_limit)

    def _edge_to_enter(self, order: TransportOrder, *, speed_limit: float) -> Edge | None:
        if speed_limit <= 0.0 or order.last_stop.next_action() is not None:
            return None
        return order.next_edge()

    def _choose_heading(self, edge: Edge) -> float:
        """Decide on the heading to take on an edge; a robot leaves a station backwards, as a fork lift does."""
        is_behind = abs(normalized(edge.heading - self.theta)) > _OPPOSITE_RAD
        self.is_reversing = is_behind and edge.start.kind is not NodeKind.CROSSING
        return normalized(edge.heading + math.pi) if self.is_reversing else edge.heading

    def _turn(self, seconds: float, heading: float) -> bool:
        """Turn towards the heading; return whether it is reached and the robot may drive in this step."""
        left = normalized(heading - self.theta)
        if abs(left) < _STRAIGHT_RAD:
            self.theta = heading
            return True
        self.speed = 0.0
        kind = self._type
        rate = min(kind.max_turn_rate, math.sqrt(2.0 * kind.turn_acceleration * abs(left)), abs(left) / seconds)
        self.turn_rate = math.copysign(rate, left)
        self.theta = normalized(self.theta + self.turn_rate * seconds)
        return False

    def _drive(self, seconds: float, order: TransportOrder, *, speed_limit: float) -> None:
        distance = self._distance_to_stop(order)
        change = self._type.acceleration * seconds
        speed_limit = min(speed_limit, _REVERSE_SPEED) if self.is_reversing else speed_limit
        wanted = min(self.speed + change, max(speed_limit, self.speed - change))
        self.speed = max(min(wanted, math.sqrt(2.0 * self._type.acceleration * distance), distance / seconds), 0.0)
        self.travelled += self.speed * seconds
        edge = self.edge
        while edge is not None and self.travelled >= edge.length - _ARRIVED_M:
            edge = self._pass_node(edge, order, is_stop=self.speed * seconds >= distance - _ARRIVED_M)
        if edge is not None:
            self.x = edge.start.x + math.cos(edge.heading) * self.travelled
            self.y = edge.start.y + math.sin(edge.heading) * self.travelled

    def _pass_node(self, edge: Edge, order: TransportOrder, *, is_stop: bool) -> Edge | None:
        order.pass_stop()
        following = order.next_edge()
        if following is not None and not is_stop:
            self.travelled -= edge.length
        else:
            self.x, self.y, self.travelled = edge.end.x, edge.end.y, 0.0
            if following is None or order.last_stop.next_action() is not None:
                self.speed = 0.0
            following = None
        self.edge = following
        return following

    def _distance_to_stop(self, order: TransportOrder) -> float:
        """Return the way to the next stop where the robot must stand: to turn, to act, or at the end of the base."""
        edge = self.edge
        assert edge is not None
        distance = edge.length - self.travelled
        index = order.passed + 1
        while index + 1 < order.released and order.stops[index].next_action() is None and not self.is_reversing:
            following = order.edges[index]
            if abs(normalized(following.heading - edge.heading)) > _STRAIGHT_RAD:
                break
            distance += following.length
            edge, index = following, index + 1
        return distance
