"""The marshmallow schemas written as JSON Schema 2020-12.

Takes a version and a topic, gives a dict: the published form, which `GET /schemas/<version>/<topic>` and
`/openapi.json` serve, and, without what is only for people, what `verdict` checks messages with. Objects stand inside
each other without `$ref`, so that a place in a message and its place in the schema have the same path.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from marshmallow import fields, validate

from vda5050.schemas import SCHEMAS, Vda5050Schema, Version
from vda5050.schemas.members import TIMESTAMP_PATTERN, FreeForm, Number, Text, Timestamp, Truth, Value, WholeNumber

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES: tuple[tuple[type[fields.Field[Any]], JsonSchema], ...] = (
    (Timestamp, {"type": "string", "format": "date-time", "pattern": TIMESTAMP_PATTERN}),
    (Text, {"type": "string"}),
    (Truth, {"type": "boolean"}),
    (WholeNumber, {"type": "integer"}),
    (Number, {"type": "number"}),
    (Value, {"type": ["array", "boolean", "number", "string", "object"]}),
    (FreeForm, {"type": "object"}),
    (fields.Raw, {}),
)
"""What each kind of field is in JSON; the first that fits."""


def json_schema(version: Version, topic: str) -> JsonSchema:
    """Give the published JSON Schema: with `$id`, titles, descriptions, units, and sections as `$comment`.

    The caller owns the dict. Raises KeyError for a topic that the version does not have.
    """
    schema = _of_object(SCHEMAS[version][topic])
    return {
        "$schema": DIALECT,
        "$id": f"/schemas/{version.text}/{topic}",
        "title": f"VDA 5050 {version.text} {topic}",
        **{keyword: value for keyword, value in schema.items() if keyword != "title"},
    }


@cache
def bare_schema(version: Version, topic: str) -> JsonSchema:
    """Give the JSON Schema with nothing but what decides a verdict. Shared: not to be changed."""
    bare: JsonSchema = _without_notes(_of_object(SCHEMAS[version][topic]))
    return bare


_NOTES = frozenset({"title", "description", "unit", "$comment", "format"})
"""Keywords for people. `format` is one of them: a validator need not check it, and ours does not; `pattern` says it."""


def _without_notes(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_notes(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: {name: _without_notes(member) for name, member in value.items()}
        if keyword == "properties"
        else _without_notes(value)
        for keyword, value in schema.items()
        if keyword not in _NOTES
    }


def _of_object(schema: type[Vda5050Schema]) -> JsonSchema:
    shape, declared = schema.shape, schema().fields
    written: JsonSchema = {"type": "object", "title": shape.name}
    required = [name for name, field in declared.items() if field.required]
    if required:
        written["required"] = required
    if any_of := shape.any_of.get(schema.standard):
        written["anyOf"] = [{"required": [name]} for name in any_of]
    if declared:
        written["properties"] = {name: _of_field(field) for name, field in declared.items()}
    if shape.conditions:
        written["allOf"] = [
            {
                "if": {"properties": {condition.name: {"const": condition.value}}},
                "then": {
                    "required": list(condition.members),
                    "properties": {name: written["properties"][name] for name in condition.members},
                },
            }
            for condition in shape.conditions
        ]
    return written


def _of_field(field: fields.Field[Any]) -> JsonSchema:
    if isinstance(field, fields.Nested):
        written = _of_object(type(field.schema))  # type: ignore[arg-type]  # all of ours are Vda5050Schema
    elif isinstance(field, fields.List):
        written = {"type": "array", "items": _of_field(field.inner)}
    else:
        written = dict(next(form for kind, form in _TYPES if isinstance(field, kind)))
    for limit in field.validators:
        written.update(_of_validator(limit))
    return written | dict(_notes(field))


def _of_validator(limit: object) -> JsonSchema:
    match limit:
        case validate.OneOf(choices=choices):
            return {"enum": list(choices)}
        case validate.Length(min=least):
            return {"minItems": least}
        case validate.Range(min=least, max=most, min_inclusive=is_inclusive):
            lower = {} if least is None else {"minimum" if is_inclusive else "exclusiveMinimum": least}
            return lower | ({} if most is None else {"maximum": most})
        case _:
            return {}


def _notes(field: fields.Field[Any]) -> Iterator[tuple[str, str]]:
    for keyword in ("description", "unit"):
        if keyword in field.metadata:
            yield keyword, field.metadata[keyword]
    if "section" in field.metadata:
        yield "$comment", f"section {field.metadata['section']}"
