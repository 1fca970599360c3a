"""One view of a robot: the same for every version, null for what the robot does not say."""

import copy
from typing import Any

import pytest

from tests.unit.robot_view_documents import (
    MEANING,
    TRAJECTORY,
    TRAJECTORY_READ,
    VERSIONS,
    factsheet,
    live,
    order,
    state,
    view_of,
    view_of_readings,
)
from vda5050.robot_view import Reading


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_gives_the_same_view(version: str) -> None:
    """A robot in the middle of an order looks the same, whichever version it speaks."""
    view = view_of(order=order(version), state=state(version))

    assert {key: view[key] for key in MEANING} == MEANING
    assert (view["version"], view["version_source"]) == (version, "payload")


@pytest.mark.parametrize("name", ["agvPosition", "mobileRobotPosition"])
def test_visualization_of_every_version(name: str) -> None:
    """Where the robot is can be said by the visualization alone."""
    seen = {name: {"x": 1.0, "y": 2.0, "theta": 0.5, "mapId": "hall"}, "velocity": {"vx": 1.5}}
    view = view_of(visualization=seen)

    assert [view["position"][key] for key in ("x", "y", "theta", "map_id")] == [1.0, 2.0, 0.5, "hall"]
    assert view["velocity"]["vx"] == 1.5


@pytest.mark.parametrize("version", VERSIONS)
def test_the_battery_of_every_version(version: str) -> None:
    """The battery's members have one name each; the current is 3.0's."""
    view = view_of(state=state(version))

    assert view["battery"] == {
        "charge": 78.5,
        "is_charging": False,
        "voltage": 48.1,
        "current": 3.5 if version == "3.0.0" else None,
        "health": 99,
        "range": 12000,
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_actions_of_every_version(version: str) -> None:
    """Actions have one vocabulary and say what asked for them, in one list or in three."""
    actions = view_of(state=state(version))["actions"]

    assert actions[:2] == [
        {
            "action_id": "a1",
            "action_type": "pick",
            "status": "WAITING",
            "result": "not yet",
            "description": "take it",
            "kind": "order",
        },
        {
            "action_id": "a2",
            "action_type": "stateRequest",
            "status": "FINISHED",
            "result": None,
            "description": None,
            "kind": "instant",
        },
    ]
    assert [(action["kind"], action["status"]) for action in actions[2:]] == (
        [("zone", "RETRIABLE")] if version == "3.0.0" else []
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_errors_of_every_version(version: str) -> None:
    """Errors have one scale of severity; hints are there since 2.1."""
    view = view_of(state=state(version))

    assert view["errors"] == [
        {
            "type": "blocked",
            "level": "FATAL",
            "description": "the way is blocked",
            "hint": "clear it" if version >= "2.1.0" else None,
            "references": [{"key": "nodeId", "value": "n2"}],
        }
    ]


@pytest.mark.parametrize("version", ["2.1.0", "3.0.0"])
def test_maps_since_2_1(version: str) -> None:
    """A map has one set of names."""
    view = view_of(state=state(version))

    assert view["maps"] == [{"map_id": "hall", "map_version": "4", "status": "ENABLED", "description": "ground floor"}]


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0", "3.0.0"])
def test_factsheet_of_every_version(version: str) -> None:
    """Type and size read the same; the kinematic has 3.0's words."""
    view = view_of(factsheet=factsheet(version))

    assert view["factsheet"] == {
        "series": "KMP",
        "description": "a tug",
        "kinematic": "DIFFERENTIAL",
        "robot_class": "TUGGER",
        "max_load_mass": 500.0,
        "localization_types": ["NATURAL"],
        "navigation_types": ["PHYSICAL_LINE_GUIDED"],
    }
    corners = [{"x": 1.0, "y": 0.5}, {"x": -1.0, "y": 0.5}, {"x": -1.0, "y": -0.5}]
    assert view["dimensions"] == {
        "length": 2.0,
        "width": 1.0,
        "height": 1.5,
        "max_speed": 2.0,
        "envelopes": [{"envelope_id": "bare", "vertices": corners}],
    }


def test_a_robot_that_says_nothing_is_null() -> None:
    """Without a message, only what the gateway knows is there."""
    view = view_of_readings({}, major_version=None)

    assert {key for key, value in view.items() if value is not None} == {
        "manufacturer",
        "serial_number",
        "last_seen",
        "is_stale",
    }


def test_an_empty_list_is_not_null() -> None:
    """A robot that says it has no errors differs from one that says nothing of errors."""
    view = view_of(state={"errors": [], "loads": None})

    assert view["errors"] == []
    assert view["loads"] is None
    assert view["information"] is None


@pytest.mark.parametrize("version", VERSIONS)
def test_nulls_are_absent(version: str) -> None:
    """Explicit nulls, at every place of a message, change nothing."""

    def with_nulls(value: Any) -> Any:
        if isinstance(value, dict):
            return (
                {"vendor": None}
                | {name: with_nulls(member) for name, member in value.items()}
                | {
                    name: None
                    for name in ("agvPosition", "powerSupply", "x", "errorHint", "loads", "reach", "zoneSetId")
                    if name not in value
                }
            )
        return [with_nulls(item) for item in value] if isinstance(value, list) else value

    assert view_of(state=with_nulls(state(version))) == view_of(state=state(version))


def test_the_messages_stay_as_they_are() -> None:
    """Neither building a view nor changing it changes a message."""
    messages = {"order": order("2.1.0"), "state": state("2.1.0"), "factsheet": factsheet("2.1.0")}
    before = copy.deepcopy(messages)
    view = view_of(**messages)
    view["order"]["nodes"][0]["actions"].clear()
    view["order"]["edges"][0]["trajectory"]["knot_vector"].clear()

    assert messages == before


@pytest.mark.parametrize(
    ("state_at", "is_state_retained", "seen_at", "is_seen_retained", "expected_x"),
    [
        (1.0, False, 2.0, False, 9.0),
        (2.0, False, 1.0, False, 2.5),
        (1.0, False, 2.0, True, 2.5),
        (2.0, True, 1.0, False, 9.0),
    ],
)
def test_the_newer_position_counts(
    *, state_at: float, is_state_retained: bool, seen_at: float, is_seen_retained: bool, expected_x: float
) -> None:
    """Position comes whole from the newer of state and visualization; a retained one is older than any live one."""
    seen = {"agvPosition": {"x": 9.0, "y": 9.0}}
    view = view_of_readings(
        {
            "state": Reading(state("2.1.0"), state_at, is_state_retained),
            "visualization": Reading(seen, seen_at, is_seen_retained),
        }
    )

    assert view["position"]["x"] == expected_x
    assert (view["position"]["map_id"] is None) == (expected_x == 9.0)
    assert view["velocity"]["vx"] == 1.0  # which only the state says


@pytest.mark.parametrize(("age", "is_shown"), [(5.0, True), (5.1, False), (-60.0, True)])
def test_how_a_robot_moved_long_ago_is_not_how_it_moves(*, age: float, is_shown: bool) -> None:
    """Velocity and paths of a visualization from well before the state are not shown; the position still is."""
    said = {
        "agvPosition": {"x": 9.0},
        "velocity": {"vx": 1.5},
        "plannedPath": {"trajectory": TRAJECTORY},
        "intermediatePath": {"polyline": []},
    }
    view = view_of_readings(
        {
            "visualization": Reading(said, 1_000.0, is_retained=False),
            "state": Reading({"driving": False}, 1_000.0 + age, is_retained=False),
        }
    )

    assert view["position"]["x"] == 9.0
    assert {view[name] is not None for name in ("velocity", "planned_path", "intermediate_path")} == {is_shown}


def test_an_older_visualization_fills_what_the_state_lacks() -> None:
    """A robot that sends its position in visualization only has one, however old."""
    view = view_of(visualization={"agvPosition": {"x": 9.0}}, state={"driving": True})

    assert view["position"]["x"] == 9.0
    assert view["driving"] is True


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ONLINE", "ONLINE"),
        ("CONNECTIONBROKEN", "CONNECTION_BROKEN"),
        ("connection_broken", "CONNECTION_BROKEN"),
        ("HIBERNATING", "HIBERNATING"),
        ("Offline", "OFFLINE"),
        ("ASLEEP", None),
        (2, None),
    ],
)
def test_connection_state_has_one_vocabulary(word: object, expected: str | None) -> None:
    """The connection state is one of four words or null, from the message or from what the gateway kept of it."""
    assert view_of(connection={"connectionState": word})["connection_state"] == expected
    assert view_of_readings({}, connection_state=str(word))["connection_state"] == expected


def test_a_retained_connection_says_so() -> None:
    """A connection message that the broker kept is marked, and an unknown word is kept to be seen."""
    message = {"connectionState": "asleep", "timestamp": "2020-01-01T00:00:00Z"}
    view = view_of_readings({"connection": Reading(message, 1.0, is_retained=True)})

    assert view["connection"] == {"state": "ASLEEP", "is_retained": True, "timestamp": "2020-01-01T00:00:00Z"}
    assert view["connection_state"] is None


def test_zones_of_the_zone_set_topic_join_the_set() -> None:
    """The areas of a 3.0 zoneSet message are shown on the set that the robot names."""
    corners = [{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 0.0}, {"x": 1.0, "y": 1.0}]
    zone = {"zoneId": "a", "zoneType": "BLOCKED", "zoneDescriptor": "pit", "vertices": corners}
    message = {"zoneSet": {"mapId": "hall", "zoneSetId": "z1", "zoneSetDescriptor": "night", "zones": [zone]}}
    expected = {
        "zone_set_id": "z1",
        "map_id": "hall",
        "description": "night",
        "zones": [{"zone_id": "a", "type": "BLOCKED", "description": "pit", "vertices": corners}],
    }

    assert view_of(zoneSet=message, state=state("3.0.0"))["zones"] == [expected | {"status": "ENABLED"}]
    assert view_of(zoneSet=message)["zones"] == [expected | {"status": None}]
    assert view_of(zoneSet=message, state={"zoneSets": []})["zones"] == []


def test_one_zone_set_up_to_2_1() -> None:
    """A zoneSetId is a list of one set; empty text says that there is none."""
    zones = view_of(state=state("2.1.0"))["zones"]

    assert [(zone["zone_set_id"], zone["map_id"], zone["zones"]) for zone in zones] == [("z1", None, None)]
    assert view_of(state={"zoneSetId": ""})["zones"] == []


def test_requests_of_3_0() -> None:
    """Requests about zones and edges are one list."""
    zone = {"requestId": "r1", "requestType": "REPLANNING", "zoneId": "a", "zoneSetId": "z1", "requestStatus": "QUEUED"}
    edge = {"requestId": "r2", "requestType": "CORRIDOR", "edgeId": "e1", "sequenceId": 1, "requestStatus": "granted"}
    view = view_of(state={"zoneRequests": [zone | {"trajectory": TRAJECTORY}], "edgeRequests": [edge]})

    assert view["requests"] == [
        {
            "request_id": "r1",
            "type": "REPLANNING",
            "status": "QUEUED",
            "zone_id": "a",
            "zone_set_id": "z1",
            "edge_id": None,
            "sequence_id": None,
            "trajectory": TRAJECTORY_READ,
        },
        {
            "request_id": "r2",
            "type": "CORRIDOR",
            "status": "GRANTED",
            "zone_id": None,
            "zone_set_id": None,
            "edge_id": "e1",
            "sequence_id": 1,
            "trajectory": None,
        },
    ]


@pytest.mark.parametrize("topic", ["state", "visualization"])
def test_paths_of_3_0(topic: str) -> None:
    """Planned and intermediate path come from state or visualization."""
    point = {"x": 1.0, "y": 2.0, "theta": 0.5, "eta": "2026-01-01T00:00:05Z"}
    said = {
        "plannedPath": {"trajectory": TRAJECTORY, "traversedNodes": ["n1", "n2"]},
        "intermediatePath": {"polyline": [point]},
    }
    view = view_of(**{topic: said})

    assert view["planned_path"] == {"trajectory": TRAJECTORY_READ, "traversed_nodes": ["n1", "n2"]}
    assert view["intermediate_path"] == {"polyline": [point]}


@pytest.mark.parametrize(
    ("says", "topic_level", "expected"),
    [
        ("2.1.0", "v2", ("2.1.0", "payload")),
        ("v2.0.0", "v1", ("2.0.0", "payload")),
        ("V2.1.0", None, ("2.1.0", "payload")),
        ("2.1", None, ("2.1.0", "payload")),
        ("3.0.1", None, ("3.0.1", "payload")),
        ("1.3.2", "v2", ("2.1.0", "topic")),
        ("0.8.4", "v1", ("1.1.0", "topic")),
        ("version", "v2.0.0", ("2.0.0", "topic")),
        (None, "v3", ("3.0.0", "topic")),
        (2.1, None, (None, None)),
        ("4.0.0", "v9", (None, None)),
        ("2.1.0\n; rm", None, (None, None)),
    ],
)
def test_version_by_payload_then_topic(says: object, topic_level: str | None, expected: tuple[str | None, str]) -> None:
    """The version is what the message says if that exists, else what the topic says."""
    view = view_of_readings(live(state={"version": says}), major_version=topic_level)

    assert (view["version"], view["version_source"]) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"powerSupply": {}}, "3.0.0"),
        ({"mobileRobotPosition": {}}, "3.0.0"),
        ({"informations": []}, "1.1.0"),
        ({"informations": None}, None),
        ({"actionStates": ["odd", {"actionStatus": "waiting"}]}, "1.1.0"),
        ({"actionStates": [{"actionStatus": "WAITING"}]}, None),
    ],
)
def test_version_by_shape(said: dict[str, Any], expected: str | None) -> None:
    """Without a word about the version, names tell it that only one version uses."""
    view = view_of_readings(live(state=said), major_version=None)

    assert view["version"] == expected
    assert view["version_source"] == ("shape" if expected else None)
