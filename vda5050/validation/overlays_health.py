"""Where the official JSON Schemas of the state disagree with the text about a robot's actions, errors and battery."""

from vda5050.schemas.members import UINT32_MAX
from vda5050.validation.overlay import Overlay, deviation

_NUMBER = {"type": "number"}
_LEAST, _MOST = {"minimum": 0}, {"maximum": UINT32_MAX}

HEALTH_OVERLAYS: tuple[Overlay, ...] = (
    deviation(
        "2.0 2.1",
        "state",
        "/actionStates/*/actionStatus",
        official={"enum": ["WAITING", "INITIALIZING", "RUNNING", "FINISHED", "FAILED"]},
        text={"enum": ["WAITING", "INITIALIZING", "RUNNING", "PAUSED", "FINISHED", "FAILED"]},
        reason="PAUSED is missing in the schema",
        source="#356, #360",
    ),
    deviation(
        "1.1",
        "state",
        "/actionStates/*/actionStatus",
        official={"enum": ["waiting", "initializing", "running", "finished", "failed"]},
        text={
            "enum": [
                *("WAITING", "INITIALIZING", "RUNNING", "PAUSED", "FINISHED", "FAILED"),
                *("waiting", "initializing", "running", "paused", "finished", "failed"),
            ]
        },
        reason="PAUSED is missing in the schema; section 6.10.6 prints the words small, 6.11 and 6.1 in capitals",
    ),
    deviation(
        "1.1",
        "state",
        "/safetyState/eStop",
        official={"enum": ["autoAck", "manual", "remote", "none"]},
        text={"enum": ["AUTOACK", "MANUAL", "REMOTE", "NONE", "autoAck", "manual", "remote", "none"]},
        reason="Printed in camel case, while section 6.1 wants every enumeration in capitals",
    ),
    deviation(
        "1.1",
        "state",
        "/errors/*/errorLevel",
        official={"enum": ["WARNING", "FATAL"]},
        text={"enum": ["WARNING", "FATAL", "warning", "fatal"]},
        reason="Printed small, while section 6.1 wants every enumeration in capitals",
    ),
    deviation(
        "1.1",
        "state",
        "/errors/*/errorType /errors/*/errorLevel /information/*/infoType /information/*/infoLevel",
        official={"required": False},
        text={"required": True},
        reason="The schema requires them one level too high, where that has no effect",
        source="vd-m-a-5050#17",
    ),
    deviation(
        "1.1",
        "state",
        "/informations",
        official={"defined": False},
        text={"defined": True},
        reason="The text's word for information; robots use both",
        source="VDA5050 pull request #66",
    ),
    deviation(
        "1.1",
        "state",
        "/batteryState/batteryHealth",
        official=_NUMBER,
        text={"type": "integer", "minimum": 0, "maximum": 100},
        reason="int8 from 0 to 100",
        source="#496",
    ),
    deviation(
        "2.0",
        "state",
        "/batteryState/batteryHealth",
        official={},
        text={"minimum": 0, "maximum": 100},
        reason="int8 from 0 to 100",
    ),
    deviation(
        "2.1",
        "state",
        "/batteryState/batteryHealth",
        official=_NUMBER,
        text={"type": "integer"},
        reason="int8",
        source="#496",
    ),
    deviation(
        "3.0",
        "state",
        "/powerSupply/batteryHealth",
        official=_NUMBER,
        text={"type": "integer"},
        reason="int8",
        source="#496",
    ),
    deviation(
        "1.1",
        "state",
        "/batteryState/reach",
        official=_NUMBER,
        text={"type": "integer"} | _LEAST | _MOST,
        reason="uint32",
        source="#496",
    ),
    deviation("2.0", "state", "/batteryState/reach", official={}, text=_LEAST | _MOST, reason="uint32", source="#496"),
    deviation(
        "2.1",
        "state",
        "/batteryState/reach",
        official=_NUMBER,
        text={"type": "integer"} | _MOST,
        reason="uint32",
        source="#496",
    ),
    deviation(
        "3.0",
        "state",
        "/powerSupply/range",
        official=_NUMBER,
        text={"type": "integer"} | _MOST,
        reason="uint32",
        source="#496",
    ),
    deviation(
        "1.1 2.0",
        "state",
        "/loads/*/weight",
        official={},
        text=_LEAST,
        reason="At least 0 (the text calls it uint32, yet gives the range of a float: fractions pass)",
    ),
)
"""All deviations of these parts of the state."""
