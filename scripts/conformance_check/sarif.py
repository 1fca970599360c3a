"""The outcome as SARIF 2.1.0 (OASIS), the format that code hosts and editors show findings in. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fleet_simulator.arrivals import safe_text

from conformance_check.examination import Outcome
from vda5050.doctor import RULES, Finding, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_RULE_INDEX = {rule.id: index for index, rule in enumerate(RULES)}
_LONGEST = 2_000


def sarif_log(outcome: Outcome, *, recording: str | None) -> dict[str, Any]:
    """Give the log; `recording` is the file whose lines the findings' offsets are, None where there are no lines."""
    driver = {
        "name": "check_conformance",
        "fullName": "VDA 5050 conformance check",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.meaning or rule.id},
                "help": {"text": f"VDA 5050, {rule.clause}"},
                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
            }
            for rule in RULES
        ],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, recording) for finding in outcome.findings()],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, recording: str | None) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [
            {
                "name": finding.topic,
                "fullyQualifiedName": safe_text(f"{finding.robot}/{finding.topic}"),
                "kind": "object",
            }
        ]
    }
    if recording is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(recording)}}
        if finding.offset:
            physical["region"] = {"startLine": finding.offset}
        location["physicalLocation"] = physical
    text = safe_text(f"{finding.robot}: {finding.message}", longest=_LONGEST)
    return {
        "ruleId": finding.rule,
        "ruleIndex": _RULE_INDEX[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [location],
        "occurrenceCount": finding.count,
        "partialFingerprints": {
            "finding/v1": safe_text(f"{finding.robot} {finding.topic} {finding.rule} {finding.place}")
        },
        "properties": {"clause": finding.clause, "contradicts": finding.contradicts, "place": finding.place},
    }
