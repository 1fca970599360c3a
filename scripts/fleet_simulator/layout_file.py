"""The halls of the simulated robots as a layout file: VDMA's Layout Interchange Format (LIF 1.0).

Takes route graphs and the present time, gives the file's text: a layout for each hall, with its nodes, edges and a
station for every place where robots pick, drop or charge. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fleet_simulator.robot_types import ROBOT_TYPES
from fleet_simulator.route_graph import MAP_ID, Edge, Node, NodeKind, RouteGraph

JsonObject = dict[str, Any]

_STATION_NAMES = {NodeKind.PICK: "Pick", NodeKind.DROP: "Drop", NodeKind.CHARGER: "Charger"}
_ACTIONS = {NodeKind.PICK: "pick", NodeKind.DROP: "drop", NodeKind.CHARGER: "startCharging"}


def lif_text(halls: Sequence[RouteGraph], now: datetime) -> str:
    """Write all halls as one LIF file."""
    document = {
        "metaInformation": {
            "projectIdentification": "Simulated halls",
            "creator": "multi_robot_demo.py",
            "exportTimestamp": f"{now:%Y-%m-%dT%H:%M:%S}.00Z",
            "lifVersion": "1.0.0",
        },
        "layouts": [_layout(hall, number) for number, hall in enumerate(halls, start=1)],
    }
    return json.dumps(document, indent=1)


def _layout(hall: RouteGraph, number: int) -> JsonObject:
    nodes = list(hall.nodes.values())
    return {
        "layoutId": f"hall-{number}",
        "layoutName": f"Hall {number}",
        "layoutVersion": "1",
        "nodes": [_node(node) for node in nodes],
        "edges": [_edge(edge) for edges in hall.edges_from.values() for edge in edges],
        "stations": [_station(node) for node in nodes if node.kind in _STATION_NAMES],
    }


def _node(node: Node) -> JsonObject:
    properties: list[JsonObject] = [{"vehicleTypeId": kind.series_name} for kind in ROBOT_TYPES]
    if node.kind in _ACTIONS:
        action = {"actionType": _ACTIONS[node.kind], "requirementType": "OPTIONAL", "blockingType": "HARD"}
        properties = [{**entry, "actions": [action]} for entry in properties]
    return {
        "nodeId": node.node_id,
        "mapId": MAP_ID,
        "nodePosition": {"x": node.x, "y": node.y},
        "vehicleTypeNodeProperties": properties,
    }


def _edge(edge: Edge) -> JsonObject:
    return {
        "edgeId": edge.edge_id,
        "startNodeId": edge.start.node_id,
        "endNodeId": edge.end.node_id,
        "vehicleTypeEdgeProperties": [
            {"vehicleTypeId": kind.series_name, "rotationAllowed": False, "maxSpeed": kind.max_speed}
            for kind in ROBOT_TYPES
        ],
    }


def _station(node: Node) -> JsonObject:
    hall, short = node.node_id.split("-")
    return {
        "stationId": f"{hall}-station-{short}",
        "interactionNodeIds": [node.node_id],
        "stationName": f"{_STATION_NAMES[node.kind]} {short[1:]}",
        "stationPosition": {"x": node.x, "y": node.y},
    }
