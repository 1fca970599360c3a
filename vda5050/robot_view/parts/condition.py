"""How the robot is: connection, battery, errors, information, loads, safety.

Names: `batteryState` up to 2.1, `powerSupply` in 3.0; `informations` in 1.1's text; `eStop` up to 2.1,
`activeEmergencyStop` in 3.0 (VDA 5050 2.1.0, sections 6.10.6 and 6.14).
"""

from typing import ClassVar

from marshmallow import Schema

from vda5050.robot_view.members import Flag, Identifier, Many, Number, One, Text, Word

CONNECTION_STATES = "ONLINE OFFLINE HIBERNATING CONNECTION_BROKEN"
CONNECTION_ALIASES = {"CONNECTIONBROKEN": "CONNECTION_BROKEN"}


class ViewConnectionSchema(Schema):
    """The last message on the connection topic: the link to the broker, never the robot's health."""

    state = Word("As sent:", "connectionState", words=CONNECTION_STATES, aliases=CONNECTION_ALIASES)
    is_retained = Flag("The broker had kept the message: its age is unknown.", allow_none=False)
    timestamp = Text("The robot's own; that of a last will is when the robot connected. Tells no age.", "timestamp")


class ViewBatterySchema(Schema):
    """The power supply."""

    charge = Number("State of charge.", "batteryCharge", "stateOfCharge", "percentage", unit="%")
    is_charging = Flag("Whether it is being charged.", "charging")
    voltage = Number("Voltage.", "batteryVoltage", unit="V")
    current = Number("Current (3.0).", "batteryCurrent", unit="A")
    health = Number("State of health.", "batteryHealth", unit="%")
    range = Number("Reach with the charge left.", "reach", "range", unit="m")


class ViewReferenceSchema(Schema):
    """What an error or an information is about."""

    key = Identifier("Kind of thing: nodeId, actionId, headerId ...", "referenceKey")
    value = Identifier("Which one.", "referenceValue")


class ViewErrorSchema(Schema):
    """An error that the robot reports."""

    type = Identifier("Kind of error.", "errorType")
    level = Word(
        "Severity, on the scale of 3.0; 2.1 and older know the first and the last. With WARNING and URGENT the robot "
        "goes on, with CRITICAL it does not but takes a new order, FATAL needs a person:",
        "errorLevel",
        words="WARNING URGENT CRITICAL FATAL",
    )
    description = Text("Text for people.", "errorDescription")
    hint = Text("What to do about it.", "errorHint")
    references = Many(ViewReferenceSchema, "What it is about.", "errorReferences")


class ViewInformationSchema(Schema):
    """Something the robot tells for people to see; not for control."""

    type = Identifier("Kind of information.", "infoType")
    level = Word("Whom it is for:", "infoLevel", words="INFO DEBUG")
    description = Text("Text for people.", "infoDescription", "infoDescriptor")
    references = Many(ViewReferenceSchema, "What it is about.", "infoReferences")


class ViewBoundingBoxSchema(Schema):
    """Where the load is on the robot: middle of its footprint, in the robot's coordinates."""

    x = Number("X coordinate.", "x", unit="m")
    y = Number("Y coordinate.", "y", unit="m")
    z = Number("Z coordinate.", "z", unit="m")
    theta = Number("Orientation.", "theta", unit="rad")


class ViewLoadSchema(Schema):
    """A load that the robot carries."""

    flattened: ClassVar = ("loadDimensions",)

    load_id = Identifier('Unique id; "" where the robot could not identify it.', "loadId")
    load_type = Identifier("Kind of load.", "loadType")
    load_position = Identifier("Which load handling device carries it.", "loadPosition")
    weight = Number("Mass.", "weight", unit="kg")
    length = Number("Length of its bounding box.", "length", unit="m")
    width = Number("Width of its bounding box.", "width", unit="m")
    height = Number("Height of its bounding box.", "height", unit="m")
    bounding_box = One(ViewBoundingBoxSchema, "Where it is on the robot.", "boundingBoxReference")


class ViewSafetySchema(Schema):
    """Safety functions."""

    emergency_stop = Word(
        "How an emergency stop must be acknowledged; NONE: there is none.",
        "eStop",
        "activeEmergencyStop",
        "emergencyStopType",
        words="AUTOACK MANUAL REMOTE NONE",
        aliases={"AUTO_ACK": "AUTOACK"},
    )
    field_violation = Flag("Something is in the protective field.", "fieldViolation", "protectiveFieldViolated")
