"""Where the official JSON Schemas of the factsheet and the specification's text disagree (2.0 to 3.0).

In the schema of 2.0 the members stand beside `properties` instead of inside, so that it checks nothing but whether the
top-level members are there. `UNCHECKED` says so; the other deviations of 2.0 are what is wrong with those definitions.
"""

from vda5050.schemas.factsheet_protocol import ARRAYS
from vda5050.schemas.members import UINT32_MAX
from vda5050.validation.overlay import Overlay, deviation

_NUMBER = {"type": "number"}
_LEAST, _MOST = {"minimum": 0}, {"maximum": UINT32_MAX}
_UINT32 = "uint32; the schema leaves out a limit"
_ONLY_IN_3_0 = ("zoneSet.zones", "state.instantActionStates", "state.zoneActionStates")
_STRINGS = ("msgLen", "topicSerialLen", "topicElemLen", "idLen", "enumLen", "loadIdLen")
_STRINGS_OF_3_0 = (
    "maximumMessageLength",
    "maximumTopicSerialLength",
    "maximumTopicElementLength",
    "maximumIdLength",
    "maximumLoadIdLength",
)

UNCHECKED = deviation(
    "2.0",
    "factsheet",
    "/headerId /timestamp /version /manufacturer /serialNumber /typeSpecification /physicalParameters "
    "/protocolLimits /protocolFeatures /agvGeometry /loadSpecification /localizationParameters",
    official={"defined": False},
    text={"defined": True},
    reason="The schema defines the members beside `properties`, where they have no effect: it checks only their names",
    source="#357",
)

_ENVELOPE_DESCRIPTION = deviation(
    "2.0 2.1",
    "factsheet",
    "/agvGeometry/envelopes3d/*/description",
    official={"type": "integer"},
    text={"type": "string"},
    reason="Free text",
)

_LIMITS = (
    deviation("2.0 2.1 3.0", "factsheet", "/headerId", official={}, text=_MOST, reason=_UINT32),
    deviation(
        "2.0 2.1",
        "factsheet",
        " ".join(f"/protocolLimits/maxArrayLens/{name}" for name in ARRAYS if name not in _ONLY_IN_3_0),
        official={},
        text=_LEAST | _MOST,
        reason=_UINT32,
    ),
    deviation(
        "2.0 2.1",
        "factsheet",
        " ".join(f"/protocolLimits/maxStringLens/{name}" for name in _STRINGS),
        official={},
        text=_LEAST | _MOST,
        reason=_UINT32,
    ),
    deviation(
        "3.0",
        "factsheet",
        " ".join(f"/protocolLimits/maximumArrayLengths/{name}" for name in ARRAYS),
        official={},
        text=_MOST,
        reason=_UINT32,
    ),
    deviation(
        "3.0",
        "factsheet",
        " ".join(f"/protocolLimits/maximumStringLengths/{name}" for name in _STRINGS_OF_3_0),
        official={},
        text=_MOST,
        reason=_UINT32,
    ),
    deviation(
        "3.0",
        "factsheet",
        "/mobileRobotConfiguration/batteryCharging/minimumChargingTime",
        official=_NUMBER,
        text={"type": "integer"} | _MOST,
        reason="uint32",
    ),
)

_ONLY_IN_2_0 = (
    UNCHECKED,
    deviation(
        "2.0",
        "factsheet",
        "/protocolLimits/maxArrayLens/state.informations /protocolLimits/maxArrayLens/informations.infoReferences",
        official={"defined": False},
        text={"defined": True},
        reason="The text's names; the schema's (information) are checked as well",
    ),
    deviation(
        "2.0",
        "factsheet",
        "/loadSpecification/loadSets/*/boundingBoxReference/theta",
        official={"type": "integer"},
        text=_NUMBER,
        reason="float64, as in the state",
    ),
    deviation(
        "2.0",
        "factsheet",
        "/loadSpecification/loadSets/*/description",
        official=_NUMBER,
        text={"type": "string"},
        reason="Free text",
    ),
    deviation(
        "2.0",
        "factsheet",
        "/loadSpecification/loadSets/*/maxWeight",
        official={"defined": False},
        text={"defined": True},
        reason="The schema misprints it as maxWeigth",
    ),
    deviation(
        "2.0",
        "factsheet",
        "/loadSpecification/loadSets/*/maxWeigth",
        official={"defined": _NUMBER},
        text={"defined": False},
        reason="The schema's misprint of maxWeight",
    ),
    deviation(
        "2.0",
        "factsheet",
        "/localizationParameters",
        official={"type": "integer"},
        text={},
        reason="An object for the text, an integer for the schema, described by neither: anything passes",
    ),
    deviation(
        "2.0",
        "factsheet",
        "/typeSpecification/navigationTypes/*",
        official={"enum": ["PHYSICAL_LINDE_GUIDED", "VIRTUAL_LINE_GUIDED", "AUTONOMOUS"]},
        text={},
        reason="Examples, not an enumeration; and the schema misprints the first",
    ),
)

_TYPES = (
    deviation(
        "2.1",
        "factsheet",
        "/typeSpecification/navigationTypes/*",
        official={"enum": ["PHYSICAL_LINE_GUIDED", "VIRTUAL_LINE_GUIDED", "AUTONOMOUS"]},
        text={},
        reason="Examples, not an enumeration",
    ),
    deviation(
        "2.0 2.1",
        "factsheet",
        "/typeSpecification/localizationTypes/*",
        official={"enum": ["NATURAL", "REFLECTOR", "RFID", "DMC", "SPOT", "GRID"]},
        text={},
        reason="Examples, not an enumeration",
    ),
    deviation(
        "2.1",
        "factsheet",
        "/protocolFeatures/agvActions/*/blockingTypes",
        official={"enum": ["NONE", "SOFT", "HARD"]},
        text={"items": {"type": "string", "enum": ["NONE", "SOFT", "HARD"]}},
        reason="The schema limits the array instead of its elements, so that no value passes",
    ),
)

_MEMBERS = (
    deviation(
        "2.1",
        "factsheet",
        "/headerId /timestamp",
        official={"required": False},
        text={"required": True},
        reason="Every header has them; optional in 2.0 only",
        source="#385",
    ),
    deviation(
        "2.0 2.1",
        "factsheet",
        "/physicalParameters/heightMin",
        official={"required": False},
        text={"required": True},
        reason="Not marked as optional",
    ),
    deviation(
        "2.1",
        "factsheet",
        "/physicalParameters/angularSpeedMin /physicalParameters/angularSpeedMax",
        official={"defined": False},
        text={"defined": True},
        reason="Missing in the schema",
    ),
    _ENVELOPE_DESCRIPTION,
    deviation(
        "3.0",
        "factsheet",
        "/loadSpecification/loadSets/*/loadDimensions/length "
        "/loadSpecification/loadSets/*/loadDimensions/width "
        "/loadSpecification/loadSets/*/loadDimensions/height",
        official={},
        text=_LEAST,
        reason="As in the state, to which the text refers",
    ),
)

FACTSHEET_OVERLAYS: tuple[Overlay, ...] = (*_MEMBERS, *_LIMITS, *_TYPES, *_ONLY_IN_2_0)
"""All deviations of the factsheet."""
