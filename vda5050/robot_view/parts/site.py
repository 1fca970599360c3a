"""What the robot knows about the place: maps, zones, and what it asks leave for.

Maps since 2.1. Zones: one `zoneSetId` up to 2.1; `zoneSets`, the zoneSet topic and requests in 3.0.
"""

from typing import ClassVar

from marshmallow import Schema

from vda5050.robot_view.members import Identifier, Many, One, Text, Whole, Word
from vda5050.robot_view.parts.motion import ViewTrajectorySchema, ViewVertexSchema

_ENABLED = "ENABLED DISABLED"


class ViewMapSchema(Schema):
    """A map that the robot holds."""

    map_id = Identifier("Unique id.", "mapId")
    map_version = Identifier("Version of the map.", "mapVersion")
    status = Word("Whether the robot uses it:", "mapStatus", words=_ENABLED)
    description = Text("Text for people.", "mapDescription", "mapDescriptor")


class ViewZoneSchema(Schema):
    """An area with rules of its own (3.0)."""

    zone_id = Identifier("Unique id.", "zoneId")
    type = Word(
        "What its rule is:",
        "zoneType",
        words="BLOCKED LINE_GUIDED RELEASE COORDINATED_REPLANNING SPEED_LIMIT ACTION PRIORITY PENALTY DIRECTED "
        "BIDIRECTED",
    )
    description = Text("Text for people.", "zoneDescriptor")
    vertices = Many(ViewVertexSchema, "Its outline, counter-clockwise.", "vertices")


class ViewZoneSetSchema(Schema):
    """A set of zones that the robot holds. Up to 2.1 only its id is known."""

    flattened: ClassVar = ("zoneSet",)

    zone_set_id = Identifier("Unique id.", "zoneSetId")
    map_id = Identifier("The map it belongs to.", "mapId")
    status = Word("Whether the robot uses it:", "zoneSetStatus", words=_ENABLED)
    description = Text("Text for people.", "zoneSetDescriptor")
    zones = Many(ViewZoneSchema, "The areas, where the set was last on the zoneSet topic.", "zones")


class ViewRequestSchema(Schema):
    """What a 3.0 robot asks leave for, and what became of it."""

    request_id = Identifier("Unique id.", "requestId")
    type = Word("What it asks for:", "requestType", words="ACCESS REPLANNING CORRIDOR")
    status = Word("What became of it:", "requestStatus", words="REQUESTED QUEUED GRANTED REVOKED EXPIRED")
    zone_id = Identifier("The zone, in a request about a zone.", "zoneId")
    zone_set_id = Identifier("The zone's set.", "zoneSetId")
    edge_id = Identifier("The edge, in a request about an edge.", "edgeId")
    sequence_id = Whole("The edge's place in the order.", "sequenceId")
    trajectory = One(ViewTrajectorySchema, "The way it asks for, in a request to replan.", "trajectory")
