"""The outcome as JUnit XML: a suite per robot, a case per rule, failed where a finding is bad enough. Pure.

A rule that the recording's times did not let be judged is a skipped case, not a passed one.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from fleet_simulator.arrivals import safe_text

from conformance_check.examination import SEVERITIES, Outcome, RobotOutcome
from vda5050.doctor import RULES, Finding, Severity

_LONGEST = 2_000


def junit_xml(outcome: Outcome, *, fail_on: Severity | None) -> bytes:
    """Write the document; `fail_on` is the mildest severity that fails a case, None for none."""
    unjudged = outcome.unjudged()
    suites = [_suite(robot, fail_on, unjudged) for robot in outcome.robots]
    root = ET.Element("testsuites", {"name": "VDA 5050 conformance", **_totals(suites)})
    root.extend(suites)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _suite(robot: RobotOutcome, fail_on: Severity | None, unjudged: frozenset[str]) -> ET.Element:
    suite = ET.Element("testsuite", name=safe_text(robot.robot))
    failures = skipped = 0
    for rule in RULES:
        found = [finding for finding in robot.findings if finding.rule == rule.id]
        case = ET.SubElement(suite, "testcase", classname=safe_text(robot.robot), name=rule.id)
        if rule.id in unjudged and not found:
            skipped += 1
            ET.SubElement(case, "skipped", message="the times of the messages are not known well enough")
        failing = [finding for finding in found if _fails(finding, fail_on)]
        if failing:
            failures += 1
            failure = ET.SubElement(case, "failure", type=failing[0].severity.value, message=_line(failing[0]))
            failure.text = "\n".join(map(_text, failing))
        if milder := [finding for finding in found if finding not in failing]:
            ET.SubElement(case, "system-out").text = "\n".join(map(_text, milder))
    suite.attrib |= {"tests": str(len(RULES)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    return suite


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    names = ("tests", "failures", "errors", "skipped")
    return {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in names}


def _fails(finding: Finding, fail_on: Severity | None) -> bool:
    return fail_on is not None and SEVERITIES.index(finding.severity) <= SEVERITIES.index(fail_on)


def _line(finding: Finding) -> str:
    return safe_text(finding.message, longest=_LONGEST)


def _text(finding: Finding) -> str:
    place = f", last in message {finding.offset}" if finding.offset else ""
    head = f"{finding.severity.value} on {finding.topic}, {finding.count} times{place}: {_line(finding)}"
    return f"{head}\nclause {finding.clause}"
