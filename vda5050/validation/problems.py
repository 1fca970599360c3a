"""What is wrong with a message, and what it contradicts: the specification's text, the official schema, or both.

The way of a message that is not entirely valid; a valid one never comes here. MAX_ERRORS are looked at, no more.

Read leniently, each leniency being told as an "info": a word of an enumeration in the wrong case, null for an optional
member, an angle that exceeds pi by its rounding, a time that is readable but not in UTC with a Z. Robots do all of
these, and openTCS had to learn to accept them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from jsonschema_rs import ValidationError

from vda5050.validation.json_schema import JsonSchema

Contradicts = Literal["schema", "text", "both"]
Severity = Literal["error", "warning", "info"]

MAX_ERRORS = 200
"""Errors that are looked at in one message; what comes after them tells nothing new."""

ROUNDING = 5e-4
"""How far an angle may exceed its limit and still mean it: pi with three decimals, or a float32's."""

_READABLE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?([zZ]|[+-]\d{2}:?\d{2})?")
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_CODES = {
    "minimum": "range",
    "exclusiveMinimum": "range",
    "maximum": "range",
    "exclusiveMaximum": "range",
    "pattern": "timestamp",
    "minItems": "min_items",
    "anyOf": "required",
}
_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "greater than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a message.

    `path` is a JSON pointer to the member at fault, also where that member is missing. `message` tells a person what
    is wrong there, without the path. `code` is stable: required, type, enum, range, min_items, timestamp; and for what
    was read leniently: enum_case, null_member, rounding, timestamp_format.

    A contradiction of the text is an error, of the official schema alone a warning.
    """

    path: str
    message: str
    contradicts: Contradicts
    severity: Severity
    code: str


def find_problems(
    text_errors: Iterable[ValidationError],
    official_errors: Iterable[ValidationError],
    *,
    text_schema: JsonSchema,
    official_schema: JsonSchema,
) -> list[Problem]:
    """Judge the errors that the two schemas found in one message; the worst come first."""
    found = _judge_all(text_errors, text_schema, "text")
    for key, problem in _judge_all(official_errors, official_schema, "schema").items():
        if key in found:
            found[key] = replace(found[key], contradicts="both")
        elif problem.severity == "error":
            found[key] = replace(problem, severity="warning")
        else:
            found[key] = problem
    return worst_first(_without_lesser(found))


def worst_first(problems: Iterable[Problem]) -> list[Problem]:
    """Sort problems by severity, and leave those that are equally bad in their order."""
    return sorted(problems, key=lambda problem: _SEVERITIES.index(problem.severity))


def lenient_schema(schema: Any) -> Any:
    """Loosen a schema by what is read leniently (see `_leniency`): what it still refuses is refused for good.

    Tells whether and where a message has an error at all; what the error is the schema itself says better.
    """
    if isinstance(schema, list):
        return [lenient_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {keyword: lenient_schema(value) for keyword, value in schema.items() if keyword != "enum"}
    for name, member in schema.get("properties", {}).items():
        if name not in schema.get("required", ()) and isinstance(member.get("type"), (str, list)):
            types = member["type"] if isinstance(member["type"], list) else [member["type"]]
            loose["properties"][name]["type"] = [*types, "null"]
    if words := [word for word in schema.get("enum", ()) if isinstance(word, str)]:
        loose["pattern"] = f"(?i)^(?:{'|'.join(map(re.escape, words))})$"
    elif "pattern" in schema:
        loose["pattern"] = f"^(?:{_READABLE_TIME.pattern})$"
    for keyword, tolerance in (("minimum", -ROUNDING), ("maximum", ROUNDING)):
        if keyword in schema and schema[keyword] % 1:
            loose[keyword] = schema[keyword] + tolerance
    return loose


def _without_lesser(found: dict[tuple[str, str], Problem]) -> Iterator[Problem]:
    """Leave out what was read leniently where it is refused for another reason: a null that must not be missing."""
    refused = {problem.path: key for key, problem in found.items() if problem.severity == "error"}
    for problem in list(found.values()):
        key = refused.get(problem.path)
        if problem.severity == "info" and key is not None and problem.contradicts != "text":
            found[key] = replace(found[key], contradicts="both")
    return (problem for problem in found.values() if problem.severity != "info" or problem.path not in refused)


def _judge_all(
    errors: Iterable[ValidationError], schema: JsonSchema, contradicts: Contradicts
) -> dict[tuple[str, str], Problem]:
    # What has the wrong type is in no enumeration either; once is enough.
    telling = (error for error in errors if error.kind.name != "enum" or isinstance(error.instance, str))
    judged = (_judge(error, schema, contradicts) for error in islice(telling, MAX_ERRORS))
    return {(problem.path, problem.code): problem for problem in judged}


def _judge(error: ValidationError, schema: JsonSchema, contradicts: Contradicts) -> Problem:
    keyword = error.kind.name
    steps = list(error.instance_path)
    if keyword == "required":
        steps.append(error.kind.as_dict()["property"])
    elif keyword == "anyOf":
        steps.append(_at(schema, error.schema_path)[0]["required"][0])
    path = pointer(steps)
    if leniency := _leniency(error, keyword, schema):
        code, message = leniency
        return Problem(path, message, contradicts, "info", code)
    return Problem(path, _message(error, keyword), contradicts, "error", _CODES.get(keyword, keyword))


def pointer(steps: Iterable[str | int]) -> str:
    """Write a path as a JSON pointer."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def _leniency(error: ValidationError, keyword: str, schema: JsonSchema) -> tuple[str, str] | None:
    """Give code and message where the value can be read all the same."""
    value = error.instance
    if keyword == "type" and value is None and _is_optional(schema, error.schema_path):
        return "null_member", "is null, and read as absent"
    if keyword == "enum" and isinstance(value, str):
        words = error.kind.as_dict()["options"]
        meant = next((word for word in words if isinstance(word, str) and word.upper() == value.upper()), None)
        return None if meant is None else ("enum_case", f"is {value!r}, and read as {meant!r}")
    if keyword in ("minimum", "maximum"):
        limit = error.kind.as_dict()["limit"]
        if limit % 1 and abs(value - limit) <= ROUNDING:
            return "rounding", f"is {value}, and read as {limit}"
    if keyword == "pattern" and _READABLE_TIME.fullmatch(str(value)):
        return "timestamp_format", f"is {value!r}, which is not UTC as in 2026-01-31T08:15:30.123Z"
    return None


def _is_optional(schema: JsonSchema, schema_path: list[str | int]) -> bool:
    if len(schema_path) < 3 or schema_path[-3] != "properties":
        return False
    return schema_path[-2] not in _at(schema, schema_path[:-3]).get("required", ())


def _at(schema: JsonSchema, schema_path: Iterable[str | int]) -> Any:
    place: Any = schema
    for step in schema_path:
        place = place[step]
    return place


def _message(error: ValidationError, keyword: str) -> str:
    said, value = error.kind.as_dict(), error.instance
    if keyword in _LIMITS:
        return f"is {_short(value)}, must be {_LIMITS[keyword]} {said['limit']}"
    match keyword:
        case "required" | "anyOf":
            return "is missing"
        case "type":
            return f"is {_type_name(value)}, must be {' or '.join(said['types'])}"
        case "enum":
            return f"is {_short(value)}, must be one of {', '.join(map(str, said['options']))}"
        case "minItems":
            return f"must have at least {said['limit']} elements"
        case _:  # pattern, which only times have
            return f"is {_short(value)}, must be a time as in 2026-01-31T08:15:30.123Z"


def _type_name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "number"


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
