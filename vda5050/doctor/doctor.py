"""Asks the rules, counts what they say, and tells what is new.

A message's complaints count one each. A timed rule's complaint is an episode: it counts when it begins, and lasts as
long as the rule repeats it. A finding is told (returned) when it is new and then at most every TELL_EVERY_S, so that a
robot that is wrong five times a second does not double the stream; an episode that lasts, every TELL_LASTING_EVERY_S.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vda5050.doctor import action_rules, calm, header_rules, order_rules, timing_rules, value_rules
from vda5050.doctor.findings import Finding, Ledger, Severity, finding_from_dict, sample_of
from vda5050.doctor.records import Observation, RobotRecord
from vda5050.doctor.rules import Complaint, MessageCheck, Rule
from vda5050.errors import RejectedMessage
from vda5050.topics import TOPICS
from vda5050.validation import is_starting_up

TELL_EVERY_S = 10.0
TELL_LASTING_EVERY_S = 60.0
STALL_S = 5.0
"""Ticks further apart than this were held up with the whole gateway, messages included: silence then proves nothing."""

UNREADABLE = Rule(
    "unreadable_message",
    Severity.ERROR,
    "6.1.2 UTF-8, 6.1.4 JSON data types (no NaN, no infinity); 3.0.0: 7.1.2, 7.1.4; RFC 8259",
    TOPICS,
    "The message is no JSON object at all, holds NaN, or is too large: it was not taken in.",
)

_NOT_OF_THE_MESSAGE = frozenset({"internal", "robots", "topic"})
"""Reasons to reject that lie with the gateway, or with no robot that is known."""
_MILDER = {"empty": Severity.INFO, "size": Severity.WARNING, "depth": Severity.WARNING}
"""An empty payload is how MQTT clears a retained message; how large and how deep is too much is our own limit."""

RULES: tuple[Rule, ...] = (
    UNREADABLE,
    *header_rules.RULES,
    *timing_rules.RULES,
    *value_rules.RULES,
    *order_rules.RULES,
    *action_rules.RULES,
)
_Asked = tuple[tuple[Rule, MessageCheck], ...]
_BY_TOPIC: dict[str, _Asked] = {
    topic: tuple((rule, rule.message_check) for rule in RULES if rule.message_check and topic in rule.topics)
    for topic in TOPICS
}
_OF_RETAINED: _Asked = tuple(
    (rule, rule.message_check) for rule in (value_rules.schema,) if rule.message_check is not None
)
"""What a retained message says was said at an unknown time; only its content can be judged."""
_TIMED = tuple((rule, rule.timed_check) for rule in RULES if rule.timed_check)


@dataclass(slots=True)
class _Patient:
    """One robot: what is remembered of it, what was found, which timed complaints stand at the moment.

    `calm`: by topic, the kind of the newest message where no rule complained of it, and none waits (see `calm`).
    """

    record: RobotRecord
    ledger: Ledger = field(default_factory=Ledger)
    episodes: dict[tuple[str, str], Finding] = field(default_factory=dict)
    calm: dict[str, object] = field(default_factory=dict)


class Doctor:
    """Judges a fleet. The number of robots is bounded by whoever feeds it (`RobotState`)."""

    def __init__(self) -> None:
        self._patients: dict[str, _Patient] = {}
        self._is_deaf = False
        self._ticked_at: float | None = None

    def observe(self, seen: Observation) -> list[Finding]:
        """Judge a message; returns the findings to be told."""
        patient = self._patient(seen.robot)
        record = patient.record
        if not seen.is_retained:
            header_rules.read_header(record, seen)
            if seen.topic == "state":
                action_rules.read_actions(record, seen)
        complaints = [
            (rule, complaint)
            for rule, check in (_OF_RETAINED if seen.is_retained else _BY_TOPIC[seen.topic])
            for complaint in check(record, seen)
        ]
        _remember(record, seen)
        calm.note(patient.calm, record, seen, has_complaints=bool(complaints))
        return _enter(patient, complaints, seen) if complaints else []

    def observe_changes(
        self, robot: str, topic: str, *, kind: object, changes: dict[str, Any], at: float, wall: float
    ) -> bool:
        """Judge a live message by its `changes` alone, where the one before was of the same kind and calm.

        True where no rule has anything to say; False where that is not enough, and the message is to be observed.
        """
        patient = self._patients.get(robot)
        if patient is None or patient.calm.get(topic) is not kind:
            return False
        return calm.take(patient.record, topic, changes, at=at, wall=wall)

    def refuse(self, robot: str, topic: str, rejected: RejectedMessage, *, at: float, wall: float) -> list[Finding]:
        """Note a message that could not be read at all; returns the findings to be told."""
        if rejected.reason in _NOT_OF_THE_MESSAGE:
            return []
        patient = self._patient(robot)
        severity = _MILDER.get(rejected.reason)
        complaint = Complaint(f"a message could not be read: {rejected.detail}", rejected.reason, severity)
        finding = _count(patient, UNREADABLE, complaint, topic=topic, wall=wall)
        return [finding] if _is_to_be_told(finding, at, TELL_EVERY_S) else []

    def tick(self, now: float, wall: float) -> list[Finding]:
        """Ask the timed rules of every robot; `now` monotonic, `wall` epoch seconds. Returns what is to be told.

        To be called about once a second. Judges nothing while there is no link, nor right after a stall.
        """
        has_stalled = self._ticked_at is not None and now - self._ticked_at > STALL_S
        self._ticked_at = now
        if self._is_deaf or has_stalled:
            return []
        return [finding for patient in self._patients.values() for finding in _tick(patient, now, wall)]

    def set_link(self, *, is_up: bool, at: float) -> None:
        """Note that the gateway's own link to the broker is lost, or stands again.

        What robots send in between is lost to us and not their fault: they are judged as if first met at `at`.
        """
        self._is_deaf = not is_up
        if not is_up:
            return
        for patient in self._patients.values():
            patient.episodes, patient.calm = {}, {}
            record = patient.record
            record.begin_anew()
            record.header_ids = {}
            record.is_connection_retained, record.connection_at = True, at

    def adopt(self, told: dict[str, Any]) -> None:
        """Take over a finding that another worker's doctor told, unless what stands here is as new."""
        finding = finding_from_dict(told)
        ledger = self._patient(finding.robot).ledger
        known = ledger.get(finding.rule, finding.topic, finding.place)
        if known is None or known.last_seen < finding.last_seen:
            ledger.keep(finding)

    def findings(self, robot: str | None = None) -> Iterator[Finding]:
        """Give all findings of a robot, or of all robots."""
        if robot is not None:
            patient = self._patients.get(robot)
            if patient is not None:
                yield from patient.ledger
            return
        for patient in self._patients.values():
            yield from patient.ledger

    def _patient(self, robot: str) -> _Patient:
        patient = self._patients.get(robot)
        if patient is None:
            patient = self._patients[robot] = _Patient(RobotRecord(robot))
        return patient


def _tick(patient: _Patient, now: float, wall: float) -> Iterator[Finding]:
    record = patient.record
    standing: dict[tuple[str, str], Finding] = {}
    for rule, check in _TIMED:
        for complaint in check(record, now):
            key = (rule.id, complaint.place)
            finding = standing.get(key) or patient.episodes.get(key)
            if finding is None:
                (topic,) = rule.topics
                finding = _count(patient, rule, complaint, topic=topic, wall=wall)
                is_told = _is_to_be_told(finding, now, TELL_EVERY_S)
            else:
                finding.message, finding.last_seen = complaint.message, wall
                patient.ledger.keep(finding)
                is_told = _is_to_be_told(finding, now, TELL_LASTING_EVERY_S)
            standing[key] = finding
            if is_told:
                yield finding
    patient.episodes = standing


def _enter(patient: _Patient, complaints: list[tuple[Rule, Complaint]], seen: Observation) -> list[Finding]:
    """Count complaints about one message, each place once; returns the findings to be told."""
    sample, told = sample_of(seen.document), []
    distinct = {(rule.id, complaint.place): (rule, complaint) for rule, complaint in reversed(complaints)}
    for rule, complaint in reversed(distinct.values()):
        finding = _count(patient, rule, complaint, topic=seen.topic, wall=seen.wall)
        finding.offset, finding.sample = seen.offset or finding.offset, sample  # 0: it was known, and is not streamed
        if _is_to_be_told(finding, seen.at, TELL_EVERY_S):
            told.append(finding)
    return told


def _is_to_be_told(finding: Finding, now: float, every_s: float) -> bool:
    if now - finding.told_at < every_s:
        return False
    finding.told_at = now
    finding.tellings += 1
    return True


def _count(patient: _Patient, rule: Rule, complaint: Complaint, *, topic: str, wall: float) -> Finding:
    """Count a complaint into the finding that stands, or begin one."""
    finding = patient.ledger.get(rule.id, topic, complaint.place)
    if finding is None:
        finding = Finding(
            rule=rule.id,
            severity=complaint.severity or rule.severity,
            robot=patient.record.robot,
            topic=topic,
            place=complaint.place,
            message=complaint.message,
            clause=complaint.clause or rule.clause,
            contradicts=complaint.contradicts,
            count=0,
            first_seen=wall,
            last_seen=wall,
            offset=0,
            sample=None,
        )
    patient.ledger.keep(finding)
    finding.count += 1
    finding.message, finding.last_seen = complaint.message, wall
    return finding


def _remember(record: RobotRecord, seen: Observation) -> None:
    if seen.topic == "connection":
        timing_rules.remember_connection(record, seen)
        return
    if seen.topic == "factsheet":
        timing_rules.remember_factsheet(record, seen)
    if seen.is_retained:
        return
    header_rules.remember_header(record, seen)
    timing_rules.remember_talk(record, seen)
    if seen.topic == "state":
        record.state_at = seen.at
        if is_starting_up(seen.document, seen.version):
            record.forget_order()
            return
        value_rules.remember_values(record, seen)
        action_rules.remember_actions(record, seen)
        order_rules.remember_progress(record, seen)
    elif seen.topic == "order":
        order_rules.remember_order(record, seen)
    elif seen.topic == "instantActions":
        action_rules.remember_instant_actions(record, seen)
