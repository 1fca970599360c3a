"""What a message holds: schemas, impossible values, contradictions."""

import math
from typing import Any

import pytest

from tests.unit.doctor.streams import ORDER, POSITION, Patient, action, breaks, keeps, route
from vda5050.doctor import Severity
from vda5050.errors import RejectedMessage
from vda5050.validation import Version


@breaks("schema")
def test_a_missing_member_is_found_where_it_is_missing() -> None:
    """What validation refuses is a finding with its place, its severity, its clause and what it contradicts."""
    patient = Patient()
    patient.state(batteryState={"batteryCharge": 50.0})

    found = patient.finding("schema")
    assert found.place == "required both /batteryState/charging"
    assert found.severity is Severity.ERROR
    assert found.clause == "2.1.0: 6.10.6"
    assert found.contradicts == "both"


@keeps("schema")
def test_members_that_the_standard_does_not_know_are_welcome() -> None:
    """JSON is extensible: a vendor's own members are no finding."""
    patient = Patient()
    patient.state(liftState={"height": 3}, batteryState={"batteryCharge": 50.0, "charging": False, "cells": [1, 2]})

    assert patient.rules == set()


def test_one_fault_in_many_elements_is_one_finding() -> None:
    """The same fault in five nodes of a message is one finding that counts one message, and shows the first."""
    patient = Patient()
    nodes = [{"nodeId": 5, "sequenceId": 2 * place, "released": True} for place in range(1, 6)]
    patient.state(**ORDER, nodeStates=nodes)

    assert patient.finding("schema").place == "type both /nodeStates/*/nodeId"
    assert patient.finding("schema").message.startswith("/nodeStates/0/nodeId")
    assert patient.finding("schema").count == 1


@pytest.mark.parametrize("statuses", [("PAUSED", "BROKEN"), ("BROKEN", "PAUSED")])
def test_a_worse_fault_in_the_same_place_is_a_finding_of_its_own(statuses: tuple[str, str]) -> None:
    """PAUSED contradicts the official schema only, BROKEN the text as well, whichever comes first."""
    patient = Patient()
    for status in statuses:
        patient.state(actionStates=[action(status)])

    found = {(finding.severity, finding.contradicts, finding.count): finding for finding in patient.doctor.findings()}
    assert set(found) == {(Severity.WARNING, "schema", 1), (Severity.ERROR, "both", 1)}
    assert "BROKEN" in found[Severity.ERROR, "both", 1].message
    assert "PAUSED" in found[Severity.WARNING, "schema", 1].message


def test_one_fault_in_many_elements_hides_no_other() -> None:
    """More faulty nodes than problems are told of one message leave room for what else is wrong with it."""
    patient = Patient()
    nodes = [{"nodeId": f"n{number}", "sequenceId": str(2 * number), "released": True} for number in range(25)]
    patient.state(**ORDER, nodeStates=nodes, safetyState={"eStop": 5, "fieldViolation": False})

    assert {finding.place for finding in patient.doctor.findings()} == {
        "type both /nodeStates/*/sequenceId",
        "type both /safetyState/eStop",
    }


@pytest.mark.parametrize(
    ("version", "topic", "clause"),
    [
        (Version.V1_1, "order", "1.1.0: 6.7"),
        (Version.V2_0, "factsheet", "2.0.0: 7.1.3"),
        (Version.V2_1, "order", "2.1.0: 6.6.6"),
        (Version.V3_0, "connection", "3.0.0: 7.7"),
        (Version.V3_0, "responses", "3.0.0: 7.5"),
    ],
)
def test_a_schema_finding_names_the_clause_of_its_version(version: Version, topic: str, clause: str) -> None:
    """The clause is that of the topic in the version that the message follows."""
    patient = Patient(version)
    patient.send(topic, {})

    assert {finding.clause for finding in patient.doctor.findings() if finding.rule == "schema"} == {clause}


def test_a_message_with_everything_wrong_does_not_fill_the_ledger() -> None:
    """At most twenty problems of one message are looked at."""
    patient = Patient()
    patient.send("state", {})
    patient.state(nodeStates=[{"nodeId": 1, "sequenceId": "x", "released": "y"}] * 500)

    assert sum(finding.count for finding in patient.doctor.findings()) <= 40


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"agvPosition": POSITION | {"theta": 3.15}}, "/agvPosition/theta"),
    ({"agvPosition": POSITION | {"theta": -180}}, "/agvPosition/theta"),
    ({"batteryState": {"batteryCharge": 219, "charging": False}}, "/batteryState/batteryCharge"),
    ({"batteryState": {"batteryCharge": -1.1, "charging": False}}, "/batteryState/batteryCharge"),
    ({"loads": [{"weight": 5.0}, {"weight": -0.5}]}, "/loads/*/weight"),
]


@breaks("impossible_value")
@pytest.mark.parametrize(("members", "place"), IMPOSSIBLE)
def test_a_value_that_cannot_be_is_found_once(members: dict[str, Any], place: str) -> None:
    """An angle beyond pi, a charge beyond 100 % and a negative load are found, and not told twice."""
    patient = Patient()
    patient.state(**members)

    assert patient.finding("impossible_value").place == place
    assert patient.rules == {"impossible_value"}


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"mobileRobotPosition": {"theta": 3.15}}, "/mobileRobotPosition/theta"),
        ({"powerSupply": {"stateOfCharge": 101.5}}, "/powerSupply/stateOfCharge"),
    ],
)
def test_a_value_that_cannot_be_by_its_name_of_3_0(members: dict[str, Any], place: str) -> None:
    """The same in what 3.0 calls otherwise, whatever else is wrong."""
    patient = Patient(Version.V3_0)
    patient.state(**members)

    assert patient.finding("impossible_value").place == place


@keeps("impossible_value")
@pytest.mark.parametrize(
    "members",
    [
        {"agvPosition": POSITION | {"theta": math.pi}},
        {"agvPosition": POSITION | {"theta": -math.pi}},
        {"agvPosition": POSITION | {"theta": 3.142}},
        {"batteryState": {"batteryCharge": 0, "charging": False}},
        {"batteryState": {"batteryCharge": 100.4, "charging": False}},
        {"loads": [{"weight": 0}]},
        {"loads": []},
    ],
)
def test_a_value_at_its_limit_can_be(members: dict[str, Any]) -> None:
    """Limits themselves are possible, so are a pi that was rounded and a gauge that is a little off."""
    patient = Patient()
    patient.state(**members)

    assert "impossible_value" not in patient.rules


def test_values_of_the_wrong_type_are_not_impossible() -> None:
    """Text where a number belongs is the schema's matter."""
    patient = Patient()
    battery = {"batteryCharge": "full", "charging": False}
    patient.state(agvPosition=POSITION | {"theta": "north"}, batteryState=battery, loads=[1, {"weight": True}])

    assert patient.rules == {"schema"}


@breaks("driving_while_paused")
def test_a_robot_cannot_stay_paused_and_drive() -> None:
    """Paused and driving for more than ten seconds is found."""
    patient = Patient()
    patient.state(driving=True, paused=True)
    patient.sleep(10.1)
    patient.state(driving=True, paused=True)

    assert patient.rules == {"driving_while_paused"}


@keeps("driving_while_paused")
def test_a_robot_that_was_paused_has_ten_seconds_to_stop() -> None:
    """Braking is no contradiction, nor are two pauses with a drive between them."""
    patient = Patient()
    for driving, paused in ((True, True), (True, True), (True, False), (True, True), (False, True)):
        patient.state(driving=driving, paused=paused)
        patient.sleep(10)

    assert patient.rules == set()


def test_a_paused_robot_may_be_driven_by_hand() -> None:
    """Outside of the automatic modes somebody else may drive it (3.0.0, 7.8: driving, manual or automatic)."""
    patient = Patient()
    for _ in range(5):
        patient.state(driving=True, paused=True, operatingMode="MANUAL")
        patient.sleep(10)

    assert patient.rules == set()


@breaks("nodes_without_order")
def test_a_route_needs_an_order() -> None:
    """A route in nodeStates without an orderId is found."""
    patient = Patient()
    patient.state(orderId="", nodeStates=route("n1"))

    assert patient.rules == {"nodes_without_order"}


@keeps("nodes_without_order")
def test_a_route_with_an_order_or_neither_is_right() -> None:
    """A route with an orderId, and an orderId that is kept with nothing left to do, are right."""
    patient = Patient()
    patient.state(**ORDER, nodeStates=route("n1"))
    patient.state(**ORDER, nodeStates=[])
    patient.state(orderId="", nodeStates=[], edgeStates=[])

    assert patient.rules == set()


def test_what_a_robot_says_while_it_starts_up_is_not_judged() -> None:
    """A 3.0 state in STARTUP may be incomplete or invalid (6.6.6); its header may not, nor what comes after it."""
    patient = Patient(Version.V3_0)
    valid: dict[str, Any] = {"instantActionStates": [], "powerSupply": {"stateOfCharge": 50.0, "charging": False}}
    valid["safetyState"] = {"activeEmergencyStop": "NONE", "fieldViolation": False}
    patient.state(**valid, orderId="o1", orderUpdateId=3, actionStates=[action("FINISHED")])
    patient.sleep(1)
    patient.state(
        operatingMode="STARTUP",
        orderId="o1",
        orderUpdateId=1,
        actionStates=[action("RUNNING")],
        mobileRobotPosition={"theta": 99},
        driving=None,
    )
    patient.state(operatingMode="STARTUP", orderId="", nodeStates=route("n1"))
    patient.state(operatingMode="STARTUP", orderId="o1", orderUpdateId=9, actionStates=[action("FINISHED")])
    patient.state(**valid, orderId="o1", orderUpdateId=0, actionStates=[action("RUNNING")])
    in_startup = patient.rules
    patient.state(operatingMode="STARTUP", version=3)
    patient.state(orderId="", nodeStates=route("n1"))

    assert in_startup == set()
    assert {finding.place for finding in patient.doctor.findings()} == {
        "",
        "type both /version",
        "required both /instantActionStates",
        "required both /powerSupply",
        "required both /safetyState/activeEmergencyStop",
    }


@breaks("unreadable_message")
def test_what_could_not_be_read_is_found() -> None:
    """A message that was refused at the door (NaN, no JSON) is a finding of its robot, one for each reason."""
    patient = Patient()
    for reason in ("nan", "nan", "json"):
        rejected = RejectedMessage(reason, "holds NaN or Infinity, which JSON has not")
        patient.doctor.refuse(patient.robot, "state", rejected, at=patient.now, wall=patient.wall)

    counts = {finding.place: finding.count for finding in patient.doctor.findings(patient.robot)}
    assert patient.rules == {"unreadable_message"}
    assert counts == {"nan": 2, "json": 1}


@pytest.mark.parametrize("reason", ["internal", "robots", "topic"])
def test_what_the_gateway_did_not_manage_is_no_fault_of_the_robot(reason: str) -> None:
    """A message that was lost to a fault or a limit of the gateway is not held against its sender."""
    patient = Patient()
    patient.doctor.refuse(patient.robot, "state", RejectedMessage(reason, "x"), at=patient.now, wall=patient.wall)

    assert patient.rules == set()


@pytest.mark.parametrize(
    ("reason", "severity"), [("empty", Severity.INFO), ("size", Severity.WARNING), ("json", Severity.ERROR)]
)
def test_what_could_not_be_read_is_not_equally_bad(reason: str, severity: Severity) -> None:
    """An empty payload only clears a retained message; how much is too much is the gateway's own limit."""
    patient = Patient()
    rejected = RejectedMessage(reason, "x")
    patient.doctor.refuse(patient.robot, "connection", rejected, at=patient.now, wall=patient.wall)

    assert patient.finding("unreadable_message").severity is severity


@keeps("unreadable_message")
def test_what_could_be_read_is_not_unreadable() -> None:
    """An object with nothing in it is readable, whatever else it is."""
    patient = Patient()
    patient.send("state", {})

    assert patient.rules == {"schema"}
