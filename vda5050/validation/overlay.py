"""A deviation of the official JSON Schemas from the specification's text, as data that can be applied.

From 2.1 on the text decides where the two disagree (2.1.0 chapter 6, 3.0.0 chapter 7). Our schemas say what the text
says; an `Overlay` keeps what the official schema says instead, so that a finding can tell which of the two a message
contradicts, and so that nothing about the difference is hidden in code.

`official_schema` rebuilds what the official schema decides from ours, `strictest_schema` joins both. The contract tests
check the first against the official files.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from vda5050.schemas import Version
from vda5050.validation.json_schema import JsonSchema

Says = Mapping[str, Any]
"""JSON Schema keywords at a place. Two more are ours: `required` (bool, about the member itself) and `defined` (False:
the member is not mentioned; True: it is, as our schema has it; a schema: it is, like this)."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One deviation, at all `paths` of all `topics` in all `versions`.

    A path is a JSON pointer with `*` for every element of an array: "/nodes/*/actions/*/actionType". A keyword that
    stands on one side only is absent on the other. `source` is an issue of VDA5050/VDA5050 or another place to read.
    """

    versions: tuple[Version, ...]
    topics: tuple[str, ...]
    paths: tuple[str, ...]
    official: Says
    text: Says
    reason: str
    source: str = field(default="")

    def __contains__(self, place: tuple[Version, str]) -> bool:
        version, topic = place
        return version in self.versions and topic in self.topics


def deviation(
    versions: str, topics: str, paths: str, *, official: Says, text: Says, reason: str, source: str = ""
) -> Overlay:
    """Write an overlay down; `versions`, `topics` and `paths` are separated by blanks, versions as in "2.0 2.1"."""
    known = {version.text.removesuffix(".0"): version for version in Version}
    return Overlay(
        tuple(known[version] for version in versions.split()),
        tuple(topics.split()),
        tuple(paths.split()),
        official,
        text,
        reason,
        source,
    )


def official_schema(schema: JsonSchema, overlays: Sequence[Overlay]) -> JsonSchema:
    """Rebuild what the official schema decides: ours, with every overlay taken back."""
    rebuilt = deepcopy(schema)
    for overlay, path in _places(overlays):
        amend(rebuilt, path, remove=overlay.text, add=overlay.official)
    return rebuilt


def strictest_schema(schema: JsonSchema, overlays: Sequence[Overlay]) -> JsonSchema:
    """Join both: what passes contradicts neither our schema nor the official one."""
    joined = deepcopy(schema)
    for overlay, path in _places(overlays):
        plain = {
            keyword: value for keyword, value in overlay.official.items() if keyword not in ("required", "defined")
        }
        if plain:
            _place(joined, path).setdefault("allOf", []).append(plain)
        stricter = {keyword: value for keyword, value in overlay.official.items() if keyword not in plain and value}
        amend(joined, path, remove={}, add=stricter)
    return joined


def amend(schema: JsonSchema, path: str, *, remove: Says, add: Says) -> None:
    """Change what a schema says at a path: `remove` the keywords of one side, `add` those of the other."""
    holder, name = _holder(schema, path)
    if (is_required := add.get("required")) is not None:
        required = [other for other in holder.get("required", []) if other != name]
        holder["required"] = [*required, name] if is_required else required
    defined = add.get("defined")
    if defined is False:
        holder["properties"].pop(name)
    elif isinstance(defined, Mapping):
        holder.setdefault("properties", {})[name] = deepcopy(dict(defined))
    place = _place(schema, path) if defined is not False else {}
    for keyword in remove:
        if keyword not in ("required", "defined") and keyword not in add:
            place.pop(keyword, None)
    place.update({keyword: deepcopy(value) for keyword, value in add.items() if keyword not in ("required", "defined")})


def _places(overlays: Sequence[Overlay]) -> list[tuple[Overlay, str]]:
    """Order them so that each finds its place: what is not defined at all comes last, the outermost at the very end."""
    places = [(overlay, path) for overlay in overlays for path in overlay.paths]
    return sorted(places, key=lambda place: (place[0].official.get("defined") is False, -place[1].count("/")))


def _holder(schema: JsonSchema, path: str) -> tuple[JsonSchema, str]:
    parent, _, name = path.rpartition("/")
    return _place(schema, parent), name


def _place(schema: JsonSchema, path: str) -> JsonSchema:
    place = schema
    for step in path.split("/")[1:]:
        place = place["items"] if step == "*" else place["properties"][step]
    return place
