"""Parts of the factsheet about shapes: a robot's wheels and outlines, and the loads it can carry (2.0 to 3.0).

Sources: 2.0 section 7.1.3, 2.1 section 6.15.1, 3.0 section 7.10.
"""

from vda5050.schemas.common import BOUNDING_BOX_REFERENCE
from vda5050.schemas.factsheet_protocol import FACTSHEET_SECTION
from vda5050.schemas.members import array, boolean, free_form, nested, number, one_of, text
from vda5050.schemas.shapes import Shape
from vda5050.schemas.state import LOAD_DIMENSIONS
from vda5050.schemas.versions import V2_1, V3_0

WHEEL_POSITION = Shape(
    "position",
    FACTSHEET_SECTION,
    required={
        "x": number("Position in the robot's coordinates", unit="m"),
        "y": number("Position in the robot's coordinates", unit="m"),
    },
    optional={"theta": number("Orientation, needed for fixed wheels", unit="rad")},
)

WHEEL = Shape(
    "wheelDefinition",
    FACTSHEET_SECTION,
    required={
        "type": (
            one_of("DRIVE CASTER FIXED MECANUM", "Kind of wheel", until=V2_1),
            text("Kind of wheel: DRIVE, CASTER, FIXED, MECANUM or another word", since=V3_0),
        ),
        "isActiveDriven": boolean("It is driven"),
        "isActiveSteered": boolean("It is steered"),
        "position": nested(WHEEL_POSITION, "Where it is"),
        "diameter": number("Diameter", unit="m"),
        "width": number("Width", unit="m"),
    },
    optional={
        "centerDisplacement": number("Distance of its centre from its turning point; 0 if absent", unit="m"),
        "constraints": text("More about it, for people"),
    },
)

OUTLINE_POINT = Shape(
    "polygonPoint",
    FACTSHEET_SECTION,
    required={
        "x": number("Position in the robot's coordinates", unit="m"),
        "y": number("Position in the robot's coordinates", unit="m"),
    },
)

ENVELOPE_2D = Shape(
    "envelope2d",
    FACTSHEET_SECTION,
    required={
        "set": text("Name of the outline", until=V2_1),
        "envelope2dId": text("Name of the outline", since=V3_0),
        "polygonPoints": array(OUTLINE_POINT, "Corners of the outline, a closed polygon", until=V2_1),
        "vertices": array(OUTLINE_POINT, "Corners of the outline, a closed polygon", since=V3_0),
    },
    optional={"description": text("More about it, for people")},
)

ENVELOPE_3D = Shape(
    "envelope3d",
    FACTSHEET_SECTION,
    required={
        "set": text("Name of the outline", until=V2_1),
        "envelope3dId": text("Name of the outline", since=V3_0),
        "format": text("Format of the data: DXF, ..."),
    },
    optional={
        "data": free_form("The outline, in that format"),
        "url": text("Where to download the outline"),
        "description": text("More about it, for people"),
    },
)

GEOMETRY = Shape(
    "geometry",
    FACTSHEET_SECTION,
    required={},
    optional={
        "wheelDefinitions": array(WHEEL, "The wheels"),
        "envelopes2d": array(ENVELOPE_2D, "Outlines seen from above: unloaded, loaded, protective fields"),
        "envelopes3d": array(ENVELOPE_3D, "Outlines in three dimensions"),
    },
)

_NAMES_OF_3_0 = {
    "maxWeight": "maximumWeight",
    "minLoadhandlingHeight": "minimumLoadhandlingHeight",
    "maxLoadhandlingHeight": "maximumLoadhandlingHeight",
    "minLoadhandlingDepth": "minimumLoadhandlingDepth",
    "maxLoadhandlingDepth": "maximumLoadhandlingDepth",
    "minLoadhandlingTilt": "minimumLoadhandlingTilt",
    "maxLoadhandlingTilt": "maximumLoadhandlingTilt",
    "agvSpeedLimit": "maximumSpeed",
    "agvAccelerationLimit": "maximumAcceleration",
    "agvDecelerationLimit": "maximumDeceleration",
}

_LOAD_LIMITS = {
    "maxWeight": ("Greatest weight", "kg"),
    "minLoadhandlingHeight": ("Least height at which it is handled", "m"),
    "maxLoadhandlingHeight": ("Greatest height at which it is handled", "m"),
    "minLoadhandlingDepth": ("Least depth at which it is handled", "m"),
    "maxLoadhandlingDepth": ("Greatest depth at which it is handled", "m"),
    "minLoadhandlingTilt": ("Least tilt", "rad"),
    "maxLoadhandlingTilt": ("Greatest tilt", "rad"),
    "agvSpeedLimit": ("Highest speed with it", "m/s"),
    "agvAccelerationLimit": ("Greatest acceleration with it", "m/s²"),
    "agvDecelerationLimit": ("Greatest deceleration with it", "m/s²"),
}
_NOT_NEGATIVE_IN_3_0 = {
    "maxWeight",
    "minLoadhandlingHeight",
    "maxLoadhandlingHeight",
    "agvSpeedLimit",
    "agvAccelerationLimit",
}

LOAD_SET = Shape(
    "loadSet",
    FACTSHEET_SECTION,
    required={
        "setName": text("Name of the load set"),
        "loadType": text("Kind of load: EPAL, ..."),
    },
    optional={
        "loadPositions": array(text("loadPosition"), "Where on the robot; absent or empty: anywhere"),
        "boundingBoxReference": nested(BOUNDING_BOX_REFERENCE, "Where the load is, in the robot's coordinates"),
        "loadDimensions": nested(LOAD_DIMENSIONS, "How large the load is"),
        **{name: number(says, unit=unit, until=V2_1) for name, (says, unit) in _LOAD_LIMITS.items()},
        **{
            _NAMES_OF_3_0[name]: number(
                says, unit=unit, minimum=0 if name in _NOT_NEGATIVE_IN_3_0 else None, since=V3_0
            )
            for name, (says, unit) in _LOAD_LIMITS.items()
        },
        "pickTime": (
            number("How long picking takes, about", unit="s", until=V2_1),
            number("How long picking takes, about", unit="s", minimum=0, since=V3_0),
        ),
        "dropTime": (
            number("How long dropping takes, about", unit="s", until=V2_1),
            number("How long dropping takes, about", unit="s", minimum=0, since=V3_0),
        ),
        "description": text("More about it, for people"),
    },
)

LOAD_SPECIFICATION = Shape(
    "loadSpecification",
    FACTSHEET_SECTION,
    required={},
    optional={
        "loadPositions": array(text("loadPosition"), "The robot's places for loads; absent or empty: it has none"),
        "loadSets": array(LOAD_SET, "The loads that it can handle"),
    },
)
