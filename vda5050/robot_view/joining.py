"""What several members or messages say about one thing, joined: the order, its progress, actions, zones.

Takes objects already read by their shapes (parts/order.py, parts/site.py) and changes them in place. The state has the
last word; the order message fills what the state leaves out, and only while both name the same order. Never raises.
"""

from collections.abc import Iterable
from typing import Any

from vda5050.robot_view.parts.site import ViewZoneSetSchema

Object = dict[str, Any]

_NO_ZONE_SET: Object = dict.fromkeys(ViewZoneSetSchema().fields)

_INSTANT_ONLY = ("startPause", "stopPause", "downloadMap", "deleteMap", "stateRequest", "logReport", "cancelOrder")
_ORDER_ONLY = ("pick", "drop", "detectObject", "finePositioning", "waitForTrigger")
KIND_OF_TYPE = {
    **dict.fromkeys((*_INSTANT_ONLY, "factsheetRequest"), "instant"),
    **dict.fromkeys(_ORDER_ONLY, "order"),
}
"""Predefined actions with one scope (VDA 5050 2.1.0, section 6.8.1); the others may come either way."""

_MAX_SEQUENCE_ID = 2**32 - 1
"""An uint32 in the standard; what is counted from a larger one would not fit into JSON."""


def join_order(reported: Object, sent: Object | None) -> Object | None:
    """Make the view's order. `reported`: as the state tells it, all None without a state; `sent`: the order message.

    None where neither says anything.
    """
    order = reported
    if reported["order_id"] is None and reported["nodes"] is None and reported["last_node_id"] is None:
        if sent is None:
            return None
        order = sent
    elif sent is not None and sent["order_id"] and sent["order_id"] == order["order_id"]:
        _fill(order["nodes"], sent["nodes"], "node_id")
        _fill(order["edges"], sent["edges"], "edge_id")
        order["description"] = order["description"] or sent["description"]
        order["progress"] = _progress(order, sent)
    _add_edge_ends(order)
    for items, what in ((order["nodes"], "node"), (order["edges"], "edge")):
        if items is not None:
            base = sum([item["released"] is True for item in items])
            order[f"base_{what}_count"] = base
            order[f"horizon_{what}_count"] = len(items) - base
    return order


def join_actions(state: Object, *, is_split: bool, asked: dict[str, tuple[Object, str]]) -> list[Object] | None:
    """Make the view's actions of the three lists of `state`, which loses two of them.

    `is_split`: order and instant actions come apart (3.0). Where they do not, `asked` (see `asked_actions`) tells them
    apart, or the type does. None where the robot names no list at all.
    """
    order, instant, zone = state["actions"], state.pop("instant_actions"), state.pop("zone_actions")
    if order is None and instant is None and zone is None:
        return None
    for action in order or ():
        request, kind = asked.get(action["action_id"], (None, None))
        if request is not None:
            action["action_type"] = action["action_type"] or request["action_type"]
            action["description"] = action["description"] or request["description"]
        action["kind"] = "order" if is_split else kind or KIND_OF_TYPE.get(action["action_type"])
    for action in instant or ():
        action["kind"] = "instant"
    for action in zone or ():
        action["kind"] = "zone"
    return [*(order or ()), *(instant or ()), *(zone or ())]


def asked_actions(sent: Object | None, instant: Object | None) -> dict[str, tuple[Object, str]]:
    """Give the actions that the order and the instantActions message ask for, with their kind, by action id."""
    asked = {}
    if sent is not None:
        for item in (*(sent["nodes"] or ()), *(sent["edges"] or ())):
            asked.update(_by_id(item["actions"], "order"))
    if instant is not None:
        asked.update(_by_id(instant["actions"], "instant"))
    return asked


def join_zones(state: Object, zone_set: Object | None) -> list[Object] | None:
    """Make the view's zones of `zoneSets` or `zoneSetId`; `state` loses the latter.

    `zone_set`: the zoneSet message. It fills the set of the same id, and stands alone while the robot names no sets.
    """
    zones: list[Object] | None = state["zones"]
    zone_set_id = state.pop("zone_set_id")
    if zones is None and zone_set_id is not None:
        zones = [{**_NO_ZONE_SET, "zone_set_id": zone_set_id}] if zone_set_id else []
    if zone_set is None or zone_set["zone_set_id"] is None:
        return zones
    if zones is None:
        return [zone_set]
    for known in zones:
        if known["zone_set_id"] == zone_set["zone_set_id"]:
            known.update({key: value for key, value in zone_set.items() if known[key] is None})
    return zones


def join_requests(state: Object) -> list[Object] | None:
    """Make the view's requests of the lists for zones and for edges, which `state` loses."""
    zone, edge = state.pop("zone_requests"), state.pop("edge_requests")
    return None if zone is None and edge is None else [*(zone or ()), *(edge or ())]


def _by_id(actions: Iterable[Object] | None, kind: str) -> dict[str, tuple[Object, str]]:
    return {action["action_id"]: (action, kind) for action in actions or () if action["action_id"] is not None}


def _fill(reported: list[Object] | None, sent: list[Object] | None, id_key: str) -> None:
    """Fill the gaps of the reported nodes or edges from the same ones in the order message."""
    known = {(item["sequence_id"], item[id_key]): item for item in sent or ()}
    for item in reported or ():
        for key, value in known.get((item["sequence_id"], item[id_key]), {}).items():
            if item[key] is None:
                item[key] = value


def _progress(order: Object, sent: Object) -> Object | None:
    """Count the nodes passed: up to the last one, and not still to be reached (no last node is told as 0, too).

    An update's message begins with the last base node, so the nodes before it are counted by their sequence ids: even
    ones as the standard has it, or each number where a master counts nodes only. Those that the state still lists are
    not passed. None where the state has accepted an update whose message was missed.
    """
    nodes, reached = sent["nodes"], order["last_node_sequence_id"]
    if not nodes or reached is None or (order["order_update_id"] or 0) > (sent["order_update_id"] or 0):
        return None
    sequence_ids = [node["sequence_id"] for node in nodes if node["sequence_id"] is not None]
    if not sequence_ids:
        return None
    step = 1 if any(sequence_id % 2 for sequence_id in sequence_ids) else 2
    earlier = min(max(0, sequence_ids[0]), _MAX_SEQUENCE_ID) // step
    ahead = {node["sequence_id"] for node in order["nodes"] or ()}
    not_yet = sum([number is not None and number < sequence_ids[0] for number in ahead])
    passed = max(0, earlier - not_yet) + sum([number <= reached and number not in ahead for number in sequence_ids])
    total = earlier + len(sequence_ids)
    return {"passed_nodes": passed, "all_nodes": total, "fraction": passed / total}


def _add_edge_ends(order: Object) -> None:
    """Tell where each edge begins and ends: the nodes numbered one less and one more (3.0, and all states)."""
    edges = order["edges"]
    if not edges:
        return
    node_ids = {order["last_node_sequence_id"]: order["last_node_id"] or None}
    node_ids.update({node["sequence_id"]: node["node_id"] for node in order["nodes"] or ()})
    if any(sequence_id is not None and sequence_id % 2 for sequence_id in node_ids):
        return  # The master does not number nodes and edges in one run: neighbours tell nothing.
    for edge in edges:
        sequence_id = edge["sequence_id"]
        if sequence_id is None:
            continue
        if edge["start_node_id"] is None:
            edge["start_node_id"] = node_ids.get(sequence_id - 1)
        if edge["end_node_id"] is None:
            edge["end_node_id"] = node_ids.get(sequence_id + 1)
