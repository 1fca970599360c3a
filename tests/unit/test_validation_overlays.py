"""Overlays: data that can be taken back and joined."""

import jsonschema_rs
import pytest

from vda5050.schemas import SCHEMAS
from vda5050.validation import OVERLAYS, Overlay, Version, overlays_of
from vda5050.validation.json_schema import JsonSchema, bare_schema
from vda5050.validation.overlay import deviation, official_schema, strictest_schema

V2_1 = Version.V2_1
OURS: JsonSchema = {
    "type": "object",
    "required": ["level", "speed"],
    "properties": {
        "level": {"type": "string", "enum": ["LOW", "HIGH"]},
        "speed": {"type": "number"},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
    },
}


def overlay(path: str, *, official: dict[str, object], text: dict[str, object]) -> Overlay:
    """Build an overlay of 2.1's state."""
    return deviation("2.1", "state", path, official=official, text=text, reason="because")


@pytest.mark.parametrize(
    ("path", "official", "text", "document"),
    [
        ("/level", {"enum": ["LOW"]}, {"enum": ["LOW", "HIGH"]}, {"level": "HIGH", "speed": 1}),
        ("/speed", {"type": "integer"}, {"type": "number"}, {"level": "LOW", "speed": 0.5}),
        ("/parts", {"required": True}, {"required": False}, {"level": "LOW", "speed": 1}),
        ("/parts/*/id", {"required": True}, {"required": False}, {"level": "LOW", "speed": 1, "parts": [{}]}),
        ("/extra", {"defined": {"type": "string"}}, {"defined": False}, {"level": "LOW", "speed": 1, "extra": 1}),
    ],
)
def test_what_only_the_official_schema_refuses_the_strictest_refuses(
    path: str, official: dict[str, object], text: dict[str, object], document: dict[str, object]
) -> None:
    """Where the official schema is the stricter one, both it and the joined schema refuse what ours allows."""
    overlays = [overlay(path, official=official, text=text)]

    assert _is_valid(OURS, document)
    assert not _is_valid(official_schema(OURS, overlays), document)
    assert not _is_valid(strictest_schema(OURS, overlays), document)


@pytest.mark.parametrize(
    ("path", "official", "text", "document"),
    [
        ("/level", {}, {"enum": ["LOW", "HIGH"]}, {"level": "OTHER", "speed": 1}),
        ("/speed", {"required": False}, {"required": True}, {"level": "LOW"}),
        ("/parts/*/id", {"defined": False}, {"defined": True}, {"level": "LOW", "speed": 1, "parts": [{"id": 1}]}),
    ],
)
def test_what_only_the_text_refuses_the_strictest_refuses(
    path: str, official: dict[str, object], text: dict[str, object], document: dict[str, object]
) -> None:
    """Where the text is the stricter one, the rebuilt official schema allows it, the joined one does not."""
    overlays = [overlay(path, official=official, text=text)]

    assert not _is_valid(OURS, document)
    assert _is_valid(official_schema(OURS, overlays), document)
    assert not _is_valid(strictest_schema(OURS, overlays), document)


def test_our_schema_is_left_alone() -> None:
    """Taking an overlay back changes a copy."""
    before = repr(OURS)

    official_schema(OURS, [overlay("/level", official={}, text={"enum": ["LOW", "HIGH"]})])

    assert repr(OURS) == before


def test_each_overlay_is_about_a_topic_that_exists() -> None:
    """No overlay speaks of a version and topic without a schema, except where it names all topics at once."""
    for each in OVERLAYS:
        assert any(topic in SCHEMAS[version] for version in each.versions for topic in each.topics), each.reason
        assert each.reason
        assert each.paths


def test_overlays_are_found_by_version_and_topic() -> None:
    """PAUSED is an overlay of 2.0's and 2.1's state, and of no other."""
    found = [
        (version, topic)
        for version, topics in SCHEMAS.items()
        for topic in topics
        if any("#356" in each.source for each in overlays_of(version, topic))
    ]

    assert found == [(Version.V2_0, "state"), (V2_1, "state")]


def test_the_official_schema_of_2_1_lacks_paused() -> None:
    """What is rebuilt from ours is the official schema, faults included."""
    rebuilt = official_schema(bare_schema(V2_1, "state"), overlays_of(V2_1, "state"))

    status = rebuilt["properties"]["actionStates"]["items"]["properties"]["actionStatus"]
    assert "PAUSED" not in status["enum"]


def _is_valid(schema: JsonSchema, document: dict[str, object]) -> bool:
    return jsonschema_rs.Draft202012Validator(schema).is_valid(document)
