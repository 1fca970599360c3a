"""What the robot is: type and size, from its factsheet (VDA 5050 2.1.0, section 6.15).

Both schemas read the whole factsheet, each its own sections of it.
"""

from typing import ClassVar

from marshmallow import Schema

from vda5050.robot_view.members import Identifier, Many, Number, Text, Texts, Word
from vda5050.robot_view.parts.motion import ViewVertexSchema


class ViewFactsheetSchema(Schema):
    """What the robot is."""

    flattened: ClassVar = ("typeSpecification",)

    series = Identifier("The manufacturer's name of the series.", "seriesName")
    description = Text("Text for people.", "seriesDescription")
    kinematic = Word(
        "How it moves:",
        "agvKinematic",
        "mobileRobotKinematics",
        "mobileRobotKinematic",
        words="DIFFERENTIAL OMNIDIRECTIONAL THREE_WHEEL",
        aliases={"DIFF": "DIFFERENTIAL", "OMNI": "OMNIDIRECTIONAL", "THREEWHEEL": "THREE_WHEEL"},
    )
    robot_class = Word(
        "What it is built for:", "agvClass", "mobileRobotClass", words="FORKLIFT CONVEYOR TUGGER CARRIER"
    )
    max_load_mass = Number("What it can carry.", "maxLoadMass", "maximumLoadMass", unit="kg")
    localization_types = Texts("How it finds out where it is.", "localizationTypes")
    navigation_types = Texts("How it finds its way.", "navigationTypes")


class ViewEnvelopeSchema(Schema):
    """An outline of the robot seen from above, in its own coordinates."""

    envelope_id = Identifier("Its name.", "set", "envelope2dId")
    vertices = Many(ViewVertexSchema, "The outline.", "polygonPoints", "vertices")


class ViewDimensionsSchema(Schema):
    """How large and how fast the robot is."""

    flattened: ClassVar = ("physicalParameters", "agvGeometry", "mobileRobotGeometry")

    length = Number("Length.", "length", unit="m")
    width = Number("Width.", "width", unit="m")
    height = Number("Greatest height.", "heightMax", "maximumHeight", unit="m")
    max_speed = Number("Greatest speed.", "speedMax", "maximumSpeed", unit="m/s")
    envelopes = Many(ViewEnvelopeSchema, "Outlines for drawing.", "envelopes2d")
