"""Parts of the factsheet about the protocol: limits, and which of the standard's features a robot has (2.0 to 3.0).

A limit that is absent or 0 is none (2.0 section 7.1.3, 2.1 section 6.15.1, 3.0 section 7.10).
"""

from vda5050.schemas.members import Member, array, boolean, nested, number, one_of, text, whole
from vda5050.schemas.shapes import Forms, Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

FACTSHEET_SECTION = {V2_0: "7.1.3", V2_1: "6.15.1", V3_0: "7.10"}

MAX_STRING_LENGTHS = Shape(
    "maxStringLens",
    FACTSHEET_SECTION,
    required={},
    optional={
        "msgLen": whole("Longest message", until=V2_1),
        "maximumMessageLength": whole("Longest message", since=V3_0),
        "topicSerialLen": whole("Longest serial number in a topic", until=V2_1),
        "maximumTopicSerialLength": whole("Longest serial number in a topic", since=V3_0),
        "topicElemLen": whole("Longest other level of a topic", until=V2_1),
        "maximumTopicElementLength": whole("Longest other level of a topic", since=V3_0),
        "idLen": whole("Longest id", until=V2_1),
        "maximumIdLength": whole("Longest id", since=V3_0),
        "idNumericalOnly": boolean("Ids must be written in digits only"),
        "enumLen": whole("Longest word of an enumeration", until=V2_1),
        "loadIdLen": whole("Longest loadId", until=V2_1),
        "maximumLoadIdLength": whole("Longest loadId", since=V3_0),
    },
)

ARRAYS = (
    "order.nodes",
    "order.edges",
    "node.actions",
    "edge.actions",
    "actions.actionsParameters",
    "instantActions",
    "trajectory.knotVector",
    "trajectory.controlPoints",
    "zoneSet.zones",
    "state.nodeStates",
    "state.edgeStates",
    "state.loads",
    "state.actionStates",
    "state.instantActionStates",
    "state.zoneActionStates",
    "state.errors",
    "state.information",
    "error.errorReferences",
    "information.infoReferences",
)
_SINCE_3_0 = {"zoneSet.zones", "state.instantActionStates", "state.zoneActionStates"}


def _array_limits() -> dict[str, Forms]:
    limits: dict[str, Member] = {
        name: whole(f"Most elements of {name}", since=V3_0 if name in _SINCE_3_0 else V1_1) for name in ARRAYS
    }
    for name in ("state.informations", "informations.infoReferences"):
        limits[name] = whole(f"Most elements of {name}, as the text of 2.0 calls it", since=V2_0, until=V2_0)
    return {**limits}


MAX_ARRAY_LENGTHS = Shape("maxArrayLens", FACTSHEET_SECTION, required={}, optional=_array_limits())

_ORDER_INTERVAL = "Least time between two orders"
_STATE_INTERVAL = "Least time between two states"

TIMING = Shape(
    "timing",
    FACTSHEET_SECTION,
    required={
        "minOrderInterval": number(_ORDER_INTERVAL, unit="s", until=V2_1),
        "minimumOrderInterval": number(_ORDER_INTERVAL, unit="s", minimum=0, since=V3_0),
        "minStateInterval": number(_STATE_INTERVAL, unit="s", until=V2_1),
        "minimumStateInterval": number(_STATE_INTERVAL, unit="s", minimum=0, since=V3_0),
    },
    optional={
        "defaultStateInterval": (
            number("Time between two states when nothing happens; 30 if absent", unit="s", until=V2_1),
            number("Time between two states when nothing happens; 30 if absent", unit="s", minimum=0, since=V3_0),
        ),
        "visualizationInterval": (
            number("Time between two visualization messages", unit="s", until=V2_1),
            number("Time between two visualization messages", unit="s", minimum=0, since=V3_0),
        ),
    },
)

PROTOCOL_LIMITS = Shape(
    "protocolLimits",
    FACTSHEET_SECTION,
    required={
        "maxStringLens": nested(MAX_STRING_LENGTHS, "Longest texts", until=V2_1),
        "maximumStringLengths": nested(MAX_STRING_LENGTHS, "Longest texts", since=V3_0),
        "maxArrayLens": nested(MAX_ARRAY_LENGTHS, "Longest arrays", until=V2_1),
        "maximumArrayLengths": nested(MAX_ARRAY_LENGTHS, "Longest arrays", since=V3_0),
        "timing": nested(TIMING, "How frequent messages may be"),
    },
)

OPTIONAL_PARAMETER = Shape(
    "optionalParameter",
    FACTSHEET_SECTION,
    required={
        "parameter": text("Full name of an optional member: order.nodes.nodePosition.theta"),
        "support": one_of("SUPPORTED REQUIRED", "The robot understands it, or cannot do without"),
    },
    optional={"description": text("More about it, for people")},
)

PARAMETER_DEFINITION = Shape(
    "actionParameter",
    FACTSHEET_SECTION,
    required={
        "key": text("Name of the parameter"),
        "valueDataType": (
            one_of("BOOL NUMBER INTEGER FLOAT STRING OBJECT ARRAY", "Type of its value", until=V2_1),
            one_of("BOOL NUMBER INTEGER STRING OBJECT ARRAY", "Type of its value", since=V3_0),
        ),
    },
    optional={
        "description": text("More about it, for people"),
        "isOptional": boolean("The parameter may be left out"),
    },
)

ACTION_DEFINITION = Shape(
    "agvAction",
    FACTSHEET_SECTION,
    required={
        "actionType": text("Name of the action"),
        "actionScopes": (
            array(one_of("INSTANT NODE EDGE", "scope"), "Where the action may be used", until=V2_1),
            array(one_of("INSTANT NODE EDGE ZONE", "scope"), "Where the action may be used", since=V3_0),
        ),
        "pauseAllowed": boolean("startPause pauses it", since=V3_0),
        "cancelAllowed": boolean("cancelOrder cancels it", since=V3_0),
    },
    optional={
        "actionDescription": text("More about it, for people"),
        "actionParameters": array(PARAMETER_DEFINITION, "Its parameters; absent: none"),
        "resultDescription": text("What its result is", until=V2_1),
        "actionResult": text("What its result is", since=V3_0),
        "blockingTypes": (
            array(one_of("NONE SOFT HARD", "blockingType"), "How it may block", since=V2_1, until=V2_1),
            array(one_of("NONE SOFT SINGLE HARD", "blockingType"), "How it may block", since=V3_0),
        ),
    },
)

PROTOCOL_FEATURES = Shape(
    "protocolFeatures",
    FACTSHEET_SECTION,
    required={
        "optionalParameters": array(OPTIONAL_PARAMETER, "Optional members that it understands; no others"),
        "agvActions": array(ACTION_DEFINITION, "The actions that it can do", until=V2_1),
        "mobileRobotActions": array(ACTION_DEFINITION, "The actions that it can do", since=V3_0),
    },
)
