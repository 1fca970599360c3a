"""`/conformance`: what the doctor found, worst first: of all robots, or of one with a sentence that sums it up."""

from collections.abc import Iterable

from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.replies import json_reply, unknown_robot
from vda5050.broadcast import Filter
from vda5050.doctor import RULES, Finding, Severity, summarize
from vda5050.errors import FilterError
from vda5050.service import Service

SEVERITIES = tuple(severity.value for severity in reversed(Severity))
RULE_IDS = tuple(sorted({rule.id for rule in RULES}))
_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("conformance", __name__)

    @blueprint.get("/conformance")
    def conformance() -> Response:
        """Show the findings of all robots, or those of `robots`, `severity` and `rule`. Raises FilterError.

        `sample=0` leaves the messages out, which are most of the answer.
        """
        wanted = Filter.parse(robots=request.args.get("robots", "")).within(principal().robots_source)
        robots = wanted.selection()
        severities, rules = _one_of("severity", SEVERITIES), _one_of("rule", RULE_IDS)
        found = (
            finding
            for finding in service.doctor.findings()
            if robots.has(finding.robot) and finding.severity.value in severities and finding.rule in rules
        )
        findings = _worst_first(found)
        if request.args.get("sample") == "0":
            findings = [{**finding, "sample": None} for finding in findings]
        return json_reply({"findings": findings})

    @blueprint.get("/robots/<manufacturer>/<serial_number>/conformance")
    def robot_conformance(manufacturer: str, serial_number: str) -> Response:
        robot = f"{manufacturer}/{serial_number}"
        if robot not in service.robots or not principal().may_see(robot):
            return unknown_robot()
        found = list(service.doctor.findings(robot))
        return json_reply({"robot": robot, "summary": summarize(found), "findings": _worst_first(found)})

    return blueprint


def _one_of(parameter: str, known: tuple[str, ...]) -> frozenset[str]:
    """Read a comma separated query parameter; all that is `known` where it is missing or empty. Raises FilterError."""
    wanted = frozenset(part.strip() for part in request.args.get(parameter, "").split(",") if part.strip())
    if unknown := sorted(wanted.difference(known)):
        raise FilterError(parameter, f"unknown: {', '.join(unknown)[:200]}; known are {', '.join(known)}")
    return wanted or frozenset(known)


def _worst_first(findings: Iterable[Finding]) -> list[dict[str, object]]:
    ranked = sorted(findings, key=lambda found: (_RANK[found.severity], -found.count, found.robot, found.rule))
    return [finding.to_dict() for finding in ranked]
