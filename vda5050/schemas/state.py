"""The topic state: everything a robot tells about itself (1.1 to 3.0).

Sources: 1.1 to 2.1 section 6.10.6, 3.0 section 7.8. What is about the robot's health stands in `state_health`.
"""

from vda5050.schemas.common import (
    BOUNDING_BOX_REFERENCE,
    HEADER,
    MOTION,
    NODE_POSITION,
    REPORTED_NODE_POSITION,
    STATE_SECTION,
    TRAJECTORY,
)
from vda5050.schemas.members import array, boolean, nested, number, one_of, text, whole
from vda5050.schemas.shapes import Shape
from vda5050.schemas.state_health import BATTERY_STATE, ERROR, INFO, POWER_SUPPLY, SAFETY_STATE
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

_RELEASED = "Part of the base, which the robot may traverse; otherwise of the horizon"

NODE_STATE = Shape(
    "nodeState",
    STATE_SECTION,
    required={
        "nodeId": text("Identifies the node"),
        "sequenceId": whole("The node's place in the order"),
        "released": boolean(_RELEASED),
    },
    optional={
        "nodeDescription": text("More about the node, for people", until=V2_1),
        "nodeDescriptor": text("More about the node, for people", since=V3_0),
        "nodePosition": (
            nested(NODE_POSITION, "Where the node is", until=V2_1),
            nested(REPORTED_NODE_POSITION, "Where the node is", since=V3_0),
        ),
    },
)

EDGE_STATE = Shape(
    "edgeState",
    STATE_SECTION,
    required={
        "edgeId": text("Identifies the edge"),
        "sequenceId": whole("The edge's place in the order"),
        "released": boolean(_RELEASED),
    },
    optional={
        "edgeDescription": text("More about the edge, for people", until=V2_1),
        "edgeDescriptor": text("More about the edge, for people", since=V3_0),
        "trajectory": nested(TRAJECTORY, "The path along the edge as a NURBS curve"),
    },
)

LOAD_DIMENSIONS = Shape(
    "loadDimensions",
    STATE_SECTION,
    required={
        "length": (
            number("Length of the load", unit="m", until=V2_1),
            number("Length of the load", unit="m", minimum=0, since=V3_0),
        ),
        "width": (
            number("Width of the load", unit="m", until=V2_1),
            number("Width of the load", unit="m", minimum=0, since=V3_0),
        ),
    },
    optional={
        "height": (
            number("Height of the load", unit="m", until=V2_1),
            number("Height of the load", unit="m", minimum=0, since=V3_0),
        ),
    },
)

LOAD = Shape(
    "load",
    STATE_SECTION,
    required={},
    optional={
        "loadId": text("Identifies the load; empty while it is not yet known"),
        "loadType": text("Kind of load"),
        "loadPosition": text("Where on the robot the load is: front, back, ..."),
        "boundingBoxReference": nested(BOUNDING_BOX_REFERENCE, "Where the load is, in the robot's coordinates"),
        "loadDimensions": nested(LOAD_DIMENSIONS, "How large the load is"),
        "weight": number("How heavy the load is", unit="kg", minimum=0),
    },
)

_STATUS = "How far the action is"

ACTION_STATE = Shape(
    "actionState",
    STATE_SECTION,
    required={
        "actionId": text("Identifies the action"),
        "actionStatus": (
            one_of(
                "WAITING INITIALIZING RUNNING PAUSED FINISHED FAILED "
                "waiting initializing running paused finished failed",
                f"{_STATUS}; 1.1 prints its words in both cases",
                until=V1_1,
            ),
            one_of("WAITING INITIALIZING RUNNING PAUSED FINISHED FAILED", _STATUS, since=V2_0, until=V2_1),
            one_of("WAITING INITIALIZING RUNNING PAUSED RETRIABLE FINISHED FAILED", _STATUS, since=V3_0),
        ),
    },
    optional={
        "actionType": text("What is being done"),
        "actionDescription": text("More about the action, for people", until=V2_1),
        "actionDescriptor": text("More about the action, for people", since=V3_0),
        "resultDescription": text("What came out of the action, as the code that was read", until=V2_1),
        "actionResult": text("What came out of the action, as the code that was read", since=V3_0),
    },
)

MAP = Shape(
    "map",
    STATE_SECTION,
    required={
        "mapId": text("Identifies the map"),
        "mapVersion": text("Version of the map"),
        "mapStatus": one_of("ENABLED DISABLED", "In use, or only stored; one version of a map is in use at most"),
    },
    optional={
        "mapDescription": text("More about the map, for people", until=V2_1),
        "mapDescriptor": text("More about the map, for people", since=V3_0),
    },
)

ZONE_SET_STATE = Shape(
    "zoneSet",
    STATE_SECTION,
    required={
        "zoneSetId": text("Identifies the zone set"),
        "mapId": text("The map that it belongs to"),
        "zoneSetStatus": one_of("ENABLED DISABLED", "In use, or only stored; one set of a map is in use at most"),
    },
)

_REQUEST_STATUS = one_of("REQUESTED GRANTED REVOKED EXPIRED QUEUED", "What became of the request")

ZONE_REQUEST = Shape(
    "zoneRequest",
    STATE_SECTION,
    required={
        "requestId": text("Identifies the request among the robot's active ones"),
        "requestType": one_of("ACCESS REPLANNING", "What the robot asks for"),
        "zoneId": text("The zone that it asks about"),
        "zoneSetId": text("The zone set that the zone belongs to"),
        "requestStatus": _REQUEST_STATUS,
    },
    optional={"trajectory": nested(TRAJECTORY, "The path through the zone that the robot plans")},
)

EDGE_REQUEST = Shape(
    "edgeRequest",
    STATE_SECTION,
    required={
        "requestId": text("Identifies the request among the robot's active ones"),
        "requestType": one_of("CORRIDOR", "What the robot asks for: to leave its path within the corridor"),
        "edgeId": text("The edge that it asks about"),
        "sequenceId": whole("The edge's place in the order"),
        "requestStatus": _REQUEST_STATUS,
    },
)

_MODE = "Who is in control of the robot"

STATE = Shape(
    "state",
    STATE_SECTION,
    required={
        **HEADER,
        "orderId": text("The current or the last order; empty where there was none"),
        "orderUpdateId": whole("The last update of the order that was accepted; 0 where there was none"),
        "lastNodeId": text("The node that the robot is on or was on last; empty where it is unknown"),
        "lastNodeSequenceId": whole("That node's place in the order"),
        "nodeStates": array(NODE_STATE, "The nodes still to be traversed; empty when idle"),
        "edgeStates": array(EDGE_STATE, "The edges still to be traversed; empty when idle"),
        "driving": boolean("The robot drives or turns"),
        "actionStates": (
            array(ACTION_STATE, "The actions of the order, and the instant actions since it", until=V2_1),
            array(ACTION_STATE, "The actions of the order", since=V3_0),
        ),
        "instantActionStates": array(ACTION_STATE, "The instant actions, until they are cleared", since=V3_0),
        "batteryState": nested(BATTERY_STATE, "The battery", until=V2_1),
        "powerSupply": nested(POWER_SUPPLY, "The battery, or what else supplies the robot", since=V3_0),
        "operatingMode": (
            one_of("AUTOMATIC SEMIAUTOMATIC MANUAL SERVICE TEACHIN", _MODE, until=V2_1),
            one_of("STARTUP AUTOMATIC SEMIAUTOMATIC INTERVENED MANUAL SERVICE TEACH_IN", _MODE, since=V3_0),
        ),
        "errors": array(ERROR, "The errors that are active now"),
        "safetyState": nested(SAFETY_STATE, "Emergency stop and protective field"),
    },
    optional={
        "maps": array(MAP, "The maps that the robot has", since=V2_1),
        "zoneSetId": text("The zone set that the robot plans with", until=V2_1),
        "zoneSets": array(ZONE_SET_STATE, "The zone sets that the robot has", since=V3_0),
        **MOTION,
        "loads": array(LOAD, "What the robot carries; empty: nothing; absent: it cannot tell"),
        "paused": boolean("The robot is paused, by a button or an instant action"),
        "newBaseRequest": boolean("The robot is near the end of its base and asks for more"),
        "distanceSinceLastNode": number("Way since the last node, of line-guided robots", unit="m"),
        "zoneRequests": array(ZONE_REQUEST, "What the robot asks for in zones", since=V3_0),
        "edgeRequests": array(EDGE_REQUEST, "What the robot asks for on edges", since=V3_0),
        "zoneActionStates": array(ACTION_STATE, "The actions of zones", since=V3_0),
        "information": array(INFO, "For display and debugging only"),
        "informations": array(INFO, "For display and debugging only, as the text of 1.1 calls it", until=V1_1),
    },
)
