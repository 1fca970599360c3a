"""Rules on what a message holds: what the schemas say, values that cannot be, values that contradict one another."""

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from vda5050.doctor.findings import Severity
from vda5050.doctor.records import Observation, RobotRecord, number, objects
from vda5050.doctor.rules import Complaint, on_message
from vda5050.schemas import SCHEMAS
from vda5050.topics import TOPICS
from vda5050.validation import Problem, is_starting_up, validate

THETA_TOLERANCE = 0.005
"""Radians: robots write pi as 3.142."""
CHARGE_TOLERANCE = 1.0
"""Percent: a gauge that is not calibrated says 100.4."""
BRAKING_S = 10.0
"""A robot that was paused while driving may roll on for so long."""
MAX_PROBLEMS_A_MESSAGE = 20
"""Places in one message that are told, the worst first."""

_LARGEST_THETA = math.pi + THETA_TOLERANCE
_ANGLE = ("theta", -_LARGEST_THETA, _LARGEST_THETA, ", outside of -pi to pi")
_CHARGES = (-CHARGE_TOLERANCE, 100 + CHARGE_TOLERANCE, " %")
_LIMITS = {
    "agvPosition": _ANGLE,
    "mobileRobotPosition": _ANGLE,
    "batteryState": ("batteryCharge", *_CHARGES),
    "powerSupply": ("stateOfCharge", *_CHARGES),
}
"""Members of a state, by the names of 1.1 to 2.1 and of 3.0: the least and the most that can be, and how it is told."""

_INDEX = re.compile(r"/\d+(?=/|$)")
_SEVERITIES = {severity.value: severity for severity in Severity}


@on_message(Severity.ERROR, "6.6.6, 6.9, 6.10.6, 6.13, 6.14, 6.15.1; 3.0.0: 7.3 to 7.10", *TOPICS)
def schema(_record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """A member does not fit the text or the official schema; told for each place in the message."""
    if seen.is_valid:
        return ()
    problems = validate(seen.document, seen.version, seen.topic)
    if problems and seen.topic == "state" and is_starting_up(seen.document, seen.version):
        problems = [problem for problem in problems if problem.severity != "info"]
    return _told(problems, seen) if problems else ()


@on_message(Severity.ERROR, "6.10.6 agvPosition, batteryState, load; 3.0.0: 7.8", "state", "visualization")
def impossible_value(_record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """An angle, a state of charge or a weight is outside of what can be."""
    found = impossible_values(seen.document)
    if not found or is_starting_up(seen.document, seen.version):
        return ()
    return [Complaint(message, place) for place, message in found]


@on_message(Severity.WARNING, "6.10.6 driving, paused, 6.8.2 startPause; 3.0.0: 6.2.3.2, 7.8", "state")
def driving_while_paused(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """The robot says for longer than braking takes that it is paused and that it drives."""
    since = record.paused_driving_since
    if since is None or seen.at - since <= BRAKING_S or not _is_driving_while_paused(seen.document):
        return ()
    return (Complaint("driving and paused have both been true for more than 10 s"),)


@on_message(Severity.ERROR, "6.10.6 orderId, nodeStates, edgeStates; 3.0.0: 7.8", "state")
def nodes_without_order(_record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """Nodes or edges to be traversed are listed, and no order."""
    document = seen.document
    if document.get("orderId") != "" or not (document.get("nodeStates") or document.get("edgeStates")):
        return ()
    if is_starting_up(document, seen.version):
        return ()
    count = len(objects(document, "nodeStates")) + len(objects(document, "edgeStates"))
    return (Complaint(f"orderId is empty, but nodeStates and edgeStates list {count} to be traversed"),)


def remember_values(record: RobotRecord, seen: Observation) -> None:
    """Note since when the robot has been both paused and driving."""
    if not _is_driving_while_paused(seen.document):
        record.paused_driving_since = None
    elif record.paused_driving_since is None:
        record.paused_driving_since = seen.at


def _is_driving_while_paused(document: dict[str, Any]) -> bool:
    if document.get("paused") is not True or document.get("driving") is not True:
        return False
    return document.get("operatingMode") in ("AUTOMATIC", "SEMIAUTOMATIC")  # else somebody may drive it by hand


def _told(problems: list[Problem], seen: Observation) -> Iterator[Complaint]:
    """Complain of each problem that no other rule tells."""
    told_by_another = set() if seen.is_retained else {place for place, _ in impossible_values(seen.document)}
    clause = f"{seen.version.text}: {SCHEMAS[seen.version][seen.topic].shape.section[seen.version]}"
    distinct: dict[str, Problem] = {}
    for problem in problems:
        place = _everywhere(problem.path)
        if problem.code != "range" or place not in told_by_another:
            # What it contradicts decides its severity, and one word of a place may be worse than another.
            distinct.setdefault(f"{problem.code} {problem.contradicts} {place}", problem)
    for place, problem in islice(distinct.items(), MAX_PROBLEMS_A_MESSAGE):
        message = f"{problem.path or 'the message'} {problem.message}"
        yield Complaint(message, place, _SEVERITIES[problem.severity], problem.contradicts, clause)


@lru_cache(maxsize=1_000)
def _everywhere(path: str) -> str:
    """Put "*" for every index of a path, so that node 3 and node 4 with one fault are one finding."""
    return _INDEX.sub("/*", path)


def impossible_values(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Give place and message of every number that cannot be."""
    found = []
    for name, limit in _LIMITS.items():
        if name in document and isinstance(part := document[name], dict):
            member, least, most, unit = limit
            value = number(part, member)
            if value is not None and not least <= value <= most:
                found.append((f"/{name}/{member}", f"{member} is {float(value):g}{unit}"))
    if "loads" in document:
        for load in objects(document, "loads"):
            weight = number(load, "weight")
            if weight is not None and not weight >= 0:
                found.append(("/loads/*/weight", f"a load weighs {float(weight):g} kg"))
    return found


RULES = (schema, impossible_value, driving_while_paused, nodes_without_order)
