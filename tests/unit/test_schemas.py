"""The marshmallow schemas: complete, strict about values, open to what they do not know."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields

from vda5050.schemas import SCHEMAS, Vda5050Schema, Version
from vda5050.schemas.members import number, text
from vda5050.schemas.shapes import Shape

V1_1, V2_0, V2_1, V3_0 = Version
EVERY_SCHEMA = [schema for topics in SCHEMAS.values() for schema in topics.values()]
HEADER = {
    "headerId": 1,
    "timestamp": "2026-11-23T15:29:11.123Z",
    "version": "2.1.0",
    "manufacturer": "KUKA",
    "serialNumber": "KR_1001",
}


def connection(**members: Any) -> dict[str, Any]:
    """Build a connection message of 2.1."""
    return HEADER | {"connectionState": "ONLINE"} | members


def test_each_version_has_its_topics() -> None:
    """The factsheet came with 2.0, zone sets and responses with 3.0."""
    common = {"order", "instantActions", "state", "visualization", "connection"}

    assert set(SCHEMAS[V1_1]) == common
    assert set(SCHEMAS[V2_0]) == set(SCHEMAS[V2_1]) == common | {"factsheet"}
    assert set(SCHEMAS[V3_0]) == common | {"factsheet", "zoneSet", "responses"}


@pytest.mark.parametrize("schema", EVERY_SCHEMA, ids=lambda schema: schema.__name__)
def test_each_field_says_what_it_is_and_where_it_is_defined(schema: type[Vda5050Schema]) -> None:
    """Every field, at every depth, carries a description and a section of the specification."""
    missing = [path for path, field in _fields(schema, "") if not {"description", "section"} <= set(field.metadata)]

    assert missing == []


def test_the_section_is_that_of_the_version() -> None:
    """A field that moved in the document says where it is in its own version."""
    sections = [SCHEMAS[version]["order"]().fields["nodes"].metadata["section"] for version in Version]

    assert sections == ["6.7", "6.7", "6.6.6", "7.3"]


def test_what_is_measured_has_a_unit() -> None:
    """Speeds, lengths and charges carry their unit."""
    units = {path: field.metadata.get("unit") for path, field in _fields(SCHEMAS[V3_0]["state"], "")}

    assert units["/velocity/vx"] == "m/s"
    assert units["/powerSupply/stateOfCharge"] == "%"
    assert units["/mobileRobotPosition/theta"] == "rad"
    assert units["/orderId"] is None


def test_unknown_members_survive() -> None:
    """A manufacturer's own members come out of `load` as they went in, at the top and inside."""
    document = connection(liftState={"height": 1.5, "parts": [None, 1]})

    assert SCHEMAS[V2_1]["connection"]().load(document) == document


@pytest.mark.parametrize("speed", [1, 1.0, 0.5, -3])
def test_a_number_stays_as_it_came(speed: float) -> None:
    """Loading turns no 1 into 1.0."""
    document = {"velocity": {"vx": speed}}

    loaded = SCHEMAS[V2_1]["visualization"]().load(document)

    assert repr(loaded["velocity"]["vx"]) == repr(speed)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("headerId", "1"),
        ("headerId", 1.5),
        ("headerId", True),
        ("headerId", -1),
        ("headerId", 2**32),
        ("manufacturer", 5),
        ("timestamp", "yesterday"),
        ("connectionState", "online"),
        ("connectionState", "CONNECTION_BROKEN"),
        ("version", None),
    ],
)
def test_values_are_taken_strictly(member: str, value: object) -> None:
    """What only resembles the right value is refused, where marshmallow alone would help."""
    errors = SCHEMAS[V2_1]["connection"]().validate(connection(**{member: value}))

    assert set(errors) == {member}


@pytest.mark.parametrize(("name", "value"), [("driving", 1), ("driving", "true"), ("paused", "yes")])
def test_nothing_but_a_boolean_is_a_boolean(name: str, value: object) -> None:
    """1, "true" and "yes" are no booleans."""
    assert name in SCHEMAS[V2_1]["state"]().validate({name: value})


def test_an_action_parameter_takes_any_value_but_null() -> None:
    """Parameters may be texts, numbers, booleans, arrays and objects."""
    schema = SCHEMAS[V2_1]["instantActions"]()

    def action(value: object) -> dict[str, Any]:
        parameters = [{"key": "height", "value": value}]
        return {
            "actionType": "pick",
            "actionId": "1",
            "blockingType": "NONE",
            "actionParameters": parameters,
        }

    values = ["a", 1, 0.5, False, [1], {"a": 1}]
    assert schema.validate(HEADER | {"actions": [action(value) for value in values]}) == {}
    assert schema.validate(HEADER | {"actions": [action(None)]}) != {}


@pytest.mark.parametrize(
    ("zone_type", "members"),
    [
        ("SPEED_LIMIT", {"maximumSpeed"}),
        ("DIRECTED", {"direction", "directedLimitation"}),
        ("ACTION", {"entryActions", "duringActions", "exitActions"}),
        ("BLOCKED", set()),
    ],
)
def test_a_zone_requires_what_its_type_needs(zone_type: str, members: set[str]) -> None:
    """A speed limit without a speed is refused; a blocked zone needs nothing more."""
    corners = [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 0, "y": 1}]
    zone = {"zoneId": "z", "zoneType": zone_type, "vertices": corners}
    message = HEADER | {"zoneSet": {"mapId": "m", "zoneSetId": "s", "zones": [zone]}}

    errors: Any = SCHEMAS[V3_0]["zoneSet"]().validate(message)

    assert set(errors.get("zoneSet", {}).get("zones", {}).get(0, {})) == members


@pytest.mark.parametrize(("word", "is_valid"), [("actionType", True), ("actionName", True), ("action", False)])
def test_an_instant_action_of_1_1_is_named_in_either_way(word: str, is_valid: bool) -> None:  # noqa: FBT001 (a parameter)
    """1.1's text says actionType, its schema actionName; one of them must be there."""
    message = HEADER | {"instantActions": [{"actionId": "1", word: "stopPause"}]}

    assert (SCHEMAS[V1_1]["instantActions"]().validate(message) == {}) == is_valid


def test_a_member_has_one_form_in_a_version() -> None:
    """Two forms of a member for the same version are a mistake that is told at once."""
    shape = Shape("thing", {V2_1: "1"}, required={"a": (text("one"), number("two", since=V2_1))})

    with pytest.raises(ValueError, match=r"thing\.a has two forms in 2\.1\.0"):
        shape.schema(V2_1)


@pytest.mark.parametrize(
    ("stated", "version"),
    [
        ("1.1", V1_1),
        ("1.1.0", V1_1),
        ("2.0.0", V2_0),
        ("v2.0.0", V2_0),
        ("V2.1.0", V2_1),
        ("2.2.7", V2_1),
        ("3.0.1", V3_0),
        ("1.3.2", None),
        ("1.0.0", None),
        ("0.8.4", None),
        ("4.0.0", None),
        ("two", None),
        ("", None),
        ("9" * 5_000 + ".0", None),
        ("2." + "0" * 5_000, None),
        ("2.1." + "0" * 5_000, None),
    ],
)
def test_versions_are_read_as_robots_write_them(stated: str, version: Version | None) -> None:
    """With or without v and patch; the example 1.3.2 of the specification is no version."""
    assert Version.from_text(stated) is version


@given(st.text(max_size=20))
def test_any_text_may_stand_for_a_version(stated: str) -> None:
    """Reading a version never fails."""
    assert Version.from_text(stated) in {*Version, None}


def _fields(schema: type[Vda5050Schema], path: str) -> list[tuple[str, fields.Field[Any]]]:
    found: list[tuple[str, fields.Field[Any]]] = []
    for name, field in schema().fields.items():
        found.append((f"{path}/{name}", field))
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            found += _fields(type(inner.schema), f"{path}/{name}")  # type: ignore[arg-type]  # all of ours are Vda5050Schema
    return found
