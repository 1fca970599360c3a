"""What a simulated robot says and when, for each version of the standard: names, ids, times, events."""

import json
import random
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from fleet_simulator.dialects import DIALECTS, Layout
from fleet_simulator.mqtt_message import Message
from fleet_simulator.robot_reporter import HeaderIds, Identity, RobotReporter
from fleet_simulator.robot_types import type_for
from fleet_simulator.route_graph import build_hall
from fleet_simulator.simulated_robot import SimulatedRobot

HALL = build_hall(1)
VERSIONS = list(DIALECTS)


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def reporter(
    version: str = "2.1.0", *, layout: Layout = Layout.STANDARD, interval_s: float = 1.0, clock: Clock | None = None
) -> RobotReporter:
    """Return a reporter of a robot with a fixed seed."""
    robot = SimulatedRobot(type_for("KUKA"), HALL, start=HALL.nodes["H1-S1"], chance=random.Random(4))
    identity = Identity(manufacturer="KUKA", serial="KR_1", dialect=DIALECTS[version], layout=layout)
    return RobotReporter(robot, identity, interval_s=interval_s, now=clock or Clock())


def kind(message: Message) -> str:
    """Return the last level of the message's topic."""
    return message.topic.rpartition("/")[2]


def body(message: Message) -> dict[str, Any]:
    """Return the message as JSON."""
    parsed: dict[str, Any] = json.loads(message.payload)
    return parsed


def said(talking: RobotReporter, seconds: float, *, clock: Clock | None = None) -> list[Message]:
    """Let the robot live and talk for so long."""
    messages = []
    for _ in range(round(seconds / talking.step_s)):
        talking.advance()
        if clock is not None:
            clock.now += timedelta(seconds=talking.step_s)
        messages += talking.due()
    return messages


def instant(version: str, *actions: str, **parameters: str) -> bytes:
    """Return an instantActions message in the words of a version."""
    key = DIALECTS[version].instant_actions_key
    listed = [{"key": name, "value": value} for name, value in parameters.items()]
    made = [{"actionType": name, "actionId": f"id-{name}", "actionParameters": listed} for name in actions]
    return json.dumps({key: made}).encode()


@pytest.mark.parametrize(
    ("version", "layout", "topic"),
    [
        ("1.1.0", Layout.STANDARD, "uagv/v1/KUKA/KR_1/state"),
        ("2.0.0", Layout.STANDARD, "uagv/v2/KUKA/KR_1/state"),
        ("2.1.0", Layout.STANDARD, "uagv/v2/KUKA/KR_1/state"),
        ("3.0.0", Layout.STANDARD, "vda5050/v3/KUKA/KR_1/state"),
        ("2.1.0", Layout.FLAT, "/vda5050/KUKA/KR_1/state"),
        ("3.0.0", Layout.FLAT, "/vda5050/KUKA/KR_1/state"),
    ],
)
def test_topics(version: str, layout: Layout, topic: str) -> None:
    """Topics follow the version's root, or the flat layout."""
    assert reporter(version, layout=layout).state().topic == topic


@pytest.mark.parametrize("version", VERSIONS)
def test_header_and_form(version: str) -> None:
    """Every message has the header with a UTC time in milliseconds, is compact UTF-8 JSON, and parses strictly."""
    talking = reporter(version)

    for message in [talking.last_will(), *talking.greeting(), *said(talking, 5.0), *talking.farewell()]:
        assert list(body(message))[:5] == ["headerId", "timestamp", "version", "manufacturer", "serialNumber"]
        assert re.fullmatch(r"2026-11-23T12:00:00\.000Z", body(message)["timestamp"])
        assert body(message)["version"] == version
        assert message.payload == json.dumps(body(message), separators=(",", ":")).encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_greeting_and_farewell(version: str) -> None:
    """ONLINE, then the factsheet (from 2.0 on), then the state; OFFLINE at the end; all but the state retained."""
    talking = reporter(version)
    broken = "CONNECTION_BROKEN" if version == "3.0.0" else "CONNECTIONBROKEN"

    will, greeting, farewell = talking.last_will(), talking.greeting(), talking.farewell()

    assert body(will)["connectionState"] == broken
    assert body(greeting[0])["connectionState"] == "ONLINE"
    assert body(farewell[0])["connectionState"] == "OFFLINE"
    assert [kind(message) for message in greeting] == (
        ["connection", "state"] if version == "1.1.0" else ["connection", "factsheet", "state"]
    )
    assert all((message.qos, message.is_retained) == (1, True) for message in (will, greeting[0], farewell[0]))
    assert [message.is_retained for message in greeting] == [kind(message) != "state" for message in greeting]


def test_connection_header_ids_have_no_gap() -> None:
    """Whether the will or OFFLINE is the next word on the topic, it has the id after ONLINE."""
    talking = reporter()
    first_will, online = talking.last_will(), talking.greeting()[0]
    talking.connection_lost()
    second_will, back, offline = talking.last_will(), talking.greeting()[0], talking.farewell()[0]

    ids = [body(message)["headerId"] for message in (online, first_will, back, second_will, offline)]
    assert ids == [0, 1, 2, 3, 3]


def test_header_ids_count_per_topic_and_wrap() -> None:
    """Each topic counts its own messages, and 0 follows 2**32 - 1."""
    talking = reporter()
    messages = said(talking, 30.0)
    for name in ("state", "visualization"):
        ids = [body(message)["headerId"] for message in messages if kind(message) == name]
        assert ids == list(range(len(ids)))

    near_the_end = HeaderIds(first=2**32 - 2)
    assert near_the_end.peek("state", ahead=2) == 0
    assert [near_the_end.take("state") for _ in range(3)] == [2**32 - 2, 2**32 - 1, 0]


def test_state_comes_every_interval_and_on_every_event() -> None:
    """A state comes once an interval, and at the very step at which something happened that the standard names."""
    talking = reporter(interval_s=1.0)
    talking.greeting()
    event = talking.robot.event_key()

    for step in range(1, 1200):
        talking.advance()
        states = [message for message in talking.due() if kind(message) == "state"]
        has_happened = talking.robot.event_key() != event
        event = talking.robot.event_key()
        assert len(states) == (1 if has_happened or step % 10 == 0 else 0)


def test_state_comes_at_least_every_30_seconds() -> None:
    """With an interval of an hour the gap between two states stays below 30 s, and the visualization waits."""
    clock = Clock()
    talking = reporter(interval_s=3600.0, clock=clock)
    talking.greeting()
    talking.robot.battery.charge_percent = 21.0
    times = [clock.now]

    for message in said(talking, 400.0, clock=clock):
        assert kind(message) == "state"
        times.append(datetime.fromisoformat(body(message)["timestamp"]))

    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert 25.0 < max(gaps) < 30.0


@pytest.mark.parametrize("interval_s", [0.01, 0.25, 0.3, 1.0, 7.5])
def test_steps_divide_the_interval(interval_s: float) -> None:
    """A whole number of steps, none longer than 0.1 s, makes up the interval."""
    talking = reporter(interval_s=interval_s)
    count = interval_s / talking.step_s

    assert count == pytest.approx(round(count))
    assert talking.step_s <= 0.1 + 1e-9
    assert len([message for message in said(talking, 3 * interval_s) if kind(message) == "visualization"]) == 3


def test_same_seed_same_messages() -> None:
    """Two runs with the same seed and clock give the same bytes."""
    assert said(reporter(), 60.0) == said(reporter(), 60.0)


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("1.1.0", {"agvPosition", "batteryState", "informations"}),
        ("2.0.0", {"agvPosition", "batteryState", "information"}),
        ("2.1.0", {"agvPosition", "batteryState", "information", "maps"}),
        ("3.0.0", {"mobileRobotPosition", "powerSupply", "information", "maps", "instantActionStates", "plannedPath"}),
    ],
)
def test_states_use_the_names_of_their_version(version: str, names: set[str]) -> None:
    """What differs between versions is there under its own name, and the others' names are not."""
    differing = {
        "agvPosition", "mobileRobotPosition", "batteryState", "powerSupply", "informations", "information", "maps",
        "instantActionStates", "plannedPath",
    }  # fmt: skip
    talking = reporter(version)
    states = [body(message) for message in said(talking, 10.0) if kind(message) == "state"]

    assert set(states[-1]) & differing == names


def test_words_of_version_1_1() -> None:
    """1.1 writes statuses in lower case, as its schema says, and has neither hints nor a factsheet."""
    talking = reporter("1.1.0")
    state = body(talking.instant_actions(instant("1.1.0", "factsheetRequest"))[-1])

    assert state["actionStates"][-1]["actionStatus"] == "failed"
    assert state["safetyState"]["eStop"] == "none"
    assert "errorHint" not in state["errors"][0]


def test_words_of_version_3_0() -> None:
    """3.0 has other names within position, power and safety, and refers to the last state in the visualization."""
    talking = reporter("3.0.0")
    messages = said(talking, 10.0)
    state = body([message for message in messages if kind(message) == "state"][-1])
    shown = body(messages[-1])

    assert state["mobileRobotPosition"]["localized"] is True
    assert {"stateOfCharge", "batteryCurrent", "range"} <= set(state["powerSupply"])
    assert state["safetyState"] == {"activeEmergencyStop": "NONE", "fieldViolation": False}
    assert kind(messages[-1]) == "visualization"
    assert shown["referenceStateHeaderId"] == state["headerId"]


def test_order_is_told_as_it_shrinks() -> None:
    """Node and edge states shrink by one each as a node passes, ids even and odd, base before horizon."""
    talking = reporter()
    states = [body(message) for message in said(talking, 60.0) if kind(message) == "state"]
    driven = [state for state in states if state["nodeStates"]]

    for state in driven:
        nodes, edges = state["nodeStates"], state["edgeStates"]
        assert len(nodes) == len(edges)
        assert [node["sequenceId"] for node in nodes] == list(
            range(state["lastNodeSequenceId"] + 2, state["lastNodeSequenceId"] + 2 + 2 * len(nodes), 2)
        )
        assert [edge["sequenceId"] + 1 for edge in edges] == [node["sequenceId"] for node in nodes]
        released = [node["released"] for node in nodes]
        assert released == sorted(released, reverse=True)
        assert [edge["released"] for edge in edges] == released
    assert len({len(state["nodeStates"]) for state in driven}) > 3
    assert any(state["newBaseRequest"] for state in driven)


def test_requests_are_answered_at_once() -> None:
    """StateRequest brings one state with the action FINISHED, factsheetRequest the factsheet and a state."""
    talking = reporter()
    talking.greeting()

    answers = talking.instant_actions(instant("2.1.0", "stateRequest"))
    assert [kind(message) for message in answers] == ["state"]
    assert body(answers[0])["actionStates"][-1]["actionStatus"] == "FINISHED"
    answers = talking.instant_actions(instant("2.1.0", "factsheetRequest"))
    assert [kind(message) for message in answers] == ["factsheet", "state"]


def test_ended_instant_actions_go_with_a_new_order_up_to_2_1() -> None:
    """Up to 2.1 a new order clears the ended instant actions; in 3.0 they stay until clearInstantActions."""
    for version, is_kept in (("2.1.0", False), ("3.0.0", True)):
        talking = reporter(version)
        talking.instant_actions(instant(version, "stateRequest"))
        said(talking, 10.0)
        assert talking.robot.order.order_id
        assert bool(talking.robot.instant_actions) == is_kept


def test_cancel_names_its_order_in_3_0() -> None:
    """CancelOrder with another order's id fails with NO_ORDER_TO_CANCEL."""
    talking = reporter("3.0.0")
    said(talking, 10.0)

    state = body(talking.instant_actions(instant("3.0.0", "cancelOrder", orderId="another"))[-1])
    assert state["instantActionStates"][0]["actionStatus"] == "FAILED"
    assert state["errors"][0]["errorType"] == "NO_ORDER_TO_CANCEL"


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"[]", b"null", b'{"actions":5}', b'{"actions":[1,{"actionType":3}]}', b"[" * 100_000],
)
def test_unreadable_instant_actions_are_ignored(payload: bytes) -> None:
    """Whatever arrives on the topic, the robot lives on."""
    talking = reporter()
    talking.greeting()

    assert talking.instant_actions(payload) == []


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0", "3.0.0"])
def test_factsheet_lists_what_the_robot_obeys(version: str) -> None:
    """Every action of the factsheet is one the robot really has, in the words of the version."""
    facts = body(reporter(version).greeting()[1])
    actions = facts["protocolFeatures"]["mobileRobotActions" if version == "3.0.0" else "agvActions"]
    timing = facts["protocolLimits"]["timing"]

    assert {action["actionType"] for action in actions} >= {"pick", "cancelOrder", "startPause", "factsheetRequest"}
    assert ("clearInstantActions" in {action["actionType"] for action in actions}) == (version == "3.0.0")
    assert timing["defaultStateInterval"] == timing["visualizationInterval"] == 1.0
