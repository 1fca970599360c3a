"""The beginning of a large message, so that what is wrong with it can be told in bounded time.

jsonschema-rs gathers all errors of a document before it gives the first: 60 kB of `[{},{},...]` in place of nodes make
60,000 errors and take a second, in which nothing else would run; and each error copies the object it is about, so that
70,000 members that no schema names take as long. Paths are the same in message and excerpt, since only the ends of
arrays and members without a rule are cut.
"""

from collections.abc import Sequence
from typing import Any

MAX_MEMBERS = 200
"""Members of one object; of one with more only those are kept that a schema names. The standard's largest has 30."""
MAX_ELEMENTS = 100
"""Elements of all arrays of a message together that are examined. A message with more has its arrays cut."""

_ALWAYS_KEPT = 3
"""Elements of an array that are never cut: no array of the standard must have more."""

_MAX_DEPTH = 16
"""Levels that are looked at; the standard's deepest member is ten levels down."""


def excerpt(document: dict[str, Any], known_names: frozenset[str]) -> dict[str, Any]:
    """Give the message itself where it is of usual size, else a copy with shorter arrays and objects.

    `known_names`: the members that the schemas have rules for (see `property_names`).
    """
    if not _is_long(document):
        return document
    cut: dict[str, Any] = _Cutter(known_names).cut(document, 0)
    return cut


def narrowed(value: Any, path: Sequence[str | int]) -> Any:
    """Copy a message along a path (which leads to something), each array on it with the one element that is on it."""
    if not path:
        return value
    inner = narrowed(value[path[0]], path[1:])
    return [inner] if isinstance(value, list) else {**value, path[0]: inner}


def property_names(schema: Any) -> frozenset[str]:
    """Collect the names of all members that a JSON Schema has rules for, at whatever depth."""
    if isinstance(schema, list):
        return frozenset().union(*map(property_names, schema))
    if not isinstance(schema, dict):
        return frozenset()
    names = frozenset(schema["properties"]) if isinstance(schema.get("properties"), dict) else frozenset()
    required = schema.get("required")
    if isinstance(required, list):
        names |= frozenset(name for name in required if isinstance(name, str))
    return names.union(*map(property_names, schema.values()))


def _is_long(document: dict[str, Any]) -> bool:
    elements = 0
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            elements += len(value)
            if elements > MAX_ELEMENTS:
                return True
            waiting.extend(value)
        elif isinstance(value, dict):
            if len(value) > MAX_MEMBERS:
                return True
            waiting.extend(value.values())
    return False


class _Cutter:
    """Copies a document while elements are left."""

    def __init__(self, known_names: frozenset[str]) -> None:
        self._known_names = known_names
        self._left = MAX_ELEMENTS

    def cut(self, value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            return value
        if isinstance(value, dict):
            is_large = len(value) > MAX_MEMBERS
            return {
                name: self.cut(member, depth + 1)
                for name, member in value.items()
                if not is_large or name in self._known_names
            }
        if not isinstance(value, list):
            return value
        kept: list[Any] = []
        for element in value:
            if self._left <= 0 and len(kept) >= _ALWAYS_KEPT:
                break
            self._left -= 1
            kept.append(self.cut(element, depth + 1))
        return kept
