"""The doctor's rules put to messages in order; in the end, what was found on each robot.

Takes `Message`s, gives an `Outcome`. Each robot has a doctor of its own, because each may have a time of its own:

    received     the message says when it was received: all rules apply
    timestamps   it does not: the robot's own timestamps tell how time passes (of state and visualization; a will's is
                 outdated, an order's is of another clock), so its clock cannot be told wrong. What its master sends
                 is dated to the robot's next message, and while it is not online no time passes
    line order   not even these: no time passes, and nothing is late
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from conformance_check.recordings import Message, seconds_of
from vda5050.doctor import RULES, Doctor, Finding, Observation, Severity, summarize
from vda5050.errors import RejectedMessage
from vda5050.payloads import parse_payload
from vda5050.topics import FROM_ROBOT
from vda5050.validation import detect_version

SEVERITIES = tuple(reversed(Severity))
"""Worst first."""

MAX_STEP_S = 600.0
"""A larger step between a robot's timestamps is a clock that was set or a recording that paused: no time passes."""

MAX_UNDATED = 1_000
"""Messages of a master control that are kept until its robot says what time it is."""

UNREADABLE = "unreadable_message"
_WITH_CLOCK = frozenset({"state", "visualization"})


class TimeSource(Enum):
    """Where a message's time came from."""

    RECEIVED = "received"
    TIMESTAMPS = "timestamps"
    LINE_ORDER = "line order"


@dataclass(frozen=True, slots=True)
class RobotOutcome:
    """One robot: `findings` worst first, `summary` in one sentence."""

    robot: str
    versions: tuple[str, ...]
    messages: int
    findings: list[Finding]
    summary: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """All robots, those with the worst findings first; where their times came from, in messages."""

    robots: list[RobotOutcome]
    messages: int
    times: Counter[TimeSource]

    def findings(self) -> Iterator[Finding]:
        """Give every finding."""
        for robot in self.robots:
            yield from robot.findings

    def unjudged(self) -> frozenset[str]:
        """Give the ids of rules that nothing could break, since the messages' times did not tell enough."""
        if self.times[TimeSource.RECEIVED]:
            return frozenset()
        needing_time = () if self.times[TimeSource.TIMESTAMPS] else (rule.id for rule in RULES if rule.timed_check)
        return frozenset({"clock_skew", *needing_time})

    def has(self, least: Severity) -> bool:
        """Tell whether there is a finding at least that bad."""
        return any(SEVERITIES.index(found.severity) <= SEVERITIES.index(least) for found in self.findings())


@dataclass(slots=True)
class _Patient:
    doctor: Doctor = field(default_factory=Doctor)
    versions: set[str] = field(default_factory=set)
    messages: int = 0
    at: float = 0.0
    wall: float = 0.0
    stamp: float | None = None
    ticked_at: float | None = None
    is_received: bool = False
    is_online: bool = False
    undated: list[Observation] = field(default_factory=list)

    def date_what_waits(self) -> None:
        """Let what the master control sent since the robot's last message have come just now."""
        for seen in self.undated:
            seen.at, seen.wall = self.at, self.wall
            self.doctor.observe(seen)
        self.undated.clear()

    def tick_until(self, at: float, wall: float) -> None:
        """Ask the timed rules for every second that passed: the doctor takes a longer step for a stall of its own."""
        if self.ticked_at is not None:
            for left in range(int(min(at - self.ticked_at, MAX_STEP_S)), 0, -1):
                self.doctor.tick(at - left, wall - left)
        if self.ticked_at is None or at > self.ticked_at:
            self.doctor.tick(at, wall)
            self.ticked_at = at


class Examination:
    """Takes messages in the order they were sent; not for several threads."""

    def __init__(self) -> None:
        self._patients: dict[str, _Patient] = {}
        self._times: Counter[TimeSource] = Counter()
        self._last_at = float("-inf")
        self._last_wall = 0.0

    def take(self, message: Message) -> None:
        """Judge a message."""
        address = message.address
        patient = self._patients.setdefault(address.robot, _Patient())
        patient.messages += 1
        try:
            document, _ = parse_payload(message.payload)
        except RejectedMessage as rejected:
            self._pass_time(patient, message, {})
            _refuse(patient, message, rejected)
            return
        self._pass_time(patient, message, document)
        version = detect_version(document, address.major_version)
        patient.versions.add(version.text)
        seen = Observation(
            robot=address.robot,
            topic=address.topic,
            document=document,
            version=version,
            is_retained=message.is_retained,
            at=patient.at,
            wall=patient.wall,
            offset=message.place,
        )
        if message.at is None and address.topic not in FROM_ROBOT:
            patient.undated.append(seen)
            if len(patient.undated) >= MAX_UNDATED:
                patient.date_what_waits()
            return
        patient.date_what_waits()
        patient.tick_until(patient.at, patient.wall)
        patient.doctor.observe(seen)

    def tick(self, now: float, wall: float) -> None:
        """Let time pass for every robot whose messages say when they were received."""
        for patient in self._patients.values():
            if patient.is_received:
                patient.tick_until(now, wall)

    def set_link(self, *, is_up: bool, at: float) -> None:
        """Note that our own link to the broker is lost, or stands again: what was missed is not the robots' fault."""
        for patient in self._patients.values():
            patient.doctor.set_link(is_up=is_up, at=at)

    def outcome(self) -> Outcome:
        """Give what was found."""
        for patient in self._patients.values():
            patient.date_what_waits()
        self.tick(self._last_at, self._last_wall)
        robots = [_outcome(robot, patient) for robot, patient in self._patients.items()]
        robots.sort(
            key=lambda robot: ([-sum(f.severity is s for f in robot.findings) for s in SEVERITIES], robot.robot)
        )
        return Outcome(robots, sum(robot.messages for robot in robots), self._times)

    def _pass_time(self, patient: _Patient, message: Message, document: dict[str, Any]) -> None:
        if message.at is not None and message.wall is not None:
            patient.is_received = True
            patient.at, patient.wall = max(patient.at, message.at), message.wall
            if patient.at > self._last_at:
                self._last_at, self._last_wall = patient.at, patient.wall
            self._times[TimeSource.RECEIVED] += 1
            return
        stamp = seconds_of(document.get("timestamp"))
        if stamp is None:
            self._times[TimeSource.LINE_ORDER] += 1
            return
        self._times[TimeSource.TIMESTAMPS] += 1
        if message.address.topic in _WITH_CLOCK and not message.is_retained:
            step = 0.0 if patient.stamp is None else stamp - patient.stamp
            patient.at += step if 0 < step <= MAX_STEP_S else 0.0
            patient.stamp = patient.wall = stamp
        elif patient.stamp is None:
            patient.wall = stamp
        if message.address.topic == "connection" and not message.is_retained:
            was_online, patient.is_online = patient.is_online, _says_online(document)
            if patient.is_online and not was_online:
                patient.stamp = None  # how long it was gone is not how long it has been silent


def _says_online(document: dict[str, Any]) -> bool:
    state = document.get("connectionState")
    return isinstance(state, str) and state.upper() == "ONLINE"


def _refuse(patient: _Patient, message: Message, rejected: RejectedMessage) -> None:
    """Note a message that cannot be read, and where it stands: in a gateway it has no offset, here it has a place."""
    robot, topic = message.address.robot, message.address.topic
    patient.doctor.refuse(robot, topic, rejected, at=patient.at, wall=patient.wall)
    for finding in patient.doctor.findings(robot):
        if (finding.rule, finding.topic, finding.place) == (UNREADABLE, topic, rejected.reason):
            finding.offset = message.place


def _outcome(robot: str, patient: _Patient) -> RobotOutcome:
    found = sorted(patient.doctor.findings(robot), key=lambda f: (SEVERITIES.index(f.severity), -f.count, f.rule))
    return RobotOutcome(robot, tuple(sorted(patient.versions)), patient.messages, found, summarize(found))
