"""Where the robot is, how it moves, which way it will take.

Metres and radians in the project's coordinates: right-handed, y up, theta from -pi to pi. Names: `agvPosition` up to
2.1, `mobileRobotPosition` in 3.0 (VDA 5050 2.1.0, section 6.10.6; the paths are new in 3.0).
"""

from typing import ClassVar

from marshmallow import Schema

from vda5050.robot_view.members import Flag, Identifier, Many, Number, Numbers, One, Text, Texts, Whole


class ViewPositionSchema(Schema):
    """A pose on a map, from the newer one of state and visualization."""

    x = Number("X coordinate on the map.", "x", unit="m")
    y = Number("Y coordinate on the map, upwards.", "y", unit="m")
    theta = Number("Orientation, counter-clockwise from the x axis.", "theta", unit="rad")
    map_id = Identifier("The map that the coordinates belong to.", "mapId")
    is_localized = Flag("Whether the robot knows where it is.", "positionInitialized", "localized")
    localization_score = Number("Quality of the localization: 0 unknown, 1 known.", "localizationScore")
    deviation_range = Number("How far the position may be off.", "deviationRange", unit="m")


class ViewVelocitySchema(Schema):
    """Velocity in the robot's own coordinates."""

    vx = Number("Forwards.", "vx", unit="m/s")
    vy = Number("To the left.", "vy", unit="m/s")
    omega = Number("Turning counter-clockwise.", "omega", unit="rad/s")


class ViewVertexSchema(Schema):
    """A corner of a polygon."""

    positional: ClassVar = ("x", "y")

    x = Number("X coordinate.", "x", unit="m")
    y = Number("Y coordinate.", "y", unit="m")


class ViewControlPointSchema(Schema):
    """A control point of a NURBS."""

    positional: ClassVar = ("x", "y", "weight")

    x = Number("X coordinate.", "x", unit="m")
    y = Number("Y coordinate.", "y", unit="m")
    weight = Number("How strongly it draws the curve; 1 where null.", "weight")


class ViewTrajectorySchema(Schema):
    """A path as a non-uniform rational B-spline (NURBS)."""

    degree = Whole("Degree of the curve.", "degree")
    knot_vector = Numbers("Knots from 0 to 1: as many as control points + degree + 1.", "knotVector")
    control_points = Many(ViewControlPointSchema, "Control points, first and last on the path.", "controlPoints")


class ViewPlannedPathSchema(Schema):
    """The way that a 3.0 robot means to take in the whole."""

    trajectory = One(ViewTrajectorySchema, "The way as a curve.", "trajectory")
    traversed_nodes = Texts("Ids of the nodes on the way.", "traversedNodes")


class ViewWaypointSchema(Schema):
    """A point of the way just ahead."""

    positional: ClassVar = ("x", "y", "theta", "eta")

    x = Number("X coordinate.", "x", unit="m")
    y = Number("Y coordinate.", "y", unit="m")
    theta = Number("Orientation there.", "theta", unit="rad")
    eta = Text("When the robot expects to be there, as it wrote it (ISO 8601).", "eta")


class ViewIntermediatePathSchema(Schema):
    """The way just ahead of a 3.0 robot, as its sensors allow."""

    polyline = Many(ViewWaypointSchema, "Points in the order they are passed.", "polyline")
