"""Where the official JSON Schemas of state, visualization and 3.0's own topics disagree with the text (1.1 to 3.0)."""

from vda5050.schemas.members import PI, TIMESTAMP_PATTERN, UINT32_MAX
from vda5050.validation.overlay import Overlay, deviation

_LEAST, _MOST = {"minimum": 0}, {"maximum": UINT32_MAX}
_NUMBER = {"type": "number"}
_UINT32 = "uint32; the schema leaves out a limit"
_TIME = {"pattern": TIMESTAMP_PATTERN}
_ANGLE = {"minimum": -PI, "maximum": PI}
_EVERY = "1.1 2.0 2.1 3.0"
_ISO_8601 = "ISO 8601 in UTC; the schema takes any string"

_POSITIONS = (
    deviation(
        "1.1 2.0 2.1",
        "state visualization",
        "/agvPosition/theta",
        official={},
        text=_ANGLE,
        reason="From -pi to pi",
    ),
    deviation(
        "1.1 2.0 2.1",
        "state",
        "/nodeStates/*/nodePosition/theta",
        official={},
        text=_ANGLE,
        reason="From -pi to pi, as in the order",
    ),
    deviation(
        "1.1 2.0",
        "state",
        "/nodeStates/*/nodePosition/theta",
        official={"required": True},
        text={"required": False},
        reason="The position is the order's, where theta is optional",
    ),
    deviation(
        "1.1 2.0 2.1",
        "state",
        "/nodeStates/*/nodePosition/allowedDeviationXY "
        "/nodeStates/*/nodePosition/allowedDeviationTheta "
        "/nodeStates/*/nodePosition/mapDescription",
        official={"defined": False},
        text={"defined": True},
        reason="The position is the order's, which has these as well",
    ),
    deviation(
        "1.1 2.0 2.1",
        "visualization",
        "/agvPosition/mapDescription",
        official={"defined": False},
        text={"defined": True},
        reason="The position is the state's, which has this as well",
    ),
)

_STATES = (
    deviation(
        _EVERY,
        "state",
        "/orderUpdateId /lastNodeSequenceId /nodeStates/*/sequenceId /edgeStates/*/sequenceId",
        official={},
        text=_LEAST | _MOST,
        reason=_UINT32,
    ),
    deviation("3.0", "state", "/edgeRequests/*/sequenceId", official={}, text=_LEAST | _MOST, reason=_UINT32),
    deviation(
        "3.0",
        "state",
        "/edgeStates/*/trajectory/degree /plannedPath/trajectory/degree /zoneRequests/*/trajectory/degree",
        official={},
        text=_MOST,
        reason=_UINT32,
    ),
    deviation(
        "3.0",
        "state",
        "/zoneRequests/*/requestStatus /edgeRequests/*/requestStatus",
        official={"enum": ["REQUESTED", "GRANTED", "REVOKED", "EXPIRED"]},
        text={"enum": ["REQUESTED", "GRANTED", "REVOKED", "EXPIRED", "QUEUED"]},
        reason="QUEUED is in section 6.9, but neither in the table of 7.8 nor in the schema",
    ),
)

_TRAJECTORIES = (
    deviation(
        "1.1 2.0 2.1",
        "state",
        "/edgeStates/*/trajectory/degree",
        official={"type": "integer", "required": True},
        text={"type": "number", "minimum": 1, "required": False},
        reason="float64 of at least 1, and 1 where it is absent",
    ),
    deviation(
        "1.1 2.0",
        "state",
        "/edgeStates/*/trajectory/controlPoints/*/weight",
        official={"required": True},
        text={"required": False},
        reason="1 where it is absent",
    ),
    deviation(
        "1.1 2.0 3.0",
        "state",
        "/edgeStates/*/trajectory/controlPoints/*/weight",
        official={},
        text={"exclusiveMinimum": 0},
        reason="Greater than 0",
    ),
    deviation(
        "2.1",
        "state",
        "/edgeStates/*/trajectory/controlPoints/*/weight",
        official={},
        text=_LEAST,
        reason="At least 0, as in the order",
    ),
    deviation(
        "1.1",
        "state",
        "/edgeStates/*/trajectory/controlPoints/*/orientation",
        official={"defined": False},
        text={"defined": True},
        reason="The order's trajectory, whose control points have an orientation",
    ),
    deviation(
        "3.0",
        "state",
        "/plannedPath/trajectory/controlPoints/*/weight /zoneRequests/*/trajectory/controlPoints/*/weight",
        official={},
        text={"exclusiveMinimum": 0},
        reason="Greater than 0",
    ),
    deviation(
        "3.0",
        "visualization",
        "/plannedPath/trajectory/controlPoints/*/weight",
        official={},
        text={"exclusiveMinimum": 0},
        reason="Greater than 0",
    ),
)

_ONLY_IN_3_0 = (
    deviation(
        "3.0",
        "state visualization",
        "/intermediatePath/polyline/*/eta",
        official={},
        text=_TIME,
        reason=_ISO_8601,
    ),
    deviation("3.0", "responses", "/responses/*/leaseExpiry", official={}, text=_TIME, reason=_ISO_8601),
    deviation(
        "3.0",
        "visualization",
        "/referenceStateHeaderId",
        official={},
        text=_LEAST | _MOST,
        reason=_UINT32,
    ),
    deviation("3.0", "visualization", "/plannedPath/trajectory/degree", official={}, text=_MOST, reason=_UINT32),
    deviation(
        "3.0",
        "zoneSet",
        " ".join(
            f"/zoneSet/zones/*/{name}"
            for name in (
                "maximumSpeed",
                "entryActions",
                "duringActions",
                "exitActions",
                "releaseLossBehavior",
                "priorityFactor",
                "penaltyFactor",
                "direction",
                "directedLimitation",
                "bidirectedLimitation",
            )
        ),
        official={"defined": False},
        text={"defined": True},
        reason="Has its type in every zone; the schema checks it only in the zones that need it",
    ),
)

STATE_OVERLAYS: tuple[Overlay, ...] = (*_POSITIONS, *_STATES, *_TRAJECTORIES, *_ONLY_IN_3_0)
"""All deviations of state, visualization, responses and zoneSet."""
