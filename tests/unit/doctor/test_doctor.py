"""What the doctor does with what the rules say: count, tell, forget; and when it says nothing."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.unit.doctor.streams import ROBOT, START_S, Patient, action
from vda5050.doctor import Doctor, Finding, Severity, summarize
from vda5050.doctor.doctor import TELL_EVERY_S, TELL_LASTING_EVERY_S
from vda5050.doctor.findings import MAX_FINDINGS_A_ROBOT, MAX_SAMPLE_BYTES
from vda5050.doctor.records import MAX_CANCEL_ID_CHARS, MAX_CANCELS, MAX_REMEMBERED_ACTIONS
from vda5050.errors import RejectedMessage
from vda5050.frames import finding_json


def test_a_finding_counts_instead_of_coming_again() -> None:
    """Three messages with one fault are one finding, with the newest message as its sample."""
    patient = Patient()
    for charge in (101.5, 150, 219):
        patient.sleep(1)
        patient.state(batteryState={"batteryCharge": charge, "charging": False})

    shown = patient.finding("impossible_value").to_dict()
    assert shown["count"] == 3
    assert shown["first_seen"] == "2023-11-14T22:30:01.000Z"
    assert shown["last_seen"] == "2023-11-14T22:30:03.000Z"
    assert shown["offset"] == 3
    assert shown["sample"]["batteryState"]["batteryCharge"] == 219
    assert shown["message"] == "batteryCharge is 219 %"


def test_a_finding_shows_all_that_was_promised() -> None:
    """Rule, severity, robot, topic, message, clause, count, times, offset and sample stand in each finding."""
    patient = Patient()
    patient.state(orderId="", nodeStates=[{"nodeId": "n1", "sequenceId": 2, "released": True}])

    assert patient.finding("nodes_without_order").to_dict() | {"sample": None} == {
        "rule": "nodes_without_order",
        "severity": "error",
        "robot": ROBOT,
        "topic": "state",
        "place": "",
        "message": "orderId is empty, but nodeStates and edgeStates list 1 to be traversed",
        "clause": "6.10.6 orderId, nodeStates, edgeStates; 3.0.0: 7.8",
        "contradicts": None,
        "count": 1,
        "first_seen": "2023-11-14T22:30:00.000Z",
        "last_seen": "2023-11-14T22:30:00.000Z",
        "offset": 1,
        "sample": None,
    }


def test_a_large_message_is_no_sample() -> None:
    """A message beyond MAX_SAMPLE_BYTES is not kept with its finding."""
    patient = Patient()
    battery = {"batteryCharge": 219, "charging": False}
    patient.state(batteryState=battery, filler="x" * MAX_SAMPLE_BYTES)

    assert patient.finding("impossible_value").sample is None


@pytest.mark.parametrize(("levels", "is_kept"), [(200, True), (250, False), (252, False)])
def test_a_deep_message_is_no_sample(levels: int, is_kept: bool) -> None:  # noqa: FBT001 - a table's column
    """A message that is let in, and too deep to stand inside of an event or an answer, is told without a sample."""
    patient = Patient()
    deep: list[Any] = []
    for _ in range(levels):
        deep = [deep]
    told = patient.state(batteryState={"batteryCharge": 219, "charging": False}, vendor=deep)

    assert orjson.loads(finding_json(told[0].to_dict()))["data"]["place"] == "/batteryState/batteryCharge"
    assert orjson.dumps({"findings": [patient.finding("impossible_value").to_dict()]})
    assert (told[0].sample is not None) is is_kept


def test_a_fault_that_repeats_is_told_every_ten_seconds() -> None:
    """A robot that is wrong twice a second for a minute is told six times, its messages are all counted."""
    patient = Patient()
    for _ in range(120):
        patient.state(batteryState={"batteryCharge": 219, "charging": False})
        patient.sleep(0.5)

    assert len(patient.told) == 60 / TELL_EVERY_S
    assert patient.finding("impossible_value").count == 120
    assert patient.finding("impossible_value").tellings == len(patient.told)


def test_silence_is_one_episode() -> None:
    """A state that is late for ten minutes is one finding, counted once and told every minute."""
    patient = Patient()
    patient.state()
    patient.wait(33)
    patient.wait(600)

    found = patient.finding("state_late")
    assert found.count == 1
    assert found.message == "no state for 633 s, one is due every 30 s"
    assert len(patient.told) == 600 / TELL_LASTING_EVERY_S


def test_silence_that_comes_again_is_a_second_episode() -> None:
    """After a state has come, the next silence counts and is told anew."""
    patient = Patient()
    for _ in range(2):
        patient.state()
        patient.wait(40)

    assert patient.finding("state_late").count == 2
    assert len(patient.told) == 2


def test_an_episode_outlives_a_flood_of_other_findings() -> None:
    """A finding that lasts stays known although many newer ones came."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.wait(34)
    for number in range(MAX_FINDINGS_A_ROBOT + 5):
        patient.send("visualization", {"agvPosition": {"theta": 9}, "velocity": {f"v{number}": 1}})
        _refuse(patient, f"reason {number}")
    patient.wait(1)

    assert "online_but_silent" in patient.rules


def test_findings_of_a_robot_are_bounded() -> None:
    """Beyond MAX_FINDINGS_A_ROBOT the finding not seen for longest is forgotten."""
    patient = Patient()
    for number in range(MAX_FINDINGS_A_ROBOT + 10):
        _refuse(patient, f"reason {number}")

    places = [finding.place for finding in patient.doctor.findings(ROBOT)]
    assert len(places) == MAX_FINDINGS_A_ROBOT
    assert places[0] == "reason 10"


def test_remembered_actions_are_bounded() -> None:
    """Of too many actions some are not followed; cancelOrders without end, or with an endless id, are not kept."""
    patient = Patient()
    patient.state(actionStates=[action("RUNNING", f"a{number}") for number in range(MAX_REMEMBERED_ACTIONS + 50)])
    for number in range(MAX_CANCELS + 50):
        patient.instant_action("cancelOrder", f"c{number}" * MAX_CANCEL_ID_CHARS)
    remembered_long = len(patient.doctor._patients[ROBOT].record.cancels)  # noqa: SLF001
    for number in range(MAX_CANCELS + 50):
        patient.instant_action("cancelOrder", f"c{number}")

    record = patient.doctor._patients[ROBOT].record  # noqa: SLF001 - memory has no other outside
    assert len(record.actions) == MAX_REMEMBERED_ACTIONS
    assert (remembered_long, len(record.cancels)) == (0, MAX_CANCELS)


def test_many_stuck_actions_are_one_finding() -> None:
    """Ids of actions do not make findings of their own, so a robot cannot fill the ledger with them."""
    patient = Patient()
    actions = [action("RUNNING", f"a{number}") for number in range(100)]
    for _ in range(62):
        patient.state(actionStates=actions)
        patient.wait(10)

    assert patient.finding("action_stuck").count == 1


def test_a_retained_message_is_judged_by_its_content_only() -> None:
    """Numbering, clock and order of a retained message say nothing about now; its members are judged."""
    patient = Patient()
    patient.state(headerId=900)
    patient.state(
        is_retained=True,
        headerId=3,
        timestamp="2020-01-01T00:00:00.00Z",
        serialNumber="another",
        agvPosition={"x": 0, "y": 0, "theta": 90, "mapId": "hall", "positionInitialized": True},
    )
    patient.state(headerId=901)

    assert patient.rules == {"schema"}
    assert patient.finding("schema").place == "range text /agvPosition/theta"


def test_nobody_is_judged_while_the_gateway_hears_nothing() -> None:
    """With the gateway's own link to the broker lost, no robot is late, and what was missed is not counted as lost."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.state(headerId=1)
    patient.order(headerId=1)
    patient.doctor.set_link(is_up=False, at=patient.now)
    patient.wait(600)
    patient.doctor.set_link(is_up=True, at=patient.now)
    patient.connection("ONLINE", is_retained=True)
    patient.wait(30)
    patient.order(headerId=50)
    patient.state(headerId=600, orderId="o1")
    patient.wait(30)

    assert patient.rules == set()


def test_who_does_not_come_back_after_the_gateway_did_is_found() -> None:
    """A robot of which nothing is heard after the link was lost is a ghost a minute later."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.state()
    patient.doctor.set_link(is_up=False, at=patient.now)
    patient.doctor.set_link(is_up=True, at=patient.now)
    patient.wait(61)

    assert patient.rules == {"stale_retained_ghost"}


def test_a_gateway_that_stood_still_accuses_nobody() -> None:
    """After a tick that came late, what waits in the socket is read before anybody is called late."""
    patient = Patient()
    patient.state()
    patient.wait(20)
    patient.sleep(60)
    patient.tick()
    patient.state()
    patient.wait(20)

    assert patient.rules == set()


def test_robots_do_not_mix() -> None:
    """Two robots with the same headerIds are judged each for itself."""
    doctor = Doctor()
    patients = [Patient(robot="ACME/1"), Patient(robot="ACME/2")]
    for patient in patients:
        patient.doctor = doctor
        patient.state(headerId=7)
    patients[1].state(headerId=7)

    assert {finding.robot for finding in doctor.findings()} == {"ACME/2"}
    assert list(doctor.findings("ACME/3")) == []


def test_a_summary_tells_the_worst_first() -> None:
    """How much was found, then the worst of it in words."""
    patient = Patient()
    patient.state(headerId=9, batteryState={"batteryCharge": 219, "charging": False})
    patient.state(headerId=9, batteryState={"batteryCharge": 219, "charging": False})
    patient.state(headerId=3)

    assert summarize(patient.doctor.findings(ROBOT)) == (
        "1 error, 1 warning, 1 remark. state: batteryCharge is 219 % (2 times); "
        "state: two messages in a row carry headerId 9 (once); "
        "state: headerId went from 9 to 3: the sender was restarted, or there are two (once)."
    )


def test_a_summary_ends_after_three() -> None:
    """What is not told is counted; with nothing found it says so."""
    finding = _finding_maker()

    assert summarize(finding(place) for place in "abcde").endswith("(once); and 2 more.")
    assert summarize([]) == "Nothing was found."


@pytest.mark.parametrize("topic", ["zoneSet", "responses", "factsheet", "instantActions"])
def test_a_topic_of_the_master_or_of_another_version_is_taken(topic: str) -> None:
    """Every topic that ingest lets through can be judged, also where the version does not have it."""
    patient = Patient()
    patient.send(topic, {"headerId": 1})
    patient.send(topic, {"headerId": 2})

    assert patient.rules <= {"schema"}


def _refuse(patient: Patient, reason: str) -> None:
    patient.doctor.refuse(ROBOT, "state", RejectedMessage(reason, "x"), at=patient.now, wall=patient.wall)


def _finding_maker() -> Callable[[str], Finding]:
    def make(place: str) -> Finding:
        return Finding(
            rule="schema",
            severity=Severity.ERROR,
            robot=ROBOT,
            topic="state",
            place=place,
            message="m",
            clause="c",
            contradicts=None,
            count=1,
            first_seen=START_S,
            last_seen=START_S,
            offset=1,
            sample=None,
        )

    return make
