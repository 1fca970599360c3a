"""The outcome as lines for people. Pure. Whatever came from a robot goes through `safe_text()`."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_simulator.arrivals import safe_text

from conformance_check.examination import Outcome, RobotOutcome, TimeSource
from vda5050.doctor import Finding

_LONGEST_MESSAGE = 500

_TIMES = {
    TimeSource.RECEIVED: "as received",
    TimeSource.TIMESTAMPS: "from the messages' own timestamps, so no clock can be told wrong",
    TimeSource.LINE_ORDER: "none, only the order of the lines, so nothing can be told late",
}


def text_report(outcome: Outcome, *, source: str, place_of: str, noise: int) -> Iterator[str]:
    """Give the lines. `source` is a file or a broker, `place_of` the word for a message's place in it."""
    yield f"{source}: {_counted(outcome.messages, 'message')} of {_counted(len(outcome.robots), 'robot')}"
    if noise:
        yield f"skipped: {_counted(noise, place_of)} with no VDA 5050 message"
    for kind, count in outcome.times.most_common():
        yield f"time of {_counted(count, 'message')}: {_TIMES[kind]}"
    for robot in outcome.robots:
        yield ""
        yield from _robot(robot, place_of)


def _robot(robot: RobotOutcome, place_of: str) -> Iterator[str]:
    versions = ", ".join(robot.versions) or "unknown version"
    yield f"{safe_text(robot.robot)} ({versions}, {_counted(robot.messages, 'message')})"
    yield f"  {safe_text(robot.summary, longest=_LONGEST_MESSAGE)}"
    for finding in robot.findings:
        yield from _finding(finding, place_of)


def _finding(finding: Finding, place_of: str) -> Iterator[str]:
    where = f", last in {place_of} {finding.offset}" if finding.offset else ""
    times = "once" if finding.count == 1 else f"{finding.count} times"
    yield f"  {finding.severity.value:<7}  {finding.rule} on {finding.topic}: {times}{where}"
    yield f"           {safe_text(finding.message, longest=_LONGEST_MESSAGE)}"
    against = f"; contradicts {_AGAINST[finding.contradicts]}" if finding.contradicts in _AGAINST else ""
    yield f"           clause {finding.clause}{against}"


_AGAINST = {"schema": "the official schema, not the text", "text": "the text", "both": "text and official schema"}


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
