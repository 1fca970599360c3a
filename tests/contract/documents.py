"""Documents made from a JSON Schema: valid ones, and ones with exactly one thing wrong.

Takes a normalised schema (`official_schemas`) and a seeded `random.Random`, so that the same seed gives the same
documents. Knows the keywords that the standard's schemas use, and no others. Values are plain on purpose (small whole
numbers, short texts, times where the member is one), so that a document is wrong for the one thing that was changed;
`extremes` then tries what plain values leave out.
"""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

JsonSchema = dict[str, Any]
Path = tuple[str | int, ...]

TIME = "2026-11-23T15:29:11.123Z"
_TIMES = {"timestamp", "eta", "leaseExpiry"}
LEFT_OUT = object()
"""A mutation's value where the member is dropped."""
_EXTREME_NUMBERS: tuple[Any, ...] = (-1, 2**32, 0, 0.5, 3.5, 1e9)
_EXTREME_TEXTS: tuple[Any, ...] = ("", "2026-11-23", "OTHER")
_OTHER_TYPES: dict[str, tuple[Any, ...]] = {
    "string": (7, {}, False),
    "number": ("1.5", True, []),
    "integer": ("3", 1.5, {}),
    "boolean": ("true", 0, []),
    "array": ({}, "none", 1),
    "object": ([], "none", 1),
}


class Unsatisfiable(Exception):  # noqa: N818 - it says what the schema is
    """No value satisfies this part of the schema."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change to a document: at `path`, of one `kind`, to `value` or `LEFT_OUT`."""

    kind: str
    path: Path
    value: Any

    def applied(self, document: JsonSchema) -> JsonSchema:
        """Give a changed copy of the document."""
        changed = copy.deepcopy(document)
        place = at(changed, self.path[:-1])
        if self.value is LEFT_OUT:
            del place[self.path[-1]]
        else:
            place[self.path[-1]] = copy.deepcopy(self.value)
        return changed


def without_all_of(schema: Any) -> Any:
    """Write a schema without `allOf`, as far as `documents` needs to know it."""
    if isinstance(schema, list):
        return [without_all_of(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    together = {keyword: without_all_of(value) for keyword, value in schema.items() if keyword != "allOf"}
    for part in schema.get("allOf", ()):
        for keyword, value in without_all_of(part).items():
            if keyword == "enum":
                together["enum"] = [word for word in together.get("enum", value) if word in value]
            else:
                together.setdefault(keyword, value)
    return together


def known_part(schema: JsonSchema, value: Any) -> Any:
    """Leave out of a value the members that the schema does not know."""
    if isinstance(value, dict):
        parts = schema["properties"]
        return {name: known_part(parts[name], member) for name, member in value.items() if name in parts}
    return [known_part(schema["items"], element) for element in value] if isinstance(value, list) else value


def at(document: Any, path: Path) -> Any:
    """Give what stands at a path."""
    for step in path:
        document = document[step]
    return document


def full(schema: JsonSchema, dice: random.Random) -> JsonSchema:
    """Make a document with every member, and one element in every array."""
    return _document(schema, dice, wants=lambda: True)


def minimal(schema: JsonSchema, dice: random.Random) -> JsonSchema:
    """Make a document with the required members only."""
    return _document(schema, dice, wants=lambda: False)


def some(schema: JsonSchema, dice: random.Random) -> JsonSchema:
    """Make a document with nine of ten optional members."""
    return _document(schema, dice, wants=lambda: dice.random() < 0.9)


def mutations(schema: JsonSchema, document: JsonSchema) -> Iterator[Mutation]:
    """Give every way to break (or nearly break) a document once, of the kinds that people's mistakes have."""
    yield Mutation("extra_member", ("vendorExtension",), {"anything": [1, None]})
    for part, path, value, is_required in _places(schema, document, ()):
        if isinstance(path[-1], str):
            yield Mutation("drop_required" if is_required else "drop_optional", path, LEFT_OUT)
        yield Mutation("null", path, None)
        for other in _OTHER_TYPES[_json_type(value)]:
            yield Mutation("wrong_type", path, other)
        if "enum" in part:
            yield Mutation("bad_word", path, f"{value}_OR_SO")
            yield Mutation("wrong_case", path, str(value).swapcase())
        yield from _out_of_range(part, path)
        if isinstance(value, list):
            yield Mutation("empty_array", path, [])
        if isinstance(value, dict):
            yield Mutation("extra_member", (*path, "vendorExtension"), 5)


def extremes(schema: JsonSchema, document: JsonSchema) -> Iterator[Mutation]:
    """Give values that only a schema with limits and patterns refuses."""
    for _, path, value, _ in _places(schema, document, ()):
        kind = _json_type(value)
        values = _EXTREME_NUMBERS if kind in ("integer", "number") else _EXTREME_TEXTS if kind == "string" else ()
        yield from (Mutation("extreme", path, extreme) for extreme in values)


def _document(schema: JsonSchema, dice: random.Random, *, wants: Callable[[], bool]) -> JsonSchema:
    made: JsonSchema = _value(schema, dice, "", wants)
    return made


def _value(schema: JsonSchema, dice: random.Random, name: str, wants: Callable[[], bool]) -> Any:
    types = schema.get("type", "object" if "properties" in schema else "string")
    kind = types if isinstance(types, str) else dice.choice(types)
    if "enum" in schema:
        fitting = [word for word in schema["enum"] if _json_type(word) == kind]
        if not fitting:
            raise Unsatisfiable
        return dice.choice(fitting)
    match kind:
        case "object":
            return _object(schema, dice, wants)
        case "array":
            count = max(schema.get("minItems", 0), 1)
            return [_value(schema.get("items", {}), dice, name, wants) for _ in range(count)]
        case "boolean":
            return dice.random() < 0.5
        case "integer" | "number":
            return _number(schema, dice)
        case _:
            return TIME if name in _TIMES else f"{name or 'text'}-{dice.randrange(100)}"


def _number(schema: JsonSchema, dice: random.Random) -> int:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    most = schema.get("maximum", least + 2)
    low, high = max(-3, int(least) + (least % 1 > 0)), min(int(most), 100)
    return dice.randint(max(low, 1) if high >= 1 else low, high)


def _object(schema: JsonSchema, dice: random.Random, wants: Callable[[], bool]) -> JsonSchema:
    parts = dict(schema.get("properties", {}))
    required = {*schema.get("required", ()), *(schema["anyOf"][0]["required"] if "anyOf" in schema else ())}
    made: JsonSchema = {}
    for name in sorted({*parts, *required}):
        if name in required or wants():
            _add(made, name, parts.get(name, {}), dice, wants=wants, is_required=name in required)
    for clause in schema.get("allOf", ()):
        if _applies(clause, made):
            for name in clause["then"]["required"]:
                part = clause["then"]["properties"][name]
                _add(made, name, part, dice, wants=wants, is_required=True)
    return made


def _add(
    made: JsonSchema,
    name: str,
    part: JsonSchema,
    dice: random.Random,
    *,
    wants: Callable[[], bool],
    is_required: bool,
) -> None:
    try:
        made[name] = _value(part, dice, name, wants)
    except Unsatisfiable:
        if is_required:
            raise


def _applies(clause: JsonSchema, document: JsonSchema) -> bool:
    conditions = clause.get("if", {}).get("properties", {})
    return bool(conditions) and all(document.get(name) == part["const"] for name, part in conditions.items())


def _places(schema: JsonSchema, value: Any, path: Path) -> Iterator[tuple[JsonSchema, Path, Any, bool]]:
    """Give every member and element of a document with its schema, and whether it is required."""
    if isinstance(value, dict):
        parts, required = dict(schema.get("properties", {})), {*schema.get("required", ())}
        for clause in schema.get("allOf", ()):
            if _applies(clause, value):
                parts |= clause["then"]["properties"]
                required |= {*clause["then"]["required"]}
        for name, member in value.items():
            yield parts.get(name, {}), (*path, name), member, name in required
            yield from _places(parts.get(name, {}), member, (*path, name))
    elif isinstance(value, list):
        for index, element in enumerate(value[:1]):
            yield schema.get("items", {}), (*path, index), element, False
            yield from _places(schema.get("items", {}), element, (*path, index))


def _out_of_range(part: JsonSchema, path: Path) -> Iterator[Mutation]:
    for limit, beyond in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", -1)):
        if limit in part:
            yield Mutation("out_of_range", path, part[limit] + beyond)
    if "minItems" in part:
        yield Mutation("out_of_range", path, [{"x": 1, "y": 1}] * (part["minItems"] - 1))


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", list: "array", dict: "object", int: "integer", float: "number"}
    return names[type(value)]
