"""Where the official JSON Schemas of order and instantActions and the specification's text disagree (1.1 to 3.0)."""

from vda5050.schemas.members import UINT32_MAX
from vda5050.validation.overlay import Overlay, deviation

_LEAST, _MOST = {"minimum": 0}, {"maximum": UINT32_MAX}
_NUMBER = {"type": "number"}
_UINT32 = "uint32; the schema leaves out a limit"
_STRING = {"type": "string"}
_HEADER = "/headerId /timestamp /version /manufacturer /serialNumber"

_ORDERS = (
    deviation(
        "2.0 2.1 3.0",
        "order",
        "/orderUpdateId /nodes/*/sequenceId /edges/*/sequenceId",
        official={},
        text=_MOST,
        reason=_UINT32,
    ),
    deviation(
        "1.1",
        "order",
        "/orderUpdateId /nodes/*/sequenceId /edges/*/sequenceId",
        official={"maximum": UINT32_MAX + 1},
        text=_MOST,
        reason="uint32; the schema's limit is off by one",
    ),
    deviation("3.0", "order", "/edges/*/trajectory/degree", official={}, text=_MOST, reason=_UINT32),
    deviation(
        "1.1 2.0",
        "order",
        "/nodes/*/nodePosition/allowedDeviationXY",
        official={"defined": False},
        text={"defined": True},
        reason="Written with XY, not with Xy",
    ),
    deviation(
        "1.1 2.0",
        "order",
        "/nodes/*/nodePosition/allowedDeviationXy",
        official={"defined": {"type": "number", "minimum": 0}},
        text={"defined": False},
        reason="Written with XY, not with Xy",
    ),
    deviation(
        "2.0 2.1",
        "order",
        "/nodes/*/nodePosition/allowedDeviationTheta",
        official={"minimum": -3.141592654},
        text=_LEAST,
        reason="From 0 to pi: a deviation has no sign",
    ),
    deviation(
        "2.0",
        "order",
        "/edges/*/orientationType",
        official={"defined": False},
        text={"defined": True},
        reason="New in 2.0; the schema has not got it",
    ),
    deviation(
        "2.1",
        "order",
        "/edges/*/orientationType",
        official={},
        text={"enum": ["GLOBAL", "TANGENTIAL"]},
        reason="An enumeration",
    ),
    deviation(
        "1.1",
        "order",
        "/edges/*/length",
        official={"defined": False},
        text={"defined": True},
        reason="The text's word (misprinted lenght); the schema says distance, which is checked as well",
    ),
    deviation(
        "3.0",
        "order",
        "/edges/*/maximumRotationSpeed",
        official={"defined": False},
        text={"defined": True},
        reason="The text writes maximum in full, here as elsewhere",
    ),
    deviation(
        "3.0",
        "order",
        "/edges/*/maxRotationSpeed",
        official={"defined": _NUMBER},
        text={"defined": False},
        reason="The text writes maximum in full, here as elsewhere",
    ),
)

_TRAJECTORIES = (
    deviation(
        "1.1 2.0",
        "order",
        "/edges/*/trajectory/degree",
        official={"type": "integer", "required": True},
        text={"type": "number", "minimum": 1, "required": False},
        reason="float64 of at least 1, and 1 where it is absent",
    ),
    deviation(
        "2.1",
        "order",
        "/edges/*/trajectory/degree",
        official={"type": "integer", "required": True},
        text={"type": "number", "required": False},
        reason="float64, and 1 where it is absent",
    ),
    deviation(
        "1.1",
        "order",
        "/edges/*/trajectory/controlPoints/*/weight",
        official={"required": True},
        text={"required": False},
        reason="1 where it is absent",
    ),
    deviation(
        "1.1 2.0 3.0",
        "order",
        "/edges/*/trajectory/controlPoints/*/weight",
        official={},
        text={"exclusiveMinimum": 0},
        reason="Greater than 0",
    ),
)

_ACTIONS = (
    deviation(
        "1.1 2.0",
        "order",
        "/nodes/*/actions/*/actionParameters/*/value /edges/*/actions/*/actionParameters/*/value",
        official={"type": ["array", "boolean", "number", "string"]},
        text={"type": ["array", "boolean", "number", "string", "object"]},
        reason="No type is excluded, and 2.1 says that objects are meant",
    ),
    deviation(
        "1.1",
        "instantActions",
        "/instantActions/*/actionParameters/*/value",
        official={"type": ["array", "boolean", "number", "string"]},
        text={"type": ["array", "boolean", "number", "string", "object"]},
        reason="No type is excluded, and 2.1 says that objects are meant",
    ),
    deviation(
        "2.0",
        "instantActions",
        "/actions/*/actionParameters/*/value",
        official={"type": ["array", "boolean", "number", "string"]},
        text={"type": ["array", "boolean", "number", "string", "object"]},
        reason="No type is excluded, and 2.1 says that objects are meant",
    ),
    deviation(
        "1.1",
        "order",
        "/edges/*/actions/*/blockingType",
        official={"defined": False},
        text={"defined": True},
        reason="The same action as on a node, where the schema has it",
    ),
    deviation(
        "1.1",
        "instantActions",
        "/instantActions/*/actionType",
        official={"defined": False},
        text={"defined": True},
        reason="The text's word for the kind of action; either of the two will do",
        source="vd-m-a-5050#16",
    ),
    deviation(
        "1.1",
        "instantActions",
        "/instantActions/*/actionName",
        official={"required": True},
        text={"required": False},
        reason="The schema's word for the kind of action; either of the two will do",
        source="vd-m-a-5050#16",
    ),
    deviation(
        "1.1",
        "instantActions",
        "/instantActions/*",
        official={},
        text={"anyOf": [{"required": ["actionType"]}, {"required": ["actionName"]}]},
        reason="One of the two words must be there",
        source="vd-m-a-5050#16",
    ),
    deviation(
        "2.0",
        "instantActions",
        "/actions/*/actionType",
        official={"defined": False, "required": False},
        text={"defined": True, "required": True},
        reason="Actions are those of the order, with an actionType",
    ),
    deviation(
        "2.0",
        "instantActions",
        "/actions/*/actionName",
        official={"defined": _STRING, "required": True},
        text={"defined": False, "required": False},
        reason="Actions are those of the order, without an actionName",
    ),
    deviation(
        "1.1",
        "instantActions",
        f"{_HEADER} /instantActions",
        official={"required": False},
        text={"required": True},
        reason="Nothing here is optional; the schema requires nothing",
        source="vd-m-a-5050#16",
    ),
    deviation(
        "2.0",
        "instantActions",
        f"{_HEADER} /actions",
        official={"required": False},
        text={"required": True},
        reason="Nothing here is optional; the schema requires nothing",
    ),
    deviation(
        "3.0",
        "instantActions",
        "/actions/*/retriable",
        official={"defined": False},
        text={"defined": True},
        reason="Actions are those of the order, which may be retriable",
    ),
)

ORDER_OVERLAYS: tuple[Overlay, ...] = (*_ORDERS, *_TRAJECTORIES, *_ACTIONS)
"""All deviations of order and instantActions."""
