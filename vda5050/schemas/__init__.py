"""What VDA 5050's messages look like in versions 1.1, 2.0, 2.1 and 3.0: the package's one source of truth.

Gives `SCHEMAS`, a marshmallow schema for every topic of every version. Each schema keeps members it does not know, and
each field carries in its `metadata` a `description` in our words, the `section` of the specification that defines it
in that version, and the `unit` of what is measured. From these `validation` makes JSON Schemas, which check messages
and are published.

    versions  ->  members (fields)  ->  shapes (objects, all versions of each)  ->  common, order, state, ...
              ->  detection (which version a message follows)

What a shape says is the specification's text where text and official schema disagree; `validation.overlays` lists
where they do. Members are named as the standard names them.
"""

from collections.abc import Mapping

from vda5050.schemas.connection import CONNECTION
from vda5050.schemas.factsheet import FACTSHEET
from vda5050.schemas.instant_actions import INSTANT_ACTIONS
from vda5050.schemas.order import ORDER
from vda5050.schemas.responses import RESPONSES
from vda5050.schemas.shapes import Shape, Vda5050Schema
from vda5050.schemas.state import STATE
from vda5050.schemas.versions import Version
from vda5050.schemas.visualization import VISUALIZATION
from vda5050.schemas.zone_set import ZONE_SET_MESSAGE

__all__ = ["SCHEMAS", "Shape", "Vda5050Schema", "Version"]

_TOPICS: Mapping[str, tuple[Version, Shape]] = {
    "order": (Version.V1_1, ORDER),
    "instantActions": (Version.V1_1, INSTANT_ACTIONS),
    "state": (Version.V1_1, STATE),
    "visualization": (Version.V1_1, VISUALIZATION),
    "connection": (Version.V1_1, CONNECTION),
    "factsheet": (Version.V2_0, FACTSHEET),
    "zoneSet": (Version.V3_0, ZONE_SET_MESSAGE),
    "responses": (Version.V3_0, RESPONSES),
}
"""Each topic, with the version that introduced it."""

SCHEMAS: Mapping[Version, Mapping[str, type[Vda5050Schema]]] = {
    version: {
        topic: shape.schema(version)
        for topic, (since, shape) in _TOPICS.items()
        if version in Version.span(since, Version.V3_0)
    }
    for version in Version
}
"""The marshmallow schema of every topic, by version."""
