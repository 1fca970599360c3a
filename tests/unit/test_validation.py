"""Verdicts: silent on valid messages, exact about the others, lenient where robots are known to be."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.schemas import SCHEMAS
from vda5050.validation import Problem, Version, json_schema, validate
from vda5050.validation.excerpt import MAX_ELEMENTS
from vda5050.validation.problems import MAX_ERRORS

V1_1, V2_0, V2_1, V3_0 = Version


def state(**members: Any) -> dict[str, Any]:
    """Build a state of 2.1; a member given as `...` is left out."""
    whole = {
        "headerId": 1,
        "timestamp": "2026-11-23T15:29:11.12Z",
        "version": "2.1.0",
        "manufacturer": "KUKA",
        "serialNumber": "KR_1001",
        "orderId": "order-1",
        "orderUpdateId": 0,
        "lastNodeId": "n1",
        "lastNodeSequenceId": 0,
        "nodeStates": [{"nodeId": "n2", "sequenceId": 2, "released": True}],
        "edgeStates": [{"edgeId": "e1", "sequenceId": 1, "released": True}],
        "driving": True,
        "actionStates": [{"actionId": "a1", "actionStatus": "RUNNING"}],
        "batteryState": {"batteryCharge": 80.5, "charging": False},
        "operatingMode": "AUTOMATIC",
        "errors": [],
        "safetyState": {"eStop": "NONE", "fieldViolation": False},
        "agvPosition": {"x": 1.5, "y": -2, "theta": 0.5, "mapId": "hall", "positionInitialized": True},
    } | members
    return {name: value for name, value in whole.items() if value is not ...}


def only(problems: list[Problem]) -> tuple[str, str, str, str]:
    """Give path, code, contradiction and severity of the one problem there is."""
    assert len(problems) == 1, problems
    problem = problems[0]
    return problem.path, problem.code, problem.contradicts, problem.severity


def test_a_valid_state_has_no_problems() -> None:
    """Nothing is said about a message that is fine, a manufacturer's own members included."""
    assert validate(state(liftState={"height": None}), V2_1, "state") == []


@pytest.mark.parametrize(
    ("members", "path", "code"),
    [
        ({"driving": ...}, "/driving", "required"),
        ({"driving": "yes"}, "/driving", "type"),
        ({"driving": None}, "/driving", "type"),
        ({"operatingMode": "FLYING"}, "/operatingMode", "enum"),
        ({"batteryState": {"charging": True}}, "/batteryState/batteryCharge", "required"),
        ({"nodeStates": [{"nodeId": 5, "sequenceId": 2, "released": True}]}, "/nodeStates/0/nodeId", "type"),
        ({"errors": [{"errorType": "e", "errorLevel": None}]}, "/errors/0/errorLevel", "type"),
        ({"errors": {}}, "/errors", "type"),
    ],
)
def test_an_error_says_where_and_what(members: dict[str, Any], path: str, code: str) -> None:
    """The path leads to the member at fault, missing or not, and text and schema agree about it."""
    assert only(validate(state(**members), V2_1, "state")) == (path, code, "both", "error")


@pytest.mark.parametrize(
    ("members", "path", "code"),
    [
        ({"headerId": -1}, "/headerId", "range"),
        ({"headerId": 2**32}, "/headerId", "range"),
        ({"timestamp": "today"}, "/timestamp", "timestamp"),
        (
            {"agvPosition": {"x": 0, "y": 0, "theta": 7, "mapId": "m", "positionInitialized": True}},
            "/agvPosition/theta",
            "range",
        ),
        ({"batteryState": {"batteryCharge": 1, "charging": False, "reach": 0.5}}, "/batteryState/reach", "type"),
    ],
)
def test_what_only_the_text_forbids_is_an_error(members: dict[str, Any], path: str, code: str) -> None:
    """The official schema of 2.1 lets these pass; the text decides."""
    assert only(validate(state(**members), V2_1, "state")) == (path, code, "text", "error")


def test_what_only_the_schema_forbids_is_a_warning() -> None:
    """PAUSED is missing in the official schema of 2.1: right by the text, yet a peer may refuse it."""
    paused = [{"actionId": "a1", "actionStatus": "PAUSED"}]

    assert only(validate(state(actionStates=paused), V2_1, "state")) == (
        "/actionStates/0/actionStatus",
        "enum",
        "schema",
        "warning",
    )


@pytest.mark.parametrize(
    ("members", "path", "code", "contradicts"),
    [
        ({"operatingMode": "automatic"}, "/operatingMode", "enum_case", "both"),
        ({"paused": None}, "/paused", "null_member", "both"),
        ({"agvPosition": None}, "/agvPosition", "null_member", "both"),
        ({"maps": None}, "/maps", "null_member", "both"),
        ({"timestamp": "2026-11-23T15:29:11"}, "/timestamp", "timestamp_format", "text"),
        ({"timestamp": "2026-11-23 15:29:11+01:00"}, "/timestamp", "timestamp_format", "text"),
    ],
)
def test_leniency_is_told_as_information(members: dict[str, Any], path: str, code: str, contradicts: str) -> None:
    """A word in the wrong case, null for what may be absent, a readable time: read, and said so."""
    assert only(validate(state(**members), V2_1, "state")) == (path, code, contradicts, "info")


@pytest.mark.parametrize("theta", [3.142, 3.1416, 3.14159274101257, -3.1416])
def test_pi_may_be_rounded(theta: float) -> None:
    """Pi with three or four decimals and that of a float32 lie beyond pi, and mean it."""
    position = {"x": 0, "y": 0, "theta": theta, "mapId": "m", "positionInitialized": True}

    assert only(validate(state(agvPosition=position), V2_1, "state")) == (
        "/agvPosition/theta",
        "rounding",
        "text",
        "info",
    )


@pytest.mark.parametrize("theta", [3.14159265359, 3.05, -3.14159265359, 0])
def test_angles_up_to_pi_are_fine(theta: float) -> None:
    """The whole range is valid, also between 3 and pi, where limits are compared in another way."""
    position = {"x": 0, "y": 0, "theta": theta, "mapId": "m", "positionInitialized": True}

    assert validate(state(agvPosition=position), V2_1, "state") == []


@pytest.mark.parametrize("decimals", ["", ".1", ".12", ".123", ".123456", ".123456789"])
def test_times_have_any_number_of_decimals(decimals: str) -> None:
    """The versions ask for two or three; robots send none to nine."""
    assert validate(state(timestamp=f"2026-11-23T15:29:11{decimals}Z"), V2_1, "state") == []


def test_a_wrong_case_of_a_word_that_the_schema_lacks_is_both() -> None:
    """What is read as PAUSED is a word that the official schema does not have either."""
    problems = validate(state(actionStates=[{"actionId": "a", "actionStatus": "paused"}]), V2_1, "state")

    assert {(problem.code, problem.severity, problem.contradicts) for problem in problems} == {
        ("enum_case", "info", "text"),
        ("enum", "warning", "schema"),
    }


@pytest.mark.parametrize("word", ["FAILED", "failed", "PAUSED", "paused"])
def test_1_1_writes_its_words_in_both_cases(word: str) -> None:
    """The text of 1.1 prints FAILED and failed: neither is an error."""
    message = state(version="1.1.0", actionStates=[{"actionId": "a", "actionStatus": word}])
    message["safetyState"]["eStop"] = "AUTOACK"

    assert {problem.severity for problem in validate(message, V1_1, "state")} <= {"info", "warning"}


def test_a_topic_that_a_version_does_not_have_has_no_rules() -> None:
    """1.1 knows no factsheet, so that nothing can be wrong with one."""
    assert validate({"anything": 1}, V1_1, "factsheet") == []


@pytest.mark.parametrize("mode", ["STARTUP", "startup"])
def test_while_a_robot_starts_up_its_header_is_judged(mode: str) -> None:
    """3.0's states may be incomplete or invalid until startup is finished (6.6.6), whatever their length."""
    message: dict[str, Any] = {"headerId": "1", "operatingMode": mode, "nodeStates": [{}] * 300, "errors": None}

    problems = validate(message, V3_0, "state")

    told = {(problem.path, problem.code) for problem in problems if problem.severity != "info"}
    required = {(f"/{name}", "required") for name in ("timestamp", "version", "manufacturer", "serialNumber")}
    assert told == {*required, ("/headerId", "type")}
    assert ("/powerSupply", "info") in {(problem.path, problem.severity) for problem in problems}
    assert "/powerSupply" in {
        problem.path
        for problem in validate(message | {"operatingMode": "MANUAL"}, V3_0, "state")
        if problem.severity == "error"
    }


def test_errors_come_first() -> None:
    """Problems are sorted by severity."""
    message = state(
        paused=None, driving=..., actionStates=[{"actionId": "a", "actionStatus": "PAUSED"}], operatingMode="manual"
    )

    severities = [problem.severity for problem in validate(message, V2_1, "state")]

    assert severities == ["error", "warning", "info", "info"]


def test_a_message_is_not_changed() -> None:
    """Leniency reads a message differently; it does not write."""
    message = state(paused=None, operatingMode="automatic", nodeStates=[{}] * 300)
    before = copy.deepcopy(message)

    validate(message, V2_1, "state")

    assert message == before


def test_a_long_message_is_judged_by_its_beginning() -> None:
    """Of thousands of broken elements a bounded number is looked at."""
    problems = validate(state(nodeStates=[{}] * 20_000), V2_1, "state")

    assert 0 < len(problems) <= MAX_ERRORS


def test_a_fault_at_the_end_of_a_long_message_is_found() -> None:
    """What the beginning does not show is told all the same."""
    nodes = [{"nodeId": "n", "sequenceId": 2, "released": True}] * (3 * MAX_ELEMENTS)

    problems = validate(state(nodeStates=[*nodes, {"nodeId": "n", "sequenceId": 2}]), V2_1, "state")

    assert only(problems) == (f"/nodeStates/{3 * MAX_ELEMENTS}/released", "required", "both", "error")


_HALL = {"x": 1, "y": 1, "mapId": "hall"}
_NOWHERE = {"x": 1, "mapId": "hall"}


@pytest.mark.parametrize(
    ("head", "tail", "found"),
    [
        ({"nodeDescription": None}, {"released": 5}, ("/released", "type", "both", "error")),
        (
            {"nodeDescription": None},
            {"nodePosition": {"x": 1, "mapId": "hall"}},
            ("/nodePosition/y", "required", "both", "error"),
        ),
        ({"nodePosition": _HALL | {"theta": 3.142}}, {"nodeId": 5}, ("/nodeId", "type", "both", "error")),
        ({"nodeId": 5}, {}, None),
        ({}, {"nodeDescription": None}, ("/nodeDescription", "null_member", "both", "info")),
        ({}, {"nodePosition": _HALL | {"theta": 4}}, ("/nodePosition/theta", "range", "text", "error")),
    ],
)
def test_what_is_read_leniently_hides_no_error(
    head: dict[str, Any], tail: dict[str, Any], found: tuple[str, str, str, str] | None
) -> None:
    """Of a long message an error at its end is told, whatever was read leniently before it; one error is enough."""
    node = {"nodeId": "n", "sequenceId": 2, "released": True}
    nodes = [node | head, *[node] * (2 * MAX_ELEMENTS), node | tail, node]

    problems = validate(state(nodeStates=nodes), V2_1, "state")

    last = f"/nodeStates/{2 * MAX_ELEMENTS + 1}"
    told = [problem for problem in problems if problem.path.startswith(last)]
    assert len(problems) == bool(head) + bool(tail)
    assert [(p.path, p.code, p.contradicts, p.severity) for p in told] == (
        [] if found is None else [(last + found[0], *found[1:])]
    )


def test_an_error_deep_in_a_long_message_is_found_in_its_place() -> None:
    """Arrays within arrays: the path is that of the whole message."""
    action = {"actionId": "a", "actionType": "t", "blockingType": "NONE"}
    node = {"nodeId": "n", "sequenceId": 0, "released": True, "actions": [action] * 3}
    broken = node | {
        "actions": [action, *[action | {"actionDescription": None}] * 120, action | {"blockingType": "ALL"}]
    }
    header = {name: value for name, value in state().items() if name in ("headerId", "timestamp", "version")}
    order = header | {"manufacturer": "K", "serialNumber": "1", "orderId": "o", "orderUpdateId": 0, "edges": []}

    problems = validate(order | {"nodes": [node | {"nodeDescription": None}, *[node] * 50, broken]}, V2_1, "order")

    assert ("/nodes/51/actions/121/blockingType", "enum") in {(problem.path, problem.code) for problem in problems}
    assert [problem.path for problem in problems if problem.severity == "error"] == [
        "/nodes/51/actions/121/blockingType"
    ]


def test_a_path_is_a_json_pointer() -> None:
    """A slash in a name is written as ~1, so that the pointer leads to the member."""
    limits = {"maxStringLens": {}, "maxArrayLens": {"order.nodes": "many"}, "timing": {}}

    paths = [problem.path for problem in validate({"protocolLimits": limits}, V2_1, "factsheet")]

    assert "/protocolLimits/maxArrayLens/order.nodes" in paths


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abxy", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(state())), _json, max_size=4), st.sampled_from(list(Version)))
def test_any_json_gets_a_verdict(members: dict[str, Any], version: Version) -> None:
    """No value of a member makes the examination fail, and a marshmallow schema that refuses is always explained."""
    message = state(**members)

    problems = validate(message, version, "state")

    if SCHEMAS[version]["state"]().validate(message):
        assert any(problem.contradicts != "schema" for problem in problems)


@pytest.mark.parametrize(("version", "topic"), [(version, topic) for version in SCHEMAS for topic in SCHEMAS[version]])
def test_a_published_schema_says_what_it_is(version: Version, topic: str) -> None:
    """It has an id of its own, a title, a dialect, and describes every member."""
    published = json_schema(version, topic)

    assert published["$id"] == f"/schemas/{version.text}/{topic}"
    assert published["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert published["title"] == f"VDA 5050 {version.text} {topic}"
    assert all(member["description"] and member["$comment"] for member in published["properties"].values())


def test_a_published_schema_belongs_to_the_caller() -> None:
    """Changing one changes no other."""
    json_schema(V2_1, "state")["properties"].clear()

    assert json_schema(V2_1, "state")["properties"]


def test_units_and_limits_are_published() -> None:
    """A member's unit and limits stand beside its type."""
    score = json_schema(V3_0, "visualization")["properties"]["mobileRobotPosition"]["properties"]["localizationScore"]
    speed = json_schema(V3_0, "visualization")["properties"]["velocity"]["properties"]["vx"]

    assert (score["minimum"], score["maximum"]) == (0, 1)
    assert (speed["type"], speed["unit"]) == ("number", "m/s")


def test_a_topic_that_does_not_exist_has_no_schema() -> None:
    """Asking for 1.1's factsheet is a KeyError, which the API turns into a 404."""
    with pytest.raises(KeyError):
        json_schema(V1_1, "factsheet")
