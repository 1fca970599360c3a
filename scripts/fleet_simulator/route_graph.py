"""The hall a simulated robot drives in: nodes, edges and the way from one node to another.

Takes a hall number, gives a `RouteGraph`. Pure data: no clock, no chance, nothing changes after `build_hall()`.
All halls lie beside each other on one map, because VDA 5050 wants one project origin for all maps (section
"Coordinate systems"): metres, y up, headings in radians within [-pi, pi]. The main ways are one-way, so that
robots follow each other; stations and chargers hang on two-way spurs.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

MAP_ID = "ground-floor"
ROBOTS_PER_HALL = 4
_HALLS_PER_ROW = 10
_HALL_PITCH_M = (52.0, 36.0)


class NodeKind(Enum):
    """What a robot can do on a node."""

    CROSSING = "crossing"
    PICK = "pick"
    DROP = "drop"
    CHARGER = "charger"


@dataclass(frozen=True, slots=True)
class Node:
    """One place a robot can stand on; x and y in metres."""

    node_id: str
    x: float
    y: float
    kind: NodeKind


@dataclass(frozen=True, slots=True)
class Edge:
    """A straight way from `start` to `end`; length in metres, heading in radians."""

    edge_id: str
    start: Node
    end: Node
    length: float
    heading: float


class RouteGraph:
    """Nodes and directed edges, with the shortest route between two nodes."""

    def __init__(self, nodes: Iterable[Node], edges: Iterable[Edge]) -> None:
        self.nodes = {node.node_id: node for node in nodes}
        self.edges_from: dict[str, list[Edge]] = {node_id: [] for node_id in self.nodes}
        for edge in edges:
            self.edges_from[edge.start.node_id].append(edge)

    def nodes_of(self, kind: NodeKind) -> list[Node]:
        """Return the nodes of one kind, in the order they were given."""
        return [node for node in self.nodes.values() if node.kind is kind]

    def route(self, start: Node, goal: Node) -> list[Edge]:
        """Return the edges of the shortest way, empty where start is goal.

        Raises ValueError if there is none.
        """
        queue: list[tuple[float, str]] = [(0.0, start.node_id)]
        best = {start.node_id: 0.0}
        came_by: dict[str, Edge] = {}
        while queue:
            distance, node_id = heapq.heappop(queue)
            if node_id == goal.node_id:
                return _edges_back(came_by, start=start, goal=goal)
            for edge in self.edges_from[node_id]:
                reached, total = edge.end.node_id, distance + edge.length
                if total < best.get(reached, math.inf):
                    best[reached] = total
                    came_by[reached] = edge
                    heapq.heappush(queue, (total, reached))
        raise ValueError(f"no way from {start.node_id} to {goal.node_id}")


def _edges_back(came_by: dict[str, Edge], *, start: Node, goal: Node) -> list[Edge]:
    edges: list[Edge] = []
    node_id = goal.node_id
    while node_id != start.node_id:
        edges.append(came_by[node_id])
        node_id = edges[-1].start.node_id
    return edges[::-1]


# name: (x, y, kind), metres in the hall's own frame. S and N are the south and north aisle, M the middles of the two
# cross ways, P, D, B and C the stations and chargers on their spurs.
_NODES: dict[str, tuple[float, float, NodeKind]] = {
    "S1": (4.0, 2.0, NodeKind.CROSSING),
    "S2": (14.0, 2.0, NodeKind.CROSSING),
    "S3": (26.0, 2.0, NodeKind.CROSSING),
    "S4": (38.0, 2.0, NodeKind.CROSSING),
    "N4": (38.0, 20.0, NodeKind.CROSSING),
    "N3": (26.0, 20.0, NodeKind.CROSSING),
    "N2": (14.0, 20.0, NodeKind.CROSSING),
    "N1": (4.0, 20.0, NodeKind.CROSSING),
    "M1": (14.0, 11.0, NodeKind.CROSSING),
    "M2": (26.0, 11.0, NodeKind.CROSSING),
    "P1": (14.0, -3.0, NodeKind.PICK),
    "P2": (26.0, -3.0, NodeKind.PICK),
    "P3": (8.0, 11.0, NodeKind.PICK),
    "D1": (14.0, 25.0, NodeKind.DROP),
    "D2": (26.0, 25.0, NodeKind.DROP),
    "D3": (32.0, 11.0, NodeKind.DROP),
    "C1": (-1.0, 20.0, NodeKind.CHARGER),
    "C2": (43.0, 2.0, NodeKind.CHARGER),
}
_ONE_WAY = ("S1 S2", "S2 S3", "S3 S4", "S4 N4", "N4 N3", "N3 N2", "N2 N1", "N1 S1", "S2 M1", "M1 N2", "N3 M2", "M2 S3")
_TWO_WAY = ("S2 P1", "S3 P2", "M1 P3", "N2 D1", "N3 D2", "M2 D3", "N1 C1", "S4 C2")


def build_hall(number: int) -> RouteGraph:
    """Build hall `number` (1, 2, ...): 18 nodes named `H<number>-<name>`, at its own place on the map."""
    row, column = divmod(number - 1, _HALLS_PER_ROW)
    left, bottom = column * _HALL_PITCH_M[0], row * _HALL_PITCH_M[1]
    nodes = {
        name: Node(node_id=f"H{number}-{name}", x=left + x, y=bottom + y, kind=kind)
        for name, (x, y, kind) in _NODES.items()
    }
    pairs = [pair.split() for pair in _ONE_WAY + _TWO_WAY]
    pairs += [pair.split()[::-1] for pair in _TWO_WAY]
    return RouteGraph(nodes.values(), [_edge(number, nodes[start], nodes[end]) for start, end in pairs])


def _edge(number: int, start: Node, end: Node) -> Edge:
    across, up = end.x - start.x, end.y - start.y
    short = f"{start.node_id.split('-')[1]}-{end.node_id.split('-')[1]}"
    return Edge(
        edge_id=f"H{number}-{short}",
        start=start,
        end=end,
        length=math.hypot(across, up),
        heading=math.atan2(up, across),
    )
