"""Rules on actions: their life cycle as the robot reports it, and cancelling."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from vda5050.doctor.findings import Severity
from vda5050.doctor.records import (
    GRACE_S,
    MAX_CANCEL_ID_CHARS,
    MAX_CANCELS,
    MAX_REMEMBERED_ACTIONS,
    SILENT,
    STATE_AT_LATEST_S,
    ActionTrack,
    Observation,
    RobotRecord,
    objects,
    text,
)
from vda5050.doctor.rules import Complaint, on_message, on_time
from vda5050.validation import is_starting_up

STUCK_AFTER_S = 600.0
CANCEL_WITHIN_S = 60.0
"""For a robot that stands still with nothing to do."""
CANCEL_AT_LATEST_S = 300.0
"""For one that drives to the next node, or finishes an action that it cannot interrupt."""

_LISTS = ("actionStates", "instantActionStates", "zoneActionStates")
_FINAL = frozenset({"FINISHED", "FAILED"})
_BUSY = frozenset({"INITIALIZING", "RUNNING"})
_MAY_LAST = frozenset({"waitForTrigger", "startCharging", "downloadMap", "downloadZoneSet"})
_MUST_END = frozenset(
    {
        "startPause", "stopPause", "stopCharging", "initPosition", "initializePosition", "enableMap", "deleteMap",
        "enableZoneSet", "deleteZoneSet", "clearInstantActions", "clearZoneActions", "stateRequest", "logReport",
        "pick", "drop", "detectObject", "finePositioning", "cancelOrder", "factsheetRequest",
    }
)  # fmt: skip
"""What the specification says ends by itself; how long a vendor's own action takes is the vendor's affair."""
_MAY_BE_INSTANT = (_MAY_LAST | _MUST_END) - {"pick", "drop", "detectObject", "finePositioning", "waitForTrigger"}
"""What may be no part of an order, so that cancelling one does not end it."""


def read_actions(record: RobotRecord, seen: Observation) -> None:
    """Note in `seen` the actions that a state reports, and whether anything about them is new."""
    get = seen.document.get
    seen.action_lists = (get("actionStates"), get("instantActionStates"), get("zoneActionStates"))
    seen.has_new_actions = seen.action_lists != record.action_lists


@on_message(Severity.WARNING, "6.11 Action states, figure 16; 3.0.0: 6.6.9, table 12", "state")
def action_transition(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """An action left a final status, or went back to WAITING; what lies between may just not have been seen."""
    document = seen.document
    if not seen.has_new_actions or not record.actions or document.get("orderId") != record.order_id:
        return ()  # of another order: its actions may carry the same ids
    if is_starting_up(document, seen.version):
        return ()
    return [
        Complaint(f"action {action_id:.50} went from {track.status:.20} to {status:.20}")
        for action_id, status, _ in reported_actions(document)
        if (track := record.actions.get(action_id)) is not None
        and status != track.status
        and (track.status in _FINAL or status == "WAITING")
    ]


@on_time(Severity.WARNING, "6.11 Action states, 6.8.2; 3.0.0: 6.6.9, 6.2.3.2", "state")
def action_stuck(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """An action has been INITIALIZING or RUNNING for more than 10 minutes; "info" where a vendor defined it."""
    if not _is_reporting(record, now):
        return
    for action_id, track in record.actions.items():
        if track.status in _BUSY and now - track.since > STUCK_AFTER_S and track.action_type not in _MAY_LAST:
            is_known = track.action_type in _MUST_END
            what, minutes = track.action_type or "action", (now - track.since) / 60
            yield Complaint(
                f"{what:.50} {action_id:.50} has been {track.status} for {minutes:.0f} minutes",
                track.action_type if is_known else "another",
                None if is_known else Severity.INFO,
            )


@on_time(Severity.WARNING, "6.6.3 Order cancellation; 3.0.0: 6.1.3", "instantActions")
def cancel_unfinished(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """A cancelOrder was sent, and the robot reports it neither as FINISHED nor as FAILED."""
    if not record.cancels or not _is_reporting(record, now):
        return
    is_busy = record.is_driving or any(
        track.status in _BUSY and action_id not in record.cancels for action_id, track in record.actions.items()
    )
    for action_id, since in record.cancels.items():
        waits = record.is_paused and record.has_route and action_id in record.actions  # says it will stop at the node
        if now - since > (CANCEL_AT_LATEST_S if is_busy or waits else CANCEL_WITHIN_S):
            yield Complaint(f"cancelOrder {action_id:.50} is not finished after {now - since:.0f} s")


def reported_actions(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give action id, status in upper case and type of every action that a state reports, but of ids that it repeats.

    An id that stands there twice says nothing about either action.
    """
    found = []
    for name in _LISTS:
        if document.get(name):
            for action in objects(document, name):
                action_id, status = text(action, "actionId"), text(action, "actionStatus")
                if action_id is not None and status is not None:
                    found.append((action_id, status.upper(), text(action, "actionType") or ""))
    if len({action_id for action_id, _, _ in found}) == len(found):
        yield from found
        return
    times = Counter(action_id for action_id, _, _ in found)
    yield from (action for action in found if times[action[0]] == 1)


def remember_actions(record: RobotRecord, seen: Observation) -> None:
    """Keep the reported statuses and since when they stand; forget what is not reported any more.

    To be called while `record.order_id` is still that of the state before.
    """
    order_id = text(seen.document, "orderId")
    if record.cancels and record.order_id and order_id != record.order_id:
        record.cancels = {}  # a new order was accepted, so the old one is gone
    if not seen.has_new_actions and not record.cancels and order_id == record.order_id:
        return
    record.is_paused = seen.document.get("paused") is True
    before = record.actions if order_id == record.order_id else {}
    record.actions, record.action_lists = {}, seen.action_lists
    for action_id, status, action_type in reported_actions(seen.document):
        track = before.get(action_id)
        if track is None or track.status != status:
            track = ActionTrack(status, seen.at, action_type)
        if len(record.actions) < MAX_REMEMBERED_ACTIONS:
            record.actions[action_id] = track
        if status in _FINAL:
            record.cancels.pop(action_id, None)
    if record.cancels and not (seen.document.get("nodeStates") or seen.document.get("edgeStates") or _acts(record)):
        # Nothing is left to be cancelled. A robot that lists the action has to end it, one that does not need not.
        record.cancels = {name: since for name, since in record.cancels.items() if name in record.actions}


def _acts(record: RobotRecord) -> bool:
    """Whether an action of the order is unfinished, which a cancelOrder ends as well (2.1.0, 6.6.3; 3.0.0, 6.6.8)."""
    return any(
        track.status not in _FINAL and action_id not in record.cancels and track.action_type not in _MAY_BE_INSTANT
        for action_id, track in record.actions.items()
    )


def remember_instant_actions(record: RobotRecord, seen: Observation) -> None:
    """Keep the cancelOrders that were sent, until they are reported as finished or failed."""
    for action in (*objects(seen.document, "actions"), *objects(seen.document, "instantActions")):
        kind = text(action, "actionType") or text(action, "actionName")
        action_id = text(action, "actionId")
        if kind != "cancelOrder" or action_id is None or len(action_id) > MAX_CANCEL_ID_CHARS:
            continue
        if len(record.cancels) < MAX_CANCELS:
            record.cancels.setdefault(action_id, seen.at)


def _is_reporting(record: RobotRecord, now: float) -> bool:
    """Whether states come: what the last one said of a robot that is gone is not held against it."""
    is_late = record.state_at is None or now - record.state_at > STATE_AT_LATEST_S + GRACE_S
    return not is_late and record.connection not in SILENT


RULES = (action_transition, action_stuck, cancel_unfinished)
