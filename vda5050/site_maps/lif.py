"""Layouts in VDMA's Layout Interchange Format (LIF 1.0): the ways, nodes and stations that routes are made of.

Takes a file's bytes, gives a `Layout` for one map. The schema is what LIF's own says, in our words; like VDA 5050's
messages a layout may hold more than the standard knows. One file may describe several maps: a layout keeps the nodes of
its own, the edges that begin there and the stations that are reached from there.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from vda5050.schemas.members import Number, Text, Truth, WholeNumber
from vda5050.site_maps.errors import SiteMapError

MAX_LAYOUT_BYTES = 8 * 1024 * 1024
"""A hall with 20,000 edges, as written by planning tools."""
_SHOWN_PROBLEMS = 20
_MAX_NAME_CHARS = 60

JsonObject = dict[str, Any]


class _Part(Schema):
    class Meta:
        """Marshmallow's options."""

        unknown = INCLUDE


def _list(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


class ControlPointSchema(_Part):
    """A control point of a curve."""

    x = Number(required=True)
    y = Number(required=True)
    weight = Number(validate=validate.Range(min=0, min_inclusive=False))


class TrajectorySchema(_Part):
    """A NURBS, as VDA 5050 has it."""

    degree = WholeNumber(validate=validate.Range(min=1))
    knotVector = fields.List(Number(), required=True)  # noqa: N815 - LIF's name
    controlPoints = _list(ControlPointSchema)  # noqa: N815


class EdgePropertySchema(_Part):
    """What one type of vehicle may do on an edge."""

    vehicleTypeId = Text(required=True)  # noqa: N815
    rotationAllowed = Truth(required=True)  # noqa: N815
    trajectory = fields.Nested(TrajectorySchema)


class EdgeSchema(_Part):
    """A way from a node to another one."""

    edgeId = Text(required=True)  # noqa: N815
    startNodeId = Text(required=True)  # noqa: N815
    endNodeId = Text(required=True)  # noqa: N815
    vehicleTypeEdgeProperties = _list(EdgePropertySchema)  # noqa: N815


class PlaceSchema(_Part):
    """A place in metres."""

    x = Number(required=True)
    y = Number(required=True)
    theta = Number()


class NodePropertySchema(_Part):
    """What one type of vehicle may do on a node."""

    vehicleTypeId = Text(required=True)  # noqa: N815


class NodeSchema(_Part):
    """A node."""

    nodeId = Text(required=True)  # noqa: N815
    mapId = Text()  # noqa: N815
    nodePosition = fields.Nested(PlaceSchema, required=True)  # noqa: N815
    vehicleTypeNodeProperties = _list(NodePropertySchema)  # noqa: N815


class StationSchema(_Part):
    """A place where vehicles meet the world: a rack, a conveyor, a charger."""

    stationId = Text(required=True)  # noqa: N815
    stationName = Text()  # noqa: N815
    interactionNodeIds = fields.List(Text(), required=True)  # noqa: N815
    stationPosition = fields.Nested(PlaceSchema)  # noqa: N815


class LayoutSchema(_Part):
    """One plane of the site."""

    layoutId = Text(required=True)  # noqa: N815
    layoutName = Text()  # noqa: N815
    layoutVersion = Text(required=True)  # noqa: N815
    nodes = _list(NodeSchema)
    edges = _list(EdgeSchema)
    stations = _list(StationSchema)


class MetaInformationSchema(_Part):
    """Who made the file, and when."""

    projectIdentification = Text(required=True)  # noqa: N815
    creator = Text(required=True)
    exportTimestamp = Text(required=True)  # noqa: N815
    lifVersion = Text(required=True)  # noqa: N815


class LifSchema(_Part):
    """A layout file (LIF)."""

    metaInformation = fields.Nested(MetaInformationSchema, required=True)  # noqa: N815
    layouts = _list(LayoutSchema)


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one map. `body` is LIF again, as JSON; `facts` are what a list says of it."""

    body: bytes
    facts: JsonObject


def parse_lif(body: bytes) -> JsonObject:
    """Read and check a LIF file. Raises SiteMapError."""
    if len(body) > MAX_LAYOUT_BYTES:
        raise SiteMapError("too_large", f"A layout may have {MAX_LAYOUT_BYTES} bytes.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SiteMapError("invalid_layout", f"The file is no JSON: {error}.") from error
    if not isinstance(document, dict):
        raise SiteMapError("invalid_layout", "The file is no JSON object.")
    try:
        LifSchema().load(document)
    except ValidationError as error:
        problems = [{"path": path, "message": message} for path, message in _flat(error.messages, "")]
        raise _invalid(problems) from error
    problems = list(_unknown_nodes(document))
    if problems:
        raise _invalid(problems)
    return document


def maps_in(document: JsonObject) -> list[str]:
    """Name the maps that the nodes are on, each once; a node that names none is on the map of its layout's id."""
    return list(dict.fromkeys(_map_of(node, layout) for layout in document["layouts"] for node in layout["nodes"]))


def layout_of(document: JsonObject, map_id: str) -> Layout:
    """Cut one map out of a file that was checked."""
    layouts = [cut for layout in document["layouts"] if (cut := _cut(layout, map_id))["nodes"]]
    body = orjson.dumps({**document, "layouts": layouts})
    names = ", ".join(layout.get("layoutName") or layout["layoutId"] for layout in layouts)
    facts = {
        "name": names if len(names) <= _MAX_NAME_CHARS else f"{names[:_MAX_NAME_CHARS]}…",
        "nodes": sum(len(layout["nodes"]) for layout in layouts),
        "edges": sum(len(layout["edges"]) for layout in layouts),
        "stations": sum(len(layout["stations"]) for layout in layouts),
        "digest": digest_of(body),
    }
    return Layout(body, facts)


def read_layout(body: bytes, map_id: str) -> Layout:
    """Read a file that is meant for one map: nodes that name no map are on it. Raises SiteMapError."""
    document = parse_lif(body)
    for layout in document["layouts"]:
        for node in layout["nodes"]:
            node.setdefault("mapId", map_id)
    maps = maps_in(document)
    if map_id not in maps:
        told = ", ".join(maps)[:200] or "none"
        raise SiteMapError("other_map", f"The file has no node on the map {map_id}; the maps in it are: {told}.")
    return layout_of(document, map_id)


def digest_of(body: bytes) -> str:
    """Name content, so that a page knows whether it has it already."""
    return hashlib.sha256(body).hexdigest()[:16]


def _map_of(node: JsonObject, layout: JsonObject) -> str:
    return str(node.get("mapId") or layout["layoutId"])


def _cut(layout: JsonObject, map_id: str) -> JsonObject:
    nodes = [node for node in layout["nodes"] if _map_of(node, layout) == map_id]
    here = {node["nodeId"] for node in nodes}
    stations = [station for station in layout["stations"] if here.intersection(station["interactionNodeIds"])]
    return {
        **layout,
        "nodes": nodes,
        "edges": [edge for edge in layout["edges"] if edge["startNodeId"] in here],
        "stations": stations,
    }


def _unknown_nodes(document: JsonObject) -> Iterator[JsonObject]:
    """Find edges that begin at no node of their layout (LIF: the start node is always part of it)."""
    for at, layout in enumerate(document["layouts"]):
        known = {node["nodeId"] for node in layout["nodes"]}
        for number, edge in enumerate(layout["edges"]):
            if edge["startNodeId"] not in known:
                path = f"/layouts/{at}/edges/{number}/startNodeId"
                yield {"path": path, "message": f"There is no node {edge['startNodeId'][:60]} in this layout."}


def _invalid(problems: list[JsonObject]) -> SiteMapError:
    count = len(problems)
    detail = f"The file is no LIF layout: {count} {'problem' if count == 1 else 'problems'}, as {problems[0]['path']}."
    return SiteMapError("invalid_layout", detail, problems[:_SHOWN_PROBLEMS])


def _flat(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    """Turn marshmallow's nested messages into places and texts."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else f"{path}/{key}")
    else:
        for message in messages:
            yield path or "/", str(message)
