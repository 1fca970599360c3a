"""Rules on orders: how master control builds and updates them, and how the robot takes them up.

What an update must continue is what the robot has, and the doctor knows that only as far as it saw orders and states:
where a message in between may have been missed, nothing is said.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from vda5050.doctor.findings import Severity
from vda5050.doctor.records import SILENT, Observation, RobotRecord, SentOrder, integer, objects, text
from vda5050.doctor.rules import Complaint, on_message, on_time
from vda5050.validation import is_starting_up

ANSWER_WITHIN_S = 10.0
NEW_BASE_WITHIN_S = 30.0

_ON_ITS_WAY_S = 1.0
"""A state that comes sooner after an order was sent before the order arrived."""
_MAX_BASE_ENDS = 20
_GRAPH = "6.6.1 Concept and logic, 6.6.2 sequenceId; 3.0.0: 6.1.1"
_UPDATES = "6.6.2 Orders and order update; 3.0.0: 6.1.2"
_REJECTIONS = frozenset(
    {
        "validationError", "orderError", "orderUpdateError", "noRouteError",
        "VALIDATION_FAILURE", "INVALID_ORDER_ACTION", "INVALID_ORDER", "UNSUPPORTED_PARAMETER", "OUTDATED_ORDER_UPDATE",
        "SAME_ORDER_UPDATE_ID", "ORDER_UPDATE_FOLLOWING_CANCEL", "NO_ROUTE_TO_TARGET", "OTHER_ORDER_ACTIVE",
        "START_NODE_OUT_OF_RANGE", "MOBILE_ROBOT_NOT_AVAILABLE", "UNKNOWN_MAP_ID", "INSUFFICIENT_MEMORY",
        "NODE_UNREACHABLE",
    }
)  # fmt: skip
"""INVALID_ORDER stands in the enumeration of 3.0.0's 7.8 only, where 6.6.5.4 says INVALID_ORDER_ACTION."""


@on_message(Severity.ERROR, _GRAPH, "order")
def order_graph(_record: RobotRecord, seen: Observation) -> Iterator[Complaint]:
    """Nodes and edges do not make a path: one node more than edges, with sequenceIds that rise by one, from 0."""
    nodes, edges = objects(seen.document, "nodes"), objects(seen.document, "edges")
    if len(nodes) != len(edges) + 1:
        yield Complaint(f"{len(nodes)} nodes and {len(edges)} edges: one node more than edges is needed", "/nodes")
        return
    steps = [integer(part, "sequenceId") for part in _path(nodes, edges)]
    first = steps[0]
    if first is None or None in steps:
        return  # the schema finding says so
    if steps != list(range(first, first + len(steps))):
        yield Complaint(f"the sequenceIds along the path are {_some(steps)}: they must rise by one", "/sequenceId")
    elif first != 0 and integer(seen.document, "orderUpdateId") == 0:
        yield Complaint(f"the first sequenceId of a new order is {first}, it must be 0", "/nodes/0/sequenceId")


@on_message(Severity.ERROR, "6.6.1 Concept and logic: released; 3.0.0: 6.1.1", "order")
def order_base(_record: RobotRecord, seen: Observation) -> Iterator[Complaint]:
    """Something is released after something that is not, or an edge without the node that it leads to."""
    nodes, edges = objects(seen.document, "nodes"), objects(seen.document, "edges")
    horizon: dict[str, Any] | None = None
    for part in _path(nodes, edges):
        if horizon is not None and part.get("released") is True:
            yield Complaint(f"{_name(part)} is released, but {_name(horizon)} before it is not: the base comes first")
            return
        if horizon is None and part.get("released") is False:
            horizon = part
    for edge, end in zip(edges, nodes[1:], strict=False):
        if edge.get("released") is True and end.get("released") is False:
            yield Complaint(f"{_name(edge)} is released, but {_name(end)} that it leads to is not", "/edges")
            return


@on_message(Severity.ERROR, _UPDATES, "order")
def order_stitching(record: RobotRecord, seen: Observation) -> Iterator[Complaint]:
    """An order update does not begin at the last node of the base before it."""
    before, update_id = record.sent_order, integer(seen.document, "orderUpdateId")
    nodes = objects(seen.document, "nodes")
    if before is None or update_id is None or not nodes or text(seen.document, "orderId") != before.order_id:
        return
    is_next = update_id == before.update_id + 1  # else an update in between may have been missed
    first = _place(nodes[0])
    if not is_next or not before.base_ends or first in before.base_ends:
        return
    if not record.has_route and first == record.last_node:
        return  # continues a completed order (2.1.0, 6.6.2, 8)
    ends = " or ".join(f"node {node!s:.50} ({number!s:.20})" for node, number in before.base_ends[-2:])
    yield Complaint(f"update {update_id} begins at node {first[0]!s:.50} ({first[1]!s:.20}), the base ends at {ends}")


@on_message(Severity.ERROR, "6.6.4.3 lower orderUpdateId; 3.0.0: 6.1.4.4", "order")
def order_update_backwards(record: RobotRecord, seen: Observation) -> Iterator[Complaint]:
    """An order comes with a lower orderUpdateId than the robot has of it."""
    order_id, update_id = text(seen.document, "orderId"), integer(seen.document, "orderUpdateId")
    current = _current_update(record, order_id, seen.at)
    if order_id is not None and update_id is not None and current is not None and update_id < current:
        yield Complaint(f"orderUpdateId of order {order_id:.50} went back from {current} to {update_id}")


@on_message(Severity.ERROR, "6.6.2 orderUpdateId, 6.6.4.3; 3.0.0: 6.1.4.5", "order")
def order_same_update(record: RobotRecord, seen: Observation) -> Iterator[Complaint]:
    """The same order update comes again with other content, which the robot must ignore."""
    before, update_id = record.sent_order, integer(seen.document, "orderUpdateId")
    if before is None or update_id != before.update_id or text(seen.document, "orderId") != before.order_id:
        return
    is_current = _current_update(record, before.order_id, seen.at) == update_id
    if is_current and _content(seen.document) != _content(before.document):
        yield Complaint(f"update {update_id} of order {before.order_id:.50} was sent twice with different content")


@on_message(Severity.ERROR, "6.6.4.3, 6.10.6 orderUpdateId; 3.0.0: 6.1.4.4, 7.8", "state")
def state_update_backwards(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """The robot reports a lower orderUpdateId than before, of the same order."""
    old = record.update_id
    if old is None or not record.order_id or seen.document.get("orderId") != record.order_id:
        return ()
    new = integer(seen.document, "orderUpdateId")
    if new is None or new >= old or is_starting_up(seen.document, seen.version):
        return ()
    return (Complaint(f"orderUpdateId went back from {old} to {new} within order {record.order_id:.50}"),)


@on_time(Severity.WARNING, "6.6.2, 6.6.4 Order rejection, 6.10; 3.0.0: 6.1.4, 6.6", "order")
def order_not_accepted(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """An order was sent, and the robot's states since neither report it nor reject it."""
    sent = record.sent_order
    if sent is None or sent.is_accepted or sent.is_rejected or record.connection in SILENT:
        return
    has_answered = record.state_at is not None and record.state_at - sent.at > _ON_ITS_WAY_S
    if has_answered and now - sent.at > ANSWER_WITHIN_S:  # a robot that sends no state at all is late, nothing more
        waited = f"after {now - sent.at:.0f} s"
        yield Complaint(f"order {sent.order_id:.50}, update {sent.update_id}: neither reported nor rejected {waited}")


@on_time(Severity.INFO, "6.10.3 Base request; 3.0.0: 6.6.3", "state")
def new_base_unanswered(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """The robot has asked for more base for 30 s, and no order came."""
    since = record.new_base_since
    if since is not None and now - since > NEW_BASE_WITHIN_S and record.connection not in SILENT:
        yield Complaint(f"newBaseRequest has been true for {now - since:.0f} s and no order came")


def remember_order(record: RobotRecord, seen: Observation) -> None:
    """Keep a sent order for the next one to be compared with; not one that the robot must ignore."""
    order_id, update_id = text(seen.document, "orderId"), integer(seen.document, "orderUpdateId")
    if order_id is None or update_id is None:
        return
    record.new_base_since = None
    current, before = _current_update(record, order_id, seen.at), record.sent_order
    is_continued = before is not None and before.order_id == order_id
    if is_continued and current is not None and update_id <= current:
        return
    ends = [_place(node) for node in objects(seen.document, "nodes") if node.get("released") is True][-1:]
    if before is not None and is_continued:
        ends = [*before.base_ends, *ends]
    record.sent_order = SentOrder(seen.document, order_id, update_id, seen.at, tuple(ends[-_MAX_BASE_ENDS:]))


def remember_progress(record: RobotRecord, seen: Observation) -> None:
    """Take from a state what the robot says of its order, and since when it asks for a new base."""
    document = seen.document
    record.order_id, record.update_id = text(document, "orderId"), integer(document, "orderUpdateId")
    record.last_node = (document.get("lastNodeId"), document.get("lastNodeSequenceId"))
    record.is_driving = document.get("driving") is True
    record.has_route = bool(document.get("nodeStates") or document.get("edgeStates"))
    sent = record.sent_order
    if sent is not None and not sent.is_accepted:
        _take_answer(record, sent, document)
    if document.get("newBaseRequest") is not True:
        record.new_base_since = None
    elif record.new_base_since is None:
        record.new_base_since = seen.at


def _take_answer(record: RobotRecord, sent: SentOrder, document: dict[str, Any]) -> None:
    """See whether a state takes the sent order or refuses it; once refused it is, however short the error stood."""
    if record.order_id == sent.order_id and record.update_id is not None and record.update_id >= sent.update_id:
        sent.is_accepted, sent.base_ends = True, sent.base_ends[-1:]
    elif not sent.is_rejected:
        sent.is_rejected = any(_is_rejection(error, sent) for error in objects(document, "errors"))


def _is_rejection(error: dict[str, Any], sent: SentOrder) -> bool:
    """Whether an error refuses the order: by its name, or (names are the vendors' own up to 2.1) by its references."""
    if text(error, "errorType") in _REJECTIONS:
        return True
    header_id = str(integer(sent.document, "headerId"))
    return any(
        reference.get("referenceValue") == sent.order_id
        or (reference.get("referenceKey") == "headerId" and str(reference.get("referenceValue")) == header_id)
        for reference in objects(error, "errorReferences")
    )


def _current_update(record: RobotRecord, order_id: str | None, now: float) -> int | None:
    """Give the orderUpdateId that the robot has of an order, or is about to have; None where it may have none."""
    reported = record.update_id if record.order_id == order_id else None
    sent = record.sent_order
    if sent is None or sent.order_id != order_id or sent.is_rejected:
        return reported
    is_open = not sent.is_accepted and now - sent.at <= ANSWER_WITHIN_S
    return max(sent.update_id, reported or 0) if is_open or record.state_at is None else reported


def _path(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give nodes and edges in the order of travel: node, edge, node ..."""
    for index, node in enumerate(nodes):
        yield node
        if index < len(edges):
            yield edges[index]


def _place(node: dict[str, Any]) -> tuple[Any, Any]:
    return node.get("nodeId"), node.get("sequenceId")


def _name(part: dict[str, Any]) -> str:
    return f"node {part['nodeId']!s:.50}" if "nodeId" in part else f"edge {part.get('edgeId')!s:.50}"


def _content(order: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an order what differs each time it is sent."""
    return {name: value for name, value in order.items() if name not in ("headerId", "timestamp")}


def _some(numbers: list[int | None]) -> str:
    shown = ", ".join(map(str, numbers[:12]))
    return shown if len(numbers) <= 12 else f"{shown} ..."


RULES = (
    order_graph, order_base, order_stitching, order_update_backwards, order_same_update, state_update_backwards,
    order_not_accepted, new_base_unanswered,
)  # fmt: skip
