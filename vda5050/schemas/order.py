"""The topic order: the nodes and edges that a robot is to traverse, and what it does there (1.1 to 3.0).

Sources: 1.1 and 2.0 section 6.7, 2.1 section 6.6.6, 3.0 section 7.3.
"""

from vda5050.schemas.common import ACTION, HEADER, NODE_POSITION, ORDER_SECTION, TRAJECTORY
from vda5050.schemas.members import angle, array, boolean, nested, number, one_of, text, whole
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

_RELEASED = "Part of the base, which the robot may traverse; otherwise of the horizon, which may still change"

NODE = Shape(
    "node",
    ORDER_SECTION,
    required={
        "nodeId": text("Identifies the node"),
        "sequenceId": whole("Place in the order, counted over nodes and edges together; nodes are even"),
        "released": boolean(_RELEASED),
        "actions": array(ACTION, "What to do on the node; empty where there is nothing to do"),
    },
    optional={
        "nodeDescription": text("More about the node, for people", until=V2_1),
        "nodeDescriptor": text("More about the node, for people", since=V3_0),
        "nodePosition": nested(NODE_POSITION, "Where the node is"),
    },
)

CORRIDOR = Shape(
    "corridor",
    ORDER_SECTION,
    required={
        "leftWidth": number("How far the robot may leave its trajectory to the left", unit="m", minimum=0),
        "rightWidth": number("How far the robot may leave its trajectory to the right", unit="m", minimum=0),
    },
    optional={
        "corridorRefPoint": one_of("KINEMATICCENTER CONTOUR", "What has to stay in the corridor", until=V2_1),
        "corridorReferencePoint": one_of("KINEMATIC_CENTER CONTOUR", "What has to stay in the corridor", since=V3_0),
        "releaseRequired": boolean("The robot must ask before it uses the corridor", since=V3_0),
        "releaseLossBehavior": one_of(
            "STOP RETURN", "What the robot does when it loses the right to be in the corridor", since=V3_0
        ),
    },
)

_LIMITS_UNTIL_2_1 = {
    "maxSpeed": number("Highest speed on the edge", unit="m/s", until=V2_1),
    "maxHeight": number("Greatest height of the robot with its load on the edge", unit="m", until=V2_1),
    "minHeight": number("Least height of the load handling device on the edge", unit="m", until=V2_1),
    "rotationAllowed": boolean("The robot may turn on the edge", until=V2_1),
    "maxRotationSpeed": number("Highest turning speed on the edge", unit="rad/s", until=V2_1),
}
_LIMITS_OF_3_0 = {
    "maximumSpeed": number("Highest speed on the edge", unit="m/s", since=V3_0),
    "maximumMobileRobotHeight": number("Greatest height of the robot with its load on the edge", unit="m", since=V3_0),
    "minimumLoadHandlingDeviceHeight": number(
        "Least height of the load handling device on the edge", unit="m", since=V3_0
    ),
    "reachOrientationBeforeEntering": boolean("The robot takes the orientation before the edge", since=V3_0),
    "maximumRotationSpeed": number("Highest turning speed on the edge", unit="rad/s", since=V3_0),
}

EDGE = Shape(
    "edge",
    ORDER_SECTION,
    required={
        "edgeId": text("Identifies the edge"),
        "sequenceId": whole("Place in the order, counted over nodes and edges together; edges are odd"),
        "released": boolean(_RELEASED),
        "startNodeId": text("The node that the edge begins at", until=V2_1),
        "endNodeId": text("The node that the edge ends at", until=V2_1),
        "actions": array(ACTION, "What to do while on the edge; empty where there is nothing to do"),
    },
    optional={
        "edgeDescription": text("More about the edge, for people", until=V2_1),
        "edgeDescriptor": text("More about the edge, for people", since=V3_0),
        **_LIMITS_UNTIL_2_1,
        **_LIMITS_OF_3_0,
        "orientation": angle("Orientation of the robot on the edge"),
        "orientationType": one_of(
            "GLOBAL TANGENTIAL", "What the orientation refers to: the map or the edge (default)", since=V2_0
        ),
        "direction": text("Where a line-guided robot goes at a junction: left, right, straight, ..."),
        "length": number("Length of the way from start to end", unit="m"),
        "distance": number("Length of the way from start to end, as the schema of 1.1 calls it", unit="m", until=V1_1),
        "trajectory": nested(TRAJECTORY, "The path along the edge as a NURBS curve"),
        "corridor": nested(CORRIDOR, "How far the robot may leave its path, to avoid obstacles", since=V2_1),
    },
)

ORDER = Shape(
    "order",
    ORDER_SECTION,
    required={
        **HEADER,
        "orderId": text("Identifies the order; all updates of it carry the same"),
        "orderUpdateId": whole("Counts the updates of this order"),
        "nodes": array(NODE, "The nodes to traverse, in order of their sequenceId"),
        "edges": array(EDGE, "The edges between them; empty where the order is one node"),
    },
    optional={
        "zoneSetId": text("The zone set that the order was planned with", until=V2_1),
        "orderDescription": text("More about the order, for people", since=V3_0),
    },
)
