"""Messages that say nothing new, told by what changed in them: what most messages are, and what asks no rule.

A message is calm where no rule complained of it, and no message rule waits for something about the robot to last.
The next one of its kind differs from it in CHANGING members only (see `stencil`). Of these the rules read the header
and values that can be impossible, and nothing else: so only that is asked. A rule that reads more of them has to be
asked here, too. Whatever else the robot or its master control says ends the calm, and so does a link that was lost.
"""

from typing import Any

from vda5050.doctor import header_rules, value_rules
from vda5050.doctor.records import Observation, RobotRecord
from vda5050.payloads import sent_at

_TOPICS = frozenset({"state", "visualization"})


def note(calm: dict[str, object], record: RobotRecord, seen: Observation, *, has_complaints: bool) -> None:
    """Note in `calm`, the kinds by topic, what a message that was judged and remembered makes of it."""
    if seen.topic not in _TOPICS:
        calm.clear()
    elif seen.is_retained:
        return  # of an unknown time: nothing is remembered of it
    elif seen.kind is None or has_complaints or not _is_at_rest(record):
        calm.pop(seen.topic, None)
    else:
        calm[seen.topic] = seen.kind


def take(record: RobotRecord, topic: str, changes: dict[str, Any], *, at: float, wall: float) -> bool:
    """Remember a message that follows a calm one of its kind; False, and nothing is, where a rule has to be asked.

    `changes`: its members that may have changed. `at` monotonic, `wall` epoch seconds.
    """
    number, last, sent = changes.get("headerId"), record.header_ids.get(topic), sent_at(changes)
    if last is None or number != last + 1 or sent is None or record.skewed_since is not None:
        return False
    if abs(sent - wall) > header_rules.MAX_CLOCK_SKEW_S or value_rules.impossible_values(changes):
        return False
    record.header_ids[topic] = number
    record.heard_at = at
    if topic == "state":
        record.state_at = at
    return True


def _is_at_rest(record: RobotRecord) -> bool:
    """Tell whether no message rule waits for something to last (`take` asks for a wrong clock itself)."""
    return record.talking_since is None and record.paused_driving_since is None
