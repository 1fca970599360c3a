"""Dialects seen in the field, and what the view makes of values of the wrong kind."""

from typing import Any

import pytest

from tests.unit.robot_view_documents import factsheet, view_of


def test_fischertechnik() -> None:
    """`load`, actions with id, state and command, a battery in percentage."""
    view = view_of(
        state={
            "orderId": "o1",
            "lastNodeId": "2",
            "load": [{"loadId": "L1", "loadType": "WHITE", "loadPosition": "1"}],
            "actionStates": [{"id": "a1", "state": "RUNNING", "command": "DOCK"}],
            "batteryState": {"percentage": 219, "charging": False},
        },
    )

    assert view["loads"][0]["load_type"] == "WHITE"
    assert [(action["action_id"], action["status"], action["action_type"]) for action in view["actions"]] == [
        ("a1", "RUNNING", "DOCK")
    ]
    assert view["battery"]["charge"] == 219


def test_inatech() -> None:
    """A factsheet under its own name, and other names in safetyState."""
    view = view_of(
        state={"safetyState": {"emergencyStopType": "autoAck", "protectiveFieldViolated": True}},
        factsheet={"factsheet": factsheet("2.1.0")},
    )

    assert view["safety"] == {"emergency_stop": "AUTOACK", "field_violation": True}
    assert view["dimensions"]["length"] == 2.0
    assert view["factsheet"]["series"] == "KMP"


def test_the_factsheet_of_the_3_0_schema() -> None:
    """The schema of 3.0.0 requires a name that it does not define."""
    assert view_of(factsheet={"typeSpecification": {"mobileRobotKinematic": "omni"}})["factsheet"]["kinematic"] == (
        "OMNIDIRECTIONAL"
    )


def test_control_points_as_arrays() -> None:
    """A point may be an array, with or without its weight."""
    trajectory = {"controlPoints": [[1, 2], [3, 4, 0.5], 7], "knotVector": ["0", 1]}
    view = view_of(state={"edgeStates": [{"edgeId": "e1", "trajectory": trajectory}], "orderId": "o1"})

    assert view["order"]["edges"][0]["trajectory"] == {
        "degree": None,
        "knot_vector": [0.0, 1],
        "control_points": [{"x": 1, "y": 2, "weight": None}, {"x": 3, "y": 4, "weight": 0.5}],
    }


def test_a_pascal_case_factsheet() -> None:
    """Names may begin with a capital letter, at every level."""

    def capitalised(value: Any) -> Any:
        if isinstance(value, dict):
            return {name[0].upper() + name[1:]: capitalised(member) for name, member in value.items()}
        return [capitalised(item) for item in value] if isinstance(value, list) else value

    expected = view_of(factsheet=factsheet("2.1.0"))
    view = view_of(factsheet=capitalised({"factsheet": factsheet("2.1.0")}))

    assert view["factsheet"] == expected["factsheet"]
    assert view["dimensions"] == expected["dimensions"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (3, 3),
        (3.2, 3.2),
        ("3.2", 3.2),
        (" -1e3 ", -1000.0),
        ("NaN", None),
        ("1e999", None),
        ("-Infinity", None),
        ("3,2", None),
        ("", None),
        (True, None),
        ([3.2], None),
        ({}, None),
    ],
)
def test_numbers(sent: object, expected: float | None) -> None:
    """A number may be spelled as text; what is no finite number is null."""
    assert view_of(state={"velocity": {"vx": sent}})["velocity"]["vx"] == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(4, 4), (4.0, 4), ("4", 4), (4.5, None), ("four", None), (1e300, None), (False, None), ([], None)],
)
def test_whole_numbers(sent: object, expected: int | None) -> None:
    """A count may be spelled as text or with a point."""
    assert view_of(state={"orderId": "o", "orderUpdateId": sent})["order"]["order_update_id"] == expected


@pytest.mark.parametrize(("sent", "expected"), [("17", "17"), (17, "17"), ("", ""), (True, None), ([], None)])
def test_ids(sent: object, expected: str | None) -> None:
    """An id may be a number; empty text stays, for it says "none"."""
    view = view_of(state={"lastNodeId": "n", "orderId": sent})

    assert view["order"]["order_id"] == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("TEACHIN", "TEACH_IN"),
        ("TeachIn", "TEACH_IN"),
        ("teach_in", "TEACH_IN"),
        (" automatic ", "AUTOMATIC"),
        ("remoteControl", "REMOTECONTROL"),
        ("", None),
        (1, None),
        ({}, None),
    ],
)
def test_words(sent: object, expected: str | None) -> None:
    """Words are read in any case; one that the standard does not know stays, in upper case."""
    assert view_of(state={"operatingMode": sent})["operating_mode"] == expected


@pytest.mark.parametrize("sent", ["yes", 1, "true", [], {}])
def test_what_is_no_boolean_is_null(sent: object) -> None:
    """Nothing but true and false is a boolean."""
    assert view_of(state={"driving": sent})["driving"] is None


def test_lists_keep_what_can_be_read() -> None:
    """What is no object is left out of a list of objects; an object alone is a list of one."""
    view = view_of(state={"errors": [None, "broken", {"errorType": "E"}, []], "loads": {"loadId": "L"}, "maps": "hall"})

    assert [error["type"] for error in view["errors"]] == ["E"]
    assert [load["load_id"] for load in view["loads"]] == ["L"]
    assert view["maps"] is None


def test_the_last_readable_name_counts() -> None:
    """A robot between two versions sends both names; one that cannot be read does not hide the other."""
    view = view_of(state={"powerSupply": {"stateOfCharge": 50.0, "batteryCharge": "full"}, "batteryState": None})

    assert view["battery"]["charge"] == 50.0
