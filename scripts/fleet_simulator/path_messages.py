"""The way of a simulated robot as VDA 5050 tells it: node states, edge states, trajectories, the planned path. Pure.

Takes a `SimulatedRobot` and a `Dialect`, gives parts of a state message. Sources: VDA 5050, "nodeState", "edgeState",
"trajectory" (NURBS) and, in 3.0, "plannedPath".
"""

from __future__ import annotations

from typing import Any

from fleet_simulator.dialects import Dialect
from fleet_simulator.route_graph import MAP_ID, Edge, Node
from fleet_simulator.simulated_robot import SimulatedRobot

JsonObject = dict[str, Any]
_LARGEST_THETA = 3.1415


def rounded_theta(angle: float) -> float:
    """Round within [-pi, pi]: plain rounding would give 3.1416, which is outside."""
    return min(max(round(angle, 4), -_LARGEST_THETA), _LARGEST_THETA)


def node_states(robot: SimulatedRobot, dialect: Dialect) -> list[JsonObject]:
    """Return the nodes still to be reached, base first."""
    order = robot.order
    return [
        {
            "nodeId": stop.node.node_id,
            "sequenceId": stop.sequence_id,
            dialect.node_text_key: stop.node.kind.value,
            "released": index < order.released,
            "nodePosition": _node_position(stop.node, order.edges[index - 1]),
        }
        for index, stop in enumerate(order.stops)
        if index > order.passed
    ]


def _node_position(node: Node, arrival: Edge) -> JsonObject:
    return {"x": node.x, "y": node.y, "theta": rounded_theta(arrival.heading), "mapId": MAP_ID}


def edge_states(robot: SimulatedRobot, dialect: Dialect) -> list[JsonObject]:
    """Return the edges still to be driven, the present one included, with their straight trajectories."""
    order = robot.order
    return [
        {
            "edgeId": edge.edge_id,
            "sequenceId": 2 * index + 1,
            "released": index + 1 < order.released,
            "trajectory": _line([(edge.start.x, edge.start.y), (edge.end.x, edge.end.y)], dialect),
        }
        for index, edge in enumerate(order.edges)
        if index >= order.passed
    ]


def _line(points: list[tuple[float, float]], dialect: Dialect) -> JsonObject:
    """Return straight pieces through the points as a NURBS of degree 1."""
    weight = {"weight": 1.0} if dialect.has_control_point_weights else {}
    return {
        "degree": 1,
        "knotVector": _knots(len(points)),
        "controlPoints": [{"x": x, "y": y, **weight} for x, y in points],
    }


def _knots(points: int) -> list[float]:
    """Return a clamped knot vector for degree 1: points + 2 values from 0 to 1."""
    return [0.0, *[round(index / (points - 1), 4) for index in range(points)], 1.0]


def planned_path(robot: SimulatedRobot, dialect: Dialect) -> JsonObject:
    """Return the way from here to the end of the base."""
    order = robot.order
    ahead = [stop.node for stop in order.stops[order.passed + 1 : order.released]]
    points = [(round(robot.motion.x, 3), round(robot.motion.y, 3)), *((node.x, node.y) for node in ahead)]
    return {
        "trajectory": _line(points, dialect),
        "traversedNodes": [node.node_id for node in ahead],
    }
