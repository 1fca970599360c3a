"""The topic zoneSet: areas of a map in which special rules hold (3.0). Sources: 3.0 sections 6.4.1 and 7.6."""

from vda5050.schemas.common import ACTION_DESCRIPTION, ACTION_PARAMETERS, ACTION_TYPE, BLOCKING_TYPE, HEADER, RETRIABLE
from vda5050.schemas.members import array, nested, number, one_of, text
from vda5050.schemas.shapes import Condition, Shape
from vda5050.schemas.versions import V3_0

ZONE_TYPES = (
    "BLOCKED LINE_GUIDED RELEASE COORDINATED_REPLANNING SPEED_LIMIT ACTION PRIORITY PENALTY DIRECTED BIDIRECTED"
)

ZONE_ACTION = Shape(
    "zoneAction",
    {V3_0: "7.6"},
    required={"actionType": ACTION_TYPE, "blockingType": BLOCKING_TYPE},
    optional={**ACTION_DESCRIPTION, "actionParameters": ACTION_PARAMETERS, "retriable": RETRIABLE},
)

VERTEX = Shape(
    "vertex",
    {V3_0: "7.6"},
    required={
        "x": number("Position on the map", unit="m"),
        "y": number("Position on the map", unit="m"),
    },
)

ZONE = Shape(
    "zone",
    {V3_0: "7.6"},
    required={
        "zoneId": text("Identifies the zone within its set"),
        "zoneType": one_of(ZONE_TYPES, "Which rules hold in the zone"),
        "vertices": array(VERTEX, "Corners of the zone, counterclockwise", at_least=3),
    },
    optional={
        "zoneDescriptor": text("More about the zone, for people"),
        "maximumSpeed": number("SPEED_LIMIT: highest speed in the zone", unit="m/s"),
        "entryActions": array(ZONE_ACTION, "ACTION: what to do on entering"),
        "duringActions": array(ZONE_ACTION, "ACTION: what to do while inside"),
        "exitActions": array(ZONE_ACTION, "ACTION: what to do on leaving"),
        "releaseLossBehavior": one_of(
            "STOP CONTINUE EVACUATE", "RELEASE: what to do when the right to be inside is lost"
        ),
        "priorityFactor": number("PRIORITY: how much the zone is preferred, from 0 to 1", minimum=0, maximum=1),
        "penaltyFactor": number("PENALTY: how much the zone is avoided, from 0 to 1", minimum=0, maximum=1),
        "direction": number("DIRECTED, BIDIRECTED: direction of travel on the map", unit="rad"),
        "directedLimitation": one_of("SOFT RESTRICTED STRICT", "DIRECTED: how strictly the direction is kept"),
        "bidirectedLimitation": one_of("SOFT RESTRICTED", "BIDIRECTED: how strictly the directions are kept"),
    },
    conditions=(
        Condition("zoneType", "RELEASE", ("releaseLossBehavior",)),
        Condition("zoneType", "SPEED_LIMIT", ("maximumSpeed",)),
        Condition("zoneType", "ACTION", ("entryActions", "duringActions", "exitActions")),
        Condition("zoneType", "PRIORITY", ("priorityFactor",)),
        Condition("zoneType", "PENALTY", ("penaltyFactor",)),
        Condition("zoneType", "DIRECTED", ("direction", "directedLimitation")),
        Condition("zoneType", "BIDIRECTED", ("direction", "bidirectedLimitation")),
    ),
)

ZONE_SET = Shape(
    "zoneSet",
    {V3_0: "7.6"},
    required={
        "mapId": text("The map that the zones are on"),
        "zoneSetId": text("Identifies the zone set; one that changes gets a new id"),
        "zones": array(ZONE, "The zones"),
    },
    optional={"zoneSetDescriptor": text("More about the zone set, for people")},
)

ZONE_SET_MESSAGE = Shape(
    "zoneSet",
    {V3_0: "7.6"},
    required={**HEADER, "zoneSet": nested(ZONE_SET, "The zone set")},
)
