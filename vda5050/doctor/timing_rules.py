"""Rules on when messages come: late, missing, or while they should not."""

from collections.abc import Iterable, Iterator

from vda5050.doctor.findings import Severity
from vda5050.doctor.records import (
    GRACE_S,
    SILENT,
    STATE_AT_LATEST_S,
    Observation,
    RobotRecord,
    number,
    text,
)
from vda5050.doctor.rules import Complaint, on_message, on_time
from vda5050.topics import FROM_ROBOT

SETTLE_S = 2.0
"""Messages of a robot and of the broker (its will) overtake one another for so long."""
GHOST_AFTER_S = 60.0

_GONE = SILENT - {"HIBERNATING"}

_CONNECTION = "6.14 Topic: connection; 3.0.0: 6.5"


@on_time(Severity.WARNING, "6.10 Topic: state, 6.15.1 timing; 3.0.0: 6.6, 7.10", "state")
def state_late(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """The last state is older than the standard's 30 s, or than the robot's own factsheet promises."""
    if record.state_at is None or record.connection in SILENT:
        return
    age = now - record.state_at
    if age > record.state_interval_s + GRACE_S:
        yield Complaint(f"no state for {age:.0f} s, one is due every {record.state_interval_s:g} s")


@on_time(Severity.WARNING, "6.10 Topic: state, 6.14 Topic: connection; 3.0.0: 6.5, 6.6", "state")
def online_but_silent(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """The robot is online, and no state has come since."""
    if record.connection != "ONLINE" or record.online_since is None or record.state_at is not None:
        return
    if now - record.online_since > STATE_AT_LATEST_S + GRACE_S:
        yield Complaint(f"online for {now - record.online_since:.0f} s and no state yet")


@on_time(Severity.WARNING, _CONNECTION, "connection")
def stale_retained_ghost(record: RobotRecord, now: float) -> Iterator[Complaint]:
    """Nothing but a retained ONLINE is known of the robot: most likely it is long gone."""
    if record.connection != "ONLINE" or not record.is_connection_retained or record.heard_at is not None:
        return
    if now - record.connection_at > GHOST_AFTER_S:
        waited = now - record.connection_at
        yield Complaint(f"the broker keeps an ONLINE of unknown age; nothing else came in {waited:.0f} s")


@on_message(Severity.WARNING, _CONNECTION, "state", "visualization")
def offline_but_talking(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """The robot goes on sending although its connection message says that it is gone."""
    # HIBERNATING is left out: a robot "no longer needs to" send states then (3.0.0, 6.2.3.1), it may.
    if record.talking_since is None or seen.at - record.talking_since <= SETTLE_S:
        return ()
    return (Complaint(f"sends {seen.topic} while its connection says {record.connection}"),)


def remember_talk(record: RobotRecord, seen: Observation) -> None:
    """Note that the robot was heard, whatever it said."""
    if seen.topic not in FROM_ROBOT:
        return
    record.heard_at = seen.at
    if record.connection == "ONLINE":
        if record.online_since is None:
            record.online_since = seen.at
    elif record.connection in _GONE and record.talking_since is None:
        record.talking_since = seen.at


def remember_connection(record: RobotRecord, seen: Observation) -> None:
    """Take what the robot, or the broker for it, says of its connection."""
    state = text(seen.document, "connectionState")
    state = None if state is None else state.upper()
    if state == "ONLINE" and not seen.is_retained:
        if record.connection == "ONLINE" and not record.is_connection_retained:
            record.forget_numbering()  # said again: it may have come back without its end having been told
        else:
            record.begin_anew()
            record.online_since = seen.at
    elif state in _GONE and not seen.is_retained:
        record.forget_numbering()  # a robot that is back may send something before its ONLINE
    record.talking_since = None
    record.connection, record.connection_at = state, seen.at
    record.is_connection_retained = seen.is_retained


def remember_factsheet(record: RobotRecord, seen: Observation) -> None:
    """Take how often the robot promises to send its state; 0 promises nothing."""
    limits = seen.document.get("protocolLimits")
    timing = limits.get("timing") if isinstance(limits, dict) else None
    interval = number(timing, "defaultStateInterval") if isinstance(timing, dict) else None
    is_promised = interval is not None and 0 < interval < STATE_AT_LATEST_S
    record.state_interval_s = interval if is_promised and interval is not None else STATE_AT_LATEST_S


RULES = (state_late, online_but_silent, stale_retained_ghost, offline_but_talking)
