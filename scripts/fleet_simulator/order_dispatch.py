"""The fleet control a simulated robot plays for itself: it invents transport and charging orders. Pure.

Takes where the robot is, what it carries and how its battery is, gives the next `TransportOrder`, with its first
stops released. Ids and choices come from the random.Random it is given.
"""

from __future__ import annotations

import random

from fleet_simulator.route_graph import Edge, Node, NodeKind, RouteGraph
from fleet_simulator.transport_order import Action, TransportOrder


class OrderDispatch:
    """Makes orders within one hall."""

    def __init__(self, graph: RouteGraph, chance: random.Random) -> None:
        self._graph = graph
        self._chance = chance

    def transport(
        self, start: Node, *, is_loaded: bool, is_charging: bool, taken: frozenset[str] = frozenset()
    ) -> TransportOrder:
        """Fetch a load and bring it somewhere; only bring it, if the robot is loaded already.

        Stations on the nodes `taken` are left to others where there is a choice.
        """
        legs: list[tuple[list[Edge], str]] = []
        node = start
        if not is_loaded:
            pick = self._choose(NodeKind.PICK, taken)
            legs.append((self._graph.route(node, pick), "pick"))
            node = pick
        drop = self._choose(NodeKind.DROP, taken)
        legs.append((self._graph.route(node, drop), "drop"))
        return self._order(start, legs, first_action="stopCharging" if is_charging else None)

    def charging(self, start: Node, *, taken: frozenset[str] = frozenset()) -> TransportOrder | None:
        """Go to the nearest charger that is not `taken` and charge; None where all are."""
        chargers = [charger for charger in self._graph.nodes_of(NodeKind.CHARGER) if charger.node_id not in taken]
        if not chargers:
            return None
        routes = [self._graph.route(start, charger) for charger in chargers]
        nearest = min(routes, key=lambda edges: sum(edge.length for edge in edges))
        return self._order(start, [(nearest, "startCharging")], first_action=None)

    def release_delay_s(self) -> float:
        """Return how long the robot waits for more base: mostly a moment, at times so long that it must brake."""
        return 9.0 if self._chance.random() < 0.08 else self._chance.uniform(0.8, 2.5)

    def stops_to_release(self) -> int:
        """Return how many stops the next order update releases."""
        return self._chance.randint(1, 3)

    def _choose(self, kind: NodeKind, taken: frozenset[str]) -> Node:
        stations = self._graph.nodes_of(kind)
        return self._chance.choice([station for station in stations if station.node_id not in taken] or stations)

    def _order(self, start: Node, legs: list[tuple[list[Edge], str]], *, first_action: str | None) -> TransportOrder:
        order_id = f"order-{self._chance.getrandbits(40):010x}"
        edges = [edge for leg, _ in legs for edge in leg]
        order = TransportOrder(order_id=order_id, start=start, edges=edges, released=self._chance.randint(3, 5))
        if first_action is not None:
            order.stops[0].actions.append(Action(f"{order_id}-0", first_action))
        stop_index = 0
        for number, (leg, action_type) in enumerate(legs, start=1):
            stop_index += len(leg)
            order.stops[stop_index].actions.append(Action(f"{order_id}-{number}", action_type))
        return order
