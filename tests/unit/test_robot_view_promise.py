"""What holds for every robot view: its schema, and that no message breaks it."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from tests.unit.robot_view_documents import VERSIONS, factsheet, live, order, state, view_of, view_of_readings
from vda5050.robot_view import RobotViewSchema
from vda5050.robot_view.members import Many, Number, One, ViewField, Whole, shape_of
from vda5050.robot_view.shapes import Shape
from vda5050.topics import TOPICS

UNITLESS = {"localization_score", "weight", "degree", "sequence_id", "order_update_id", "last_node_sequence_id"}
"""Numbers that count or compare: nothing to put a unit to. (A load's weight has one.)"""


def _spec() -> APISpec:
    spec = APISpec(title="t", version="1", openapi_version="3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("RobotView", schema=RobotViewSchema)
    return spec


def _validator() -> jsonschema_rs.Draft202012Validator:
    document = _spec().to_dict()
    return jsonschema_rs.Draft202012Validator({"$ref": "#/components/schemas/RobotView", **document})


VALIDATOR = _validator()


def _declared(schema: type[Schema]) -> list[tuple[type[Schema], str, fields.Field[Any]]]:
    """Give all fields of a schema and of those nested in it."""
    found: list[tuple[type[Schema], str, fields.Field[Any]]] = []
    for key, field in schema().fields.items():
        found.append((schema, key, field))
        inner = field.inner if isinstance(field, Many) else field
        if isinstance(inner, fields.Nested):
            found.extend(_declared(type(inner.schema)))
    return found


def _keys_differ(value: Any, schema: type[Schema]) -> list[str]:
    """Name the objects of a view whose keys are not those of their schema."""
    declared = schema().fields
    if set(value) != set(declared):
        return [schema.__name__]
    differ = []
    for key, field in declared.items():
        inner = field.inner if isinstance(field, Many) else field
        if isinstance(inner, fields.Nested) and value[key] is not None:
            for item in value[key] if isinstance(field, Many) else [value[key]]:
                differ += _keys_differ(item, type(inner.schema))
    return differ


def _check(view: dict[str, Any]) -> None:
    again = orjson.loads(orjson.dumps(view))

    assert again == view
    assert [error.message for error in VALIDATOR.iter_errors(again)] == []
    assert _keys_differ(view, RobotViewSchema) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_view_is_as_its_schema_says(version: str) -> None:
    """The view of each version has the schema's keys, and holds in the JSON Schema of the OpenAPI."""
    _check(view_of(order=order(version), factsheet=factsheet(version), state=state(version)))


def test_every_field_tells_what_it_is() -> None:
    """Every field has a description, every measured number a unit, and all keys are always there."""
    declared = _declared(RobotViewSchema)

    assert [key for _, key, field in declared if not field.metadata.get("description")] == []
    assert [key for _, key, field in declared if not field.required] == []
    assert [
        key
        for _, key, field in declared
        if isinstance(field, Number | Whole) and "x-unit" not in field.metadata and key not in UNITLESS
    ] == []


def test_the_schema_says_what_robots_call_it() -> None:
    """The OpenAPI names the members of the messages, 1.1 to 3.0."""
    schemas = _spec().to_dict()["components"]["schemas"]

    assert schemas["ViewBattery"]["properties"]["charge"]["x-unit"] == "%"
    assert schemas["ViewBattery"]["properties"]["charge"]["x-vda5050"][:2] == ["batteryCharge", "stateOfCharge"]


def test_no_name_means_two_things() -> None:
    """Within one object, no name that robots send is read into two members."""
    for schema in {schema for schema, _, _ in _declared(RobotViewSchema)}:
        names = [name for field in schema().fields.values() if isinstance(field, ViewField) for name in field.names]

        assert len(names) == len(set(names)), schema


def test_a_shape_reads_what_its_schema_declares() -> None:
    """A schema of view fields is its own reader."""

    class Thing(Schema):
        inner = One(RobotViewSchema, "A robot.", "robot")
        count = Whole("How many.", "n", "number")

    shape = shape_of(Thing)

    assert isinstance(shape, Shape)
    assert shape.read({"number": 3, "robot": None}) == {"inner": None, "count": 3}
    assert shape.read([]) is None


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["3.2", "NaN", "1e999", "2.1.0", "waiting", "TEACHIN", "9" * 30])
)
NAMES = sorted(
    {name for _, _, field in _declared(RobotViewSchema) if isinstance(field, ViewField) for name in field.names}
    | {
        "nodePosition",
        "loadDimensions",
        "typeSpecification",
        "factsheet",
        "zoneSet",
        "instantActionStates",
        "zoneSetId",
    }
    | {"zoneRequests", "edgeRequests", "zoneActionStates", "instantActions", "version"}
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=20,
)
MESSAGES = st.fixed_dictionaries(
    {}, optional={topic: st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8) for topic in sorted(TOPICS)}
)


@given(messages=MESSAGES, major_version=st.none() | st.text(max_size=4), word=st.none() | st.text(max_size=9))
def test_any_json_gives_a_view(
    messages: dict[str, dict[str, Any]], major_version: str | None, word: str | None
) -> None:
    """Whatever JSON objects come on the topics, the view is complete, valid and can be written."""
    _check(view_of_readings(live(**messages), major_version=major_version, connection_state=word))


@given(version=st.sampled_from(VERSIONS), place=st.integers(0, 10_000), value=JSON)
def test_one_wrong_value_spoils_no_other_part(version: str, place: int, value: Any) -> None:
    """A full set of messages with any one value replaced by any JSON still gives a valid view."""
    messages = {"order": order(version), "factsheet": factsheet(version), "state": state(version)}
    places = [found for message in messages.values() for found in _places(message)]
    holder, key = places[place % len(places)]
    holder[key] = value

    _check(view_of(**messages))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give each place in a document: what holds it, and its name or index."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)
