"""What `process_vda5050_messages.py` makes of messages: read anything, show the essentials, never steer a terminal."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fleet_simulator.arrivals import Arrival, read_arrival, safe_text
from fleet_simulator.message_lines import block, json_line, line, render
from hypothesis import given
from hypothesis import strategies as st

RECEIVED = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
STATE: dict[str, Any] = {
    "orderId": "order-7",
    "orderUpdateId": 2,
    "lastNodeId": "N1",
    "nodeStates": [{}, {}],
    "actionStates": [
        {"actionType": "pick", "actionStatus": "RUNNING"},
        {"actionType": "drop", "actionStatus": "WAITING"},
    ],
    "agvPosition": {"x": 1.5, "y": -2.25, "theta": 1.5708, "mapId": "m", "positionInitialized": True},
    "velocity": {"vx": 1.25, "omega": 0.0},
    "batteryState": {"batteryCharge": 81.6, "charging": True},
    "driving": True,
    "errors": [{"errorType": "obstacle", "errorLevel": "WARNING"}],
    "operatingMode": "AUTOMATIC",
    "safetyState": {"eStop": "NONE", "fieldViolation": False},
}


def arrival(topic: str = "uagv/v2/KUKA/KR_1/state", payload: bytes | None = None, **changes: Any) -> Arrival:
    """Return an arrival: a state with changes, or any payload."""
    content = json.dumps({**STATE, **changes}).encode() if payload is None else payload
    return read_arrival(topic, content, is_retained=False, received=RECEIVED)


def shown(*arguments: Any, **changes: Any) -> str:
    """Return the line of an arrival, without colours."""
    return render(line(arrival(*arguments, **changes)), colours=False)


@pytest.mark.parametrize(
    ("topic", "robot", "kind"),
    [
        ("uagv/v2/KUKA/KR_1/state", "KUKA/KR_1", "state"),
        ("vda5050/v3/ABB/1/connection", "ABB/1", "connection"),
        ("/vda5050/KUKA/KR_1/order", "KUKA/KR_1", "order"),
        ("uagv/odd", "?", "odd"),
        ("///", "?", ""),
    ],
)
def test_topics_tell_robot_and_kind(topic: str, robot: str, kind: str) -> None:
    """Both layouts are read, and a topic that is neither is shown without a robot."""
    assert (arrival(topic).robot, arrival(topic).kind) == (robot, kind)


def test_state_line_has_the_essentials() -> None:
    """Position, heading, charge, speed, order, running action and error are in the line; what is usual is not."""
    text = shown()

    for essential in ("1.50", "-2.25", "90°", "82 %+", "+1.2 m/s", "order-7/2 2 to go, at N1", "pick running"):
        assert essential in text
    assert "WARNING obstacle" in text
    assert "drop" not in text
    assert "AUTOMATIC" not in text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"paused": True}, "paused"),
        ({"driving": False}, "stands"),
        ({"velocity": {"vx": 0, "omega": 0.5}}, "turns"),
        ({"safetyState": {"eStop": "MANUAL"}}, "emergency stop MANUAL"),
        ({"safetyState": {"activeEmergencyStop": "REMOTE", "fieldViolation": True}}, "field violation"),
        ({"operatingMode": "SERVICE"}, "SERVICE"),
        ({"nodeStates": []}, "done"),
        ({"loads": [{}, {}]}, "2 loads"),
        ({"agvPosition": {"x": 1, "y": 2, "positionInitialized": False}}, "not localized"),
        ({"agvPosition": None, "mobileRobotPosition": {"x": 9, "y": 8}}, "9.00"),
        ({"batteryState": None, "powerSupply": {"stateOfCharge": 12.0}}, "12 %"),
    ],
)
def test_state_line_tells_what_is_unusual(changes: dict[str, Any], text: str) -> None:
    """What differs from all being well is told, in the field names of every version."""
    assert text in shown(**changes)


@pytest.mark.parametrize(
    ("kind", "message", "text"),
    [
        ("connection", {"connectionState": "ONLINE", "version": "2.1.0"}, "ONLINE  VDA 5050 2.1.0"),
        ("factsheet", {"typeSpecification": {"seriesName": "Carrier"}}, "Carrier"),
        ("order", {"orderId": "o", "orderUpdateId": 1, "nodes": [{"released": True}, {}]}, "o/1 2 nodes, 1 released"),
        ("instantActions", {"actions": [{"actionType": "cancelOrder"}]}, "cancelOrder"),
        ("instantActions", {"instantActions": [{"actionName": "stateRequest"}]}, "stateRequest"),
        ("zoneSet", {"a": 1}, "1 fields, 7 bytes"),
    ],
)
def test_other_kinds_have_a_line(kind: str, message: dict[str, Any], text: str) -> None:
    """Each kind of message shows its essentials; one without shows its size."""
    payload = json.dumps(message, separators=(",", ":")).encode()

    assert text in shown(f"uagv/v2/KUKA/KR_1/{kind}", payload)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "empty"),
        (b"hello", "not JSON"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_unreadable_messages_are_shown_as_such(payload: bytes, problem: str) -> None:
    """What is not JSON is named in the line and in the JSON, which has its bytes as text."""
    unreadable = arrival(payload=payload)
    told = json.loads(json_line(unreadable))

    assert problem in render(line(unreadable), colours=False)
    assert (told["problem"], told["payload"]) == (problem, None)
    assert block(unreadable)


def test_json_line_holds_the_message() -> None:
    """A JSON line has topic, robot, type, time in UTC and the payload as it was."""
    told = json.loads(json_line(arrival()))

    assert told == {
        "topic": "uagv/v2/KUKA/KR_1/state",
        "robot": "KUKA/KR_1",
        "type": "state",
        "received": "2026-11-23T12:00:00.123Z",
        "retained": False,
        "payload": STATE,
    }


def test_json_line_stays_json_with_a_number_beyond_floats() -> None:
    """1e999 becomes a problem rather than Infinity, which other programs cannot read."""
    told = json.loads(json_line(arrival(payload=b'{"a":1e999}')), parse_constant=pytest.fail)

    assert told["problem"] == "number out of range"


@pytest.mark.parametrize("text", ["\x1b[31m", "a\rb\nc", "\u202eabc", "\x9b31m", "\u2028", "\ud800"])
def test_control_characters_become_escapes(text: str) -> None:
    """Escape sequences, line ends and text direction marks reach the terminal as harmless text."""
    hostile: dict[str, Any] = {
        "orderId": text,
        "errors": [{"errorType": text, "errorLevel": text}],
        "operatingMode": text,
    }

    assert shown(f"uagv/v2/{text}/1/state", **hostile).isprintable()
    assert all(row.isprintable() for row in block(arrival(**hostile)))
    assert safe_text(text).isascii()


def test_colours_only_where_asked_for() -> None:
    """Colours are ANSI codes around parts; without them the same words remain."""
    parts = line(arrival())

    assert "\x1b[33mWARNING obstacle\x1b[0m" in render(parts, colours=True)
    assert "\x1b" not in render(parts, colours=False)


# Drawn from a list, because deep strategies take a second, and a field of a wrong type is what matters.
_ODD: list[Any] = [
    None,
    True,
    -1,
    1e300,
    10**30,
    "",
    "\x1b[2J\n",
    [],
    [None],
    [[]],
    {},
    {"x": "1", "y": [], "theta": {}},
]
_ODD += [[{"errorType": odd, "errorLevel": odd, "actionStatus": odd, "actionType": odd}] for odd in _ODD]
_FIELDS = [
    *STATE,
    "connectionState",
    "version",
    "typeSpecification",
    "nodes",
    "actions",
    "instantActionStates",
    "loads",
]
_MESSAGES = st.dictionaries(st.sampled_from(_FIELDS), st.sampled_from(_ODD))


@given(kind=st.sampled_from(["state", "connection", "factsheet", "order", "instantActions", "x"]), message=_MESSAGES)
def test_any_fields_can_be_shown(kind: str, message: dict[str, Any]) -> None:
    """Fields of any type, in any kind of message, give a line, a block and JSON."""
    odd = arrival(f"uagv/v2/a/b/{kind}", json.dumps(message).encode())

    assert render(line(odd), colours=False).isprintable()
    assert all(row.isprintable() for row in block(odd))
    assert json.loads(json_line(odd))["type"] == kind


@given(topic=st.text(), payload=st.binary(max_size=40))
def test_any_bytes_can_be_shown(topic: str, payload: bytes) -> None:
    """Any topic and any bytes give a printable line, a printable block and ASCII JSON."""
    odd = arrival(topic, payload)

    assert render(line(odd), colours=False).isprintable()
    assert all(row.isprintable() for row in block(odd))
    assert json_line(odd).isascii()
