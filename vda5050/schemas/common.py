"""What several topics share: the header, positions, trajectories and actions.

Sources: 1.1 and 2.0 sections 6.4 and 6.7, 2.1 sections 6.4 and 6.6.6, 3.0 sections 7.2 and 7.3.
"""

from vda5050.schemas.members import (
    HALF_PI,
    PI,
    angle,
    array,
    boolean,
    nested,
    number,
    one_of,
    text,
    timestamp,
    value,
    whole,
)
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

HEADER_SECTION = {V1_1: "6.4", V2_0: "6.4", V2_1: "6.4", V3_0: "7.2"}
ORDER_SECTION = {V1_1: "6.7", V2_0: "6.7", V2_1: "6.6.6", V3_0: "7.3"}
STATE_SECTION = {V1_1: "6.10.6", V2_0: "6.10.6", V2_1: "6.10.6", V3_0: "7.8"}

HEADER_ID = whole("Counts the messages sent on this topic; +1 with each, wraps after 2^32 - 1", section=HEADER_SECTION)
TIMESTAMP = timestamp("When the message was made, ISO 8601 in UTC", section=HEADER_SECTION)
IDENTITY = {
    "version": text("Version of the standard that the message follows: major.minor.patch", section=HEADER_SECTION),
    "manufacturer": text("Who made the robot", section=HEADER_SECTION),
    "serialNumber": text("The robot's serial number, unique for its manufacturer", section=HEADER_SECTION),
}
HEADER = {"headerId": HEADER_ID, "timestamp": TIMESTAMP, **IDENTITY}
"""The members that begin every message."""

HEADER_OF_3_0 = {
    "headerId": whole(HEADER_ID.description, section=HEADER_SECTION, since=V3_0),
    "timestamp": timestamp(TIMESTAMP.description, section=HEADER_SECTION, since=V3_0),
    **{name: text(member.description, section=HEADER_SECTION, since=V3_0) for name, member in IDENTITY.items()},
}
HEADER_UNTIL_2_1 = {
    "headerId": whole(HEADER_ID.description, section=HEADER_SECTION, until=V2_1),
    "timestamp": timestamp(TIMESTAMP.description, section=HEADER_SECTION, until=V2_1),
    **{name: text(member.description, section=HEADER_SECTION, until=V2_1) for name, member in IDENTITY.items()},
}
"""The same, for a topic (visualization) whose header is required from 3.0 on."""

ELLIPSE = Shape(
    "allowedDeviationXY",
    {V3_0: "7.3"},
    required={
        "a": number("Half the ellipse's long axis", unit="m", minimum=0),
        "b": number("Half the ellipse's short axis", unit="m", minimum=0),
        "theta": number("Rotation of the long axis on the map", unit="rad", minimum=-HALF_PI, maximum=HALF_PI),
    },
)

NODE_POSITION = Shape(
    "nodePosition",
    ORDER_SECTION,
    required={
        "x": number("Position on the map", unit="m"),
        "y": number("Position on the map", unit="m"),
        "mapId": text("The map that the position is on"),
    },
    optional={
        "theta": angle("Orientation that the robot takes on the node"),
        "allowedDeviationXY": (
            number("Radius within which the node counts as reached", unit="m", minimum=0, until=V2_1),
            nested(ELLIPSE, "Ellipse around the node within which it counts as reached", since=V3_0),
        ),
        "allowedDeviationTheta": number(
            "How far the orientation may be off", unit="rad", minimum=0, maximum=3.141592654
        ),
        "mapDescription": text("More about the map, for people", until=V2_1),
    },
)

REPORTED_NODE_POSITION = Shape(
    "nodePosition",
    {V3_0: "7.8"},
    required=NODE_POSITION.required,
    optional={"theta": NODE_POSITION.optional["theta"]},
)
"""3.0 gives the position in the state a table of its own; before, it is the order's."""

CONTROL_POINT = Shape(
    "controlPoint",
    ORDER_SECTION,
    required={
        "x": number("Position on the map", unit="m"),
        "y": number("Position on the map", unit="m"),
    },
    optional={
        "weight": (
            number("Pull of this point on the curve; 1 where it is absent", above=0, until=V2_0),
            number("Pull of this point on the curve; 1 where it is absent", minimum=0, since=V2_1, until=V2_1),
            number("Pull of this point on the curve; 1 where it is absent", above=0, since=V3_0),
        ),
        "orientation": angle("Orientation of the robot at this point of the curve", until=V1_1),
    },
)

_KNOTS = "Where and how much the control points shape the curve; as many as control points + degree + 1"

TRAJECTORY = Shape(
    "trajectory",
    ORDER_SECTION,
    required={
        "knotVector": array(number("", minimum=0, maximum=1), _KNOTS, until=V2_1),
        "controlPoints": array(CONTROL_POINT, "The curve's control points, its start and end among them"),
    },
    optional={
        "degree": (
            number("Degree of the NURBS curve; 1 where it is absent", minimum=1, until=V2_1),
            whole("Degree of the NURBS curve; 1 where it is absent", minimum=1, since=V3_0),
        ),
        "knotVector": array(number("", minimum=0, maximum=1), f"{_KNOTS}; evenly spread if absent", since=V3_0),
    },
)

ACTION_PARAMETER = Shape(
    "actionParameter",
    {V1_1: "7.2", V2_0: "8.2", V2_1: "7.2", V3_0: "7.3.1"},
    required={
        "key": text("Name of the parameter"),
        "value": value("Value of the parameter, of any JSON type but null"),
    },
)

ACTION_TYPE = text("What is to be done: a predefined action's name or the manufacturer's own")
ACTION_ID = text("Identifies the action; its state is reported under the same id")
ACTION_PARAMETERS = array(ACTION_PARAMETER, "Parameters of the action")
ACTION_DESCRIPTION = {
    "actionDescription": text("More about the action, for people", until=V2_1),
    "actionDescriptor": text("More about the action, for people", since=V3_0),
}
_BLOCKING = "What may happen meanwhile: anything (NONE), no driving (SOFT), no other action (SINGLE), nothing (HARD)"
BLOCKING_TYPE = (
    one_of("NONE SOFT HARD", _BLOCKING, since=V2_0, until=V2_1),
    one_of("NONE SOFT SINGLE HARD", _BLOCKING, since=V3_0),
)
BLOCKING_TYPE_OF_1_1 = one_of("NONE SOFT HARD", _BLOCKING, until=V1_1)
RETRIABLE = boolean("The action may be tried again when it fails, instead of failing at once", since=V3_0)

ACTION = Shape(
    "action",
    ORDER_SECTION,
    required={"actionType": ACTION_TYPE, "actionId": ACTION_ID, "blockingType": BLOCKING_TYPE},
    optional={
        "blockingType": BLOCKING_TYPE_OF_1_1,
        **ACTION_DESCRIPTION,
        "actionParameters": ACTION_PARAMETERS,
        "retriable": RETRIABLE,
    },
)

POSITION = Shape(
    "position",
    STATE_SECTION,
    required={
        "x": number("Position on the map", unit="m"),
        "y": number("Position on the map", unit="m"),
        "theta": number("Orientation on the map", unit="rad", minimum=-PI, maximum=PI),
        "mapId": text("The map that the position is on"),
        "positionInitialized": boolean("The robot knows where it is", until=V2_1),
        "localized": boolean("The robot knows where it is, and its position can be trusted", since=V3_0),
    },
    optional={
        "mapDescription": text("More about the map, for people", until=V2_1),
        "localizationScore": number("How sure the robot is of its position, from 0 to 1", minimum=0, maximum=1),
        "deviationRange": (
            number("How far the position may be off", unit="m", until=V2_1),
            number("How far the position may be off", unit="m", minimum=0, since=V3_0),
        ),
    },
)
"""`agvPosition` until 2.1, `mobileRobotPosition` from 3.0 on."""

VELOCITY = Shape(
    "velocity",
    STATE_SECTION,
    required={},
    optional={
        "vx": number("Speed forwards, in the robot's coordinates", unit="m/s"),
        "vy": number("Speed to the left, in the robot's coordinates", unit="m/s"),
        "omega": number("Turning speed around the vertical axis", unit="rad/s"),
    },
)

BOUNDING_BOX_REFERENCE = Shape(
    "boundingBoxReference",
    STATE_SECTION,
    required={
        "x": number("Centre of the load's lower side, in the robot's coordinates", unit="m"),
        "y": number("Centre of the load's lower side, in the robot's coordinates", unit="m"),
        "z": number("Height of the load's lower side, in the robot's coordinates", unit="m"),
    },
    optional={"theta": number("Orientation of the load", unit="rad")},
)

PLANNED_PATH = Shape(
    "plannedPath",
    STATE_SECTION,
    required={"trajectory": nested(TRAJECTORY, "The path as a NURBS curve")},
    optional={"traversedNodes": array(text("nodeId"), "Nodes of the order that lie on the path")},
)

WAYPOINT = Shape(
    "waypoint",
    STATE_SECTION,
    required={
        "x": number("Position on the map", unit="m"),
        "y": number("Position on the map", unit="m"),
        "eta": timestamp("When the robot expects to be there, ISO 8601 in UTC"),
    },
    optional={"theta": angle("Orientation on the map")},
)

INTERMEDIATE_PATH = Shape(
    "intermediatePath",
    STATE_SECTION,
    required={"polyline": array(WAYPOINT, "Ends of the path's straight pieces")},
)

MOTION = {
    "agvPosition": nested(POSITION, "Where the robot is", until=V2_1, section=STATE_SECTION),
    "mobileRobotPosition": nested(POSITION, "Where the robot is", since=V3_0, section=STATE_SECTION),
    "velocity": nested(VELOCITY, "How fast the robot moves", section=STATE_SECTION),
    "plannedPath": nested(PLANNED_PATH, "The path within the order that the robot plans", since=V3_0),
    "intermediatePath": nested(INTERMEDIATE_PATH, "The next way points that the robot sees", since=V3_0),
}
"""What state and visualization both tell about where the robot is and goes."""
