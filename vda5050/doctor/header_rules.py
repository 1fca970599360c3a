"""Rules on the header: its numbering, who it says it is, and its clock.

`connection` is left out of numbering and clocks: a last will is frozen when the robot connects, so its headerId and
timestamp are always outdated (VDA 5050 2.1.0, 6.14, note; 3.0.0, 6.5).

What master control sends is told at "info" only: "defined per topic" may be read as one count for all its robots.
"""

from collections.abc import Iterable

from vda5050.doctor.findings import Severity
from vda5050.doctor.records import Observation, RobotRecord, integer, text
from vda5050.doctor.rules import Complaint, on_message
from vda5050.payloads import sent_at
from vda5050.topics import FROM_ROBOT

MAX_CLOCK_SKEW_S = 5.0
"""Above what a network and a busy robot explain, below what confuses people who compare logs."""
SKEW_LASTS_S = 5.0
"""A message that was held up, or a gateway that was, is behind once; a clock is behind for longer than this."""

_NUMBERED = ("state", "visualization", "order", "instantActions", "factsheet", "zoneSet", "responses")
_WRAP = 2**32
_LOST_AT_MOST = 10_000
"""A larger step forward is taken for a new numbering: so many messages are not lost in one go."""
_HEADER_CLAUSE = "6.4 Protocol header: headerId; 3.0.0: 7.2"


_TIMED = frozenset({"state", "visualization"})


def read_header(record: RobotRecord, seen: Observation) -> None:
    """Note in `seen` what the rules below ask for, once for all of them."""
    number = integer(seen.document, "headerId")
    if number is not None and 0 <= number < _WRAP:
        seen.header_id = number
        # Without one before, the step is 1, which is right; so it is in `seen` where this message has none.
        seen.header_step = (number - record.header_ids.get(seen.topic, number - 1)) % _WRAP
    if seen.topic in _TIMED:
        seen.skew_s = _skew_s(seen)


def _severity(seen: Observation) -> Severity | None:
    return None if seen.topic in FROM_ROBOT else Severity.INFO


@on_message(Severity.WARNING, _HEADER_CLAUSE, *_NUMBERED)
def header_id_gap(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """Messages were sent that did not arrive, or headerId counts something else than messages."""
    step = seen.header_step
    if not 1 < step <= _LOST_AT_MOST:
        return ()
    old = record.header_ids[seen.topic]
    lost = f"{step - 1} message{'s' * (step > 2)} did not arrive"
    return (Complaint(f"headerId went from {old} to {seen.header_id}: {lost}", severity=_severity(seen)),)


@on_message(Severity.WARNING, _HEADER_CLAUSE, *_NUMBERED)
def header_id_duplicate(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """Two messages in a row carry the same headerId."""
    if seen.header_step != 0:
        return ()
    number = record.header_ids[seen.topic]
    return (Complaint(f"two messages in a row carry headerId {number}", severity=_severity(seen)),)


@on_message(Severity.INFO, _HEADER_CLAUSE, *_NUMBERED)
def header_id_reset(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """The numbering went back without a new ONLINE: the sender was restarted, or two senders share a topic."""
    if seen.header_step <= _LOST_AT_MOST:
        return ()
    old = record.header_ids[seen.topic]
    return (Complaint(f"headerId went from {old} to {seen.header_id}: the sender was restarted, or there are two"),)


@on_message(
    Severity.WARNING, "6.3 MQTT topic levels, 6.4 Protocol header; 3.0.0: 4.2, 7.2", *_NUMBERED, "connection"
)  # fmt: skip
def header_topic_mismatch(_record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """The header names another robot than the topic; the topic is believed."""
    manufacturer, serial_number = text(seen.document, "manufacturer"), text(seen.document, "serialNumber")
    if manufacturer is None or serial_number is None:
        return ()  # the schema finding says so
    if f"{manufacturer}/{serial_number}" == seen.robot:
        return ()
    return (Complaint(f"the header says {manufacturer:.50}/{serial_number:.50}, the topic says {seen.robot}"),)


@on_message(Severity.WARNING, "6.4 Protocol header: timestamp; 3.0.0: 7.2", *sorted(_TIMED))
def clock_skew(record: RobotRecord, seen: Observation) -> Iterable[Complaint]:
    """The robot's clock differs from the gateway's by more than 5 s, and not just once."""
    since, skew = record.skewed_since, seen.skew_s
    if since is None or skew is None or seen.at - since <= SKEW_LASTS_S or abs(skew) <= MAX_CLOCK_SKEW_S:
        return ()
    direction = "ahead of" if skew > 0 else "behind"
    return (Complaint(f"the robot's clock is {_duration(abs(skew))} {direction} the gateway's"),)


def remember_header(record: RobotRecord, seen: Observation) -> None:
    """Keep the number; of what the robot sends also whether its time was wrong."""
    if seen.header_id is not None:
        record.header_ids[seen.topic] = seen.header_id
    if seen.topic not in _TIMED or seen.skew_s is None:
        return  # a visualization may come without its header (up to 2.1), which says nothing about the clock
    if abs(seen.skew_s) <= MAX_CLOCK_SKEW_S:
        record.skewed_since = None
    elif record.skewed_since is None:
        record.skewed_since = seen.at


def _skew_s(seen: Observation) -> float | None:
    """Give how far the message's time is ahead of ours; None where it cannot be read, which the schema finding says."""
    sent = sent_at(seen.document)
    return None if sent is None else sent - seen.wall


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


RULES = (header_id_gap, header_id_duplicate, header_id_reset, header_topic_mismatch, clock_skew)
