"""check_conformance.py judging recordings: what time it is, whose fault a gap is, and what the three reports say."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from conformance_check.examination import Examination, Outcome, TimeSource
from conformance_check.junit import junit_xml
from conformance_check.recordings import Recording
from conformance_check.sarif import sarif_log
from conformance_check.text_report import text_report

from tests.unit.builders import connection, state
from tests.unit.doctor.streams import path
from vda5050.doctor import RULES, Severity

TOPIC = "uagv/v2/KUKA/KR_1001/state"


def examine(lines: Iterable[str]) -> Outcome:
    """Judge a recording."""
    examination = Examination()
    for message in Recording(line.encode() for line in lines):
        examination.take(message)
    return examination.outcome()


def line(second: float = 0.0, *, robot: str = "KUKA/KR_1001", topic: str = "state", **override: Any) -> str:
    """Write a line as mosquitto_sub does, sent at that second of a minute long ago."""
    stamp = f"2024-05-21T10:{int(second) // 60:02}:{second % 60:06.3f}Z"
    build = {"state": state, "connection": connection}[topic]
    manufacturer, _, serial_number = robot.partition("/")
    document = build(timestamp=stamp, manufacturer=manufacturer, serialNumber=serial_number, **override)
    return f"uagv/v2/{robot}/{topic} {orjson.dumps(document).decode()}"


def json_line(second: float, *, document: dict[str, Any], **override: Any) -> str:
    """Write a line as process_vda5050_messages.py --json does."""
    received = f"2024-05-21T10:{int(second) // 60:02}:{second % 60:06.3f}Z"
    entry = {"topic": TOPIC, "type": "state", "received": received, "retained": False, "payload": document}
    return orjson.dumps(entry | override).decode()


def rules_of(outcome: Outcome) -> set[str]:
    """Name the rules that found something."""
    return {finding.rule for finding in outcome.findings()}


def test_time_of_timestamps() -> None:
    """Without a time of receipt the robot's own timestamps tell that a state is late, and never that its clock is."""
    outcome = examine([line(0, headerId=1), line(50, headerId=2)])

    assert outcome.times == {TimeSource.TIMESTAMPS: 2}
    assert rules_of(outcome) == {"state_late"}
    assert "clock_skew" in outcome.unjudged()


def test_robots_have_times_of_their_own() -> None:
    """Two robots whose clocks differ by minutes do not make each other late."""
    lines = [
        text for s in range(3) for text in (line(s, headerId=s, robot="A/1"), line(s + 300, headerId=s, robot="B/2"))
    ]

    assert rules_of(examine(lines)) == set()


@pytest.mark.parametrize("second", [3_000, -0.0])
def test_a_clock_that_is_set_is_no_silence(second: float) -> None:
    """A leap of the robot's clock, forwards or back, is not taken for time that passed."""
    outcome = examine([line(600, headerId=1), line(second, headerId=2), line(second + 1, headerId=3)])

    assert rules_of(outcome) == set()


def test_a_will_does_not_turn_time_back() -> None:
    """A connection message carries the time of the connect: it does not move the robot's clock."""
    lines = [line(100, headerId=1), line(0, topic="connection"), line(101, headerId=2)]

    assert rules_of(examine(lines)) == set()


def test_while_a_robot_is_gone_no_time_passes() -> None:
    """A robot that is off for two minutes, and sends its state a second after its ONLINE, was not silent."""
    lines = [
        line(0, headerId=1),
        line(10, headerId=2),
        line(11, topic="connection", connectionState="OFFLINE"),
        line(130, topic="connection"),
        line(131, headerId=1),
    ]

    assert rules_of(examine(lines)) == set()


def test_a_repeated_online_does_not_stop_time() -> None:
    """A robot that says ONLINE again and again is late all the same."""
    lines = [line(0, topic="connection"), line(1, headerId=1), line(2, topic="connection"), line(60, headerId=2)]

    assert rules_of(examine(lines)) == {"state_late"}


@pytest.mark.parametrize(("answered_at", "found"), [(31, set()), (45, {"order_not_accepted"})])
def test_an_order_is_dated_to_the_robots_next_message(answered_at: int, found: set[str]) -> None:
    """When an order was sent is not known: it has not waited since the state before it."""
    told: dict[str, Any] = {"orderId": "o1", "orderUpdateId": 0}
    order = orjson.dumps({"headerId": 1, **told, **path("n0 n1")}).decode()
    lines = [
        line(0, headerId=1),
        f"uagv/v2/KUKA/KR_1001/order {order}",
        line(30, headerId=2),
        line(33, headerId=3),
        line(answered_at + 3, headerId=4, **told),
    ]

    assert rules_of(examine(lines)) - {"schema"} == found


def test_the_last_order_is_judged() -> None:
    """An order that nothing follows is judged by its content."""
    outcome = examine([line(0), 'uagv/v2/KUKA/KR_1001/order {"nodes":[],"edges":[]}'])

    assert "order_graph" in rules_of(outcome)
    assert outcome.messages == 2


def test_time_of_receipt() -> None:
    """JSON lines tell when each was received, so a late state is seen even at the recording's end."""
    quiet = json_line(0, document=state(headerId=1, timestamp="2024-05-21T10:00:00.00Z"))
    other = json_line(50, document=state(headerId=1), topic="uagv/v2/ABB/2/state")
    outcome = examine([quiet, other])

    assert outcome.times == {TimeSource.RECEIVED: 2}
    assert [finding.robot for finding in outcome.findings() if finding.rule == "state_late"] == ["KUKA/KR_1001"]
    assert outcome.unjudged() == frozenset()


@pytest.mark.parametrize(
    "stamp", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59"]
)
def test_a_time_at_the_end_of_the_calendar_is_none(stamp: str) -> None:
    """A timestamp or a time of receipt that no clock shows tells no time; the message is judged."""
    told = orjson.dumps({"timestamp": stamp}).decode()
    outcome = examine([f"{TOPIC} {told}", json_line(0, document={}, received=stamp)])

    assert outcome.times == {TimeSource.LINE_ORDER: 2}
    assert all(finding.to_dict() for finding in outcome.findings())


def test_line_order() -> None:
    """Without any time nothing is late, and the outcome says so."""
    document = state()
    del document["timestamp"]
    outcome = examine([f"{TOPIC} {orjson.dumps(document).decode()}"] * 2)

    assert outcome.times == {TimeSource.LINE_ORDER: 2}
    assert {"clock_skew", "state_late"} <= outcome.unjudged()


def test_place_of_what_cannot_be_read() -> None:
    """A message that cannot be read is found at its line."""
    (finding,) = examine([line(0), f"{TOPIC} {{broken}}"]).findings()

    assert (finding.rule, finding.offset) == ("unreadable_message", 2)


@pytest.fixture
def outcome() -> Outcome:
    """Judge a recording with an error, a warning and a remark, each of one robot, and a robot without any."""
    bad = state(manufacturer="D", serialNumber="bad\x1b[31m")
    del bad["batteryState"]
    return examine(
        [
            line(0, robot="A/clean"),
            line(0, robot="B/odd", operatingMode="automatic"),
            line(0, robot="C/lossy", headerId=1),
            line(1, robot="C/lossy", headerId=4),
            f"uagv/v2/D/bad\x1b[31m/state {orjson.dumps(bad).decode()}",
        ]
    )


def test_outcome_is_worst_first(outcome: Outcome) -> None:
    """The robot that needs attention most comes first."""
    assert [robot.robot for robot in outcome.robots] == ["D/bad\x1b[31m", "C/lossy", "B/odd", "A/clean"]
    assert [outcome.has(severity) for severity in Severity] == [True, True, True]
    assert not examine([line(0)]).has(Severity.INFO)


def test_text_report(outcome: Outcome) -> None:
    """The report says of each robot the sum, then each finding with clause, count and place, and steers no terminal."""
    text = "\n".join(text_report(outcome, source="robots.log", place_of="line", noise=2))

    assert text.startswith("robots.log: 5 messages of 4 robots\nskipped: 2 lines with no VDA 5050 message\n")
    assert "the messages' own timestamps" in text
    assert "  error    schema on state: once, last in line 5\n" in text
    assert "batteryState" in text
    assert "header_id_gap on state: once, last in line 4" in text
    assert text.count("clause ") == 3
    assert "\x1b" not in text


def test_junit(outcome: Outcome) -> None:
    """A suite per robot, a case per rule: what is milder than asked for passes, what was not judged is skipped."""
    root = ET.fromstring(junit_xml(outcome, fail_on=Severity.WARNING))  # noqa: S314 - our own

    assert (root.get("tests"), root.get("failures")) == (str(4 * len(RULES)), "2")
    failed = {
        (case.get("classname"), case.get("name")) for case in root.iter("testcase") if case.find("failure") is not None
    }
    assert failed == {("D/bad\\x1b[31m", "schema"), ("C/lossy", "header_id_gap")}
    odd = root.find("testsuite[@name='B/odd']/testcase[@name='schema']/system-out")
    assert odd is not None
    assert "read as 'AUTOMATIC'" in (odd.text or "")
    skipped = {case.get("name") for case in root.iter("testcase") if case.find("skipped") is not None}
    assert skipped == {"clock_skew"}


def test_junit_without_failures(outcome: Outcome) -> None:
    """Where nothing is to fail, nothing fails."""
    root = ET.fromstring(junit_xml(outcome, fail_on=None))  # noqa: S314 - our own

    assert root.get("failures") == "0"


def test_sarif(outcome: Outcome) -> None:
    """The log has every member that SARIF 2.1.0 requires, and each result its rule, level and line."""
    log = sarif_log(outcome, recording="a b/robots.log")

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert [(result["level"], result["ruleId"]) for result in run["results"]] == [
        ("error", "schema"),
        ("warning", "header_id_gap"),
        ("note", "schema"),
    ]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/robots.log"
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert all(value.isprintable() for value in result["partialFingerprints"].values())


def test_sarif_of_a_broker(outcome: Outcome) -> None:
    """Messages of a broker have no file: results then say only which robot and topic."""
    (run,) = sarif_log(outcome, recording=None)["runs"]

    assert all(set(result["locations"][0]) == {"logicalLocations"} for result in run["results"])


def test_a_lost_link_is_not_a_robots_fault() -> None:
    """What was sent while our own connection was gone is no gap and no silence."""
    examination = Examination()
    before, after = (
        json_line(second, document=state(headerId=header_id, timestamp=f"2024-05-21T10:{minute}:00.00Z"))
        for second, header_id, minute in ((0, 1, "00"), (120, 90, "02"))
    )
    first, second = Recording([before.encode(), after.encode()])
    assert first.at is not None
    examination.take(first)
    examination.set_link(is_up=False, at=first.at + 1)
    examination.tick(first.at + 100, first.at + 100)
    examination.set_link(is_up=True, at=first.at + 110)
    examination.take(second)

    assert rules_of(examination.outcome()) == set()
