"""One robot in the middle of an order, in the words of each version: what differs is the names, not the meaning."""

from typing import Any

from vda5050.robot_view import GatewayFacts, Reading, build_view

VERSIONS = ("1.1.0", "2.0.0", "2.1.0", "3.0.0")
TRAJECTORY = {
    "degree": 1,
    "knotVector": [0.0, 0.0, 1.0, 1.0],
    "controlPoints": [{"x": 1.0, "y": 2.0, "weight": 1.0}, {"x": 5.0, "y": 2.0, "weight": 1.0}],
}
TRAJECTORY_READ = {
    "degree": 1,
    "knot_vector": [0.0, 0.0, 1.0, 1.0],
    "control_points": [{"x": 1.0, "y": 2.0, "weight": 1.0}, {"x": 5.0, "y": 2.0, "weight": 1.0}],
}

_POSITION = {"x": 2.5, "y": 2.0, "theta": 0.5, "mapId": "hall", "localizationScore": 0.9, "deviationRange": 0.1}
_LOAD = {
    "loadId": "L1",
    "loadType": "pallet",
    "loadPosition": "front",
    "weight": 120.0,
    "loadDimensions": {"length": 1.2, "width": 0.8, "height": 1.0},
    "boundingBoxReference": {"x": 0.1, "y": 0.3, "z": 0.2, "theta": 0.4},
}
_REFERENCES = [{"referenceKey": "nodeId", "referenceValue": "n2"}]


MEANING: dict[str, Any] = {
    "position": {
        "x": 2.5,
        "y": 2.0,
        "theta": 0.5,
        "map_id": "hall",
        "is_localized": True,
        "localization_score": 0.9,
        "deviation_range": 0.1,
    },
    "velocity": {"vx": 1.0, "vy": 0.25, "omega": 0.1},
    "driving": True,
    "paused": True,
    "operating_mode": "TEACH_IN",
    "safety": {"emergency_stop": "MANUAL", "field_violation": True},
    "loads": [
        {
            "load_id": "L1",
            "load_type": "pallet",
            "load_position": "front",
            "weight": 120.0,
            "length": 1.2,
            "width": 0.8,
            "height": 1.0,
            "bounding_box": {"x": 0.1, "y": 0.3, "z": 0.2, "theta": 0.4},
        }
    ],
    "information": [
        {"type": "tour", "level": "INFO", "description": "lap 3", "references": [{"key": "nodeId", "value": "n2"}]}
    ],
}
"""What every version can say alike."""


def live(**documents: dict[str, Any]) -> dict[str, Reading]:
    """Make live messages of documents given by topic, each received after the one before it."""
    return {
        topic: Reading(document, float(at), is_retained=False) for at, (topic, document) in enumerate(documents.items())
    }


def view_of(**documents: dict[str, Any]) -> dict[str, Any]:
    """Build the view of live messages given by topic."""
    return view_of_readings(live(**documents))


def view_of_readings(
    readings: dict[str, Reading], *, major_version: str | None = "v2", connection_state: str | None = None
) -> dict[str, Any]:
    """Build the view of a robot that was seen and is not stale."""
    facts = GatewayFacts(
        manufacturer="KUKA",
        serial_number="KR_1001",
        major_version=major_version,
        connection_state=connection_state,
        last_seen="2026-01-01T00:00:00.000Z",
        is_stale=False,
    )
    return build_view(readings, facts)


def state(version: str) -> dict[str, Any]:
    """Write the robot's state in the words of a version."""
    return {"1.1.0": _state_1_1, "2.0.0": _state_2_0, "2.1.0": _state_2_1, "3.0.0": _state_3_0}[version]()


def order(version: str) -> dict[str, Any]:
    """Write the order that the robot is in the middle of: n0 and n1 are passed, n2 is base, n3 horizon."""
    is_new = version.startswith("3")
    speed, text = ("maximumSpeed", "Descriptor") if is_new else ("maxSpeed", "Description")
    action = {"actionId": "a1", "actionType": "pick", "blockingType": "HARD", f"action{text}": "take it"}
    nodes = [
        {
            "nodeId": f"n{number}",
            "sequenceId": 2 * number,
            "released": number < 3,
            f"node{text}": f"station {number}",
            "nodePosition": {"x": 1.0 + 4 * number, "y": 2.0, "theta": 0.25, "mapId": "hall"},
            "actions": [action] if number == 2 else [],
        }
        for number in range(4)
    ]
    edges: list[dict[str, Any]] = [
        {
            "edgeId": f"e{number}",
            "sequenceId": 2 * number + 1,
            "released": number < 2,
            f"edge{text}": f"aisle {number}",
            speed: 1.5,
            "trajectory": TRAJECTORY,
            "actions": [],
        }
        for number in range(3)
    ]
    if not is_new:
        for number, edge in enumerate(edges):
            edge |= {"startNodeId": f"n{number}", "endNodeId": f"n{number + 1}"}
    return {"version": version, "orderId": "o1", "orderUpdateId": 1, "nodes": nodes, "edges": edges}


def factsheet(version: str) -> dict[str, Any]:
    """Write the robot's factsheet in the words of a version; 1.1 has none."""
    corners = [{"x": 1.0, "y": 0.5}, {"x": -1.0, "y": 0.5}, {"x": -1.0, "y": -0.5}]
    kind = {
        "seriesName": "KMP",
        "seriesDescription": "a tug",
        "localizationTypes": ["NATURAL"],
        "navigationTypes": ["PHYSICAL_LINE_GUIDED"],
    }
    size = {"length": 2.0, "width": 1.0}
    if version.startswith("3"):
        return {
            "version": version,
            "typeSpecification": kind
            | {"mobileRobotKinematics": "DIFFERENTIAL", "mobileRobotClass": "TUGGER", "maximumLoadMass": 500.0},
            "physicalParameters": size | {"maximumHeight": 1.5, "maximumSpeed": 2.0},
            "mobileRobotGeometry": {"envelopes2d": [{"envelope2dId": "bare", "vertices": corners}]},
        }
    return {
        "version": version,
        "typeSpecification": kind | {"agvKinematic": "DIFF", "agvClass": "TUGGER", "maxLoadMass": 500.0},
        "physicalParameters": size | {"heightMax": 1.5, "speedMax": 2.0},
        "agvGeometry": {"envelopes2d": [{"set": "bare", "polygonPoints": corners}]},
    }


def _route_2_0() -> dict[str, Any]:
    return {
        "nodeStates": [
            {
                "nodeId": f"n{number}",
                "sequenceId": 2 * number,
                "released": number < 3,
                "nodeDescription": f"station {number}",
                "nodePosition": {"x": 1.0 + 4 * number, "y": 2.0, "theta": 0.25, "mapId": "hall"},
            }
            for number in (2, 3)
        ],
        "edgeStates": [
            {
                "edgeId": f"e{number}",
                "sequenceId": 2 * number + 1,
                "released": number < 2,
                "edgeDescription": f"aisle {number}",
                "trajectory": TRAJECTORY,
            }
            for number in (1, 2)
        ],
    }


def _state_2_0() -> dict[str, Any]:
    return {
        "headerId": 7,
        "timestamp": "2026-01-01T00:00:00.00Z",
        "version": "2.0.0",
        "manufacturer": "KUKA",
        "serialNumber": "KR_1001",
        "orderId": "o1",
        "orderUpdateId": 1,
        "lastNodeId": "n1",
        "lastNodeSequenceId": 2,
        "distanceSinceLastNode": 1.25,
        "newBaseRequest": True,
        **_route_2_0(),
        "agvPosition": _POSITION | {"positionInitialized": True},
        "velocity": {"vx": 1.0, "vy": 0.25, "omega": 0.1},
        "driving": True,
        "paused": True,
        "loads": [_LOAD],
        "actionStates": [
            {
                "actionId": "a1",
                "actionType": "pick",
                "actionStatus": "WAITING",
                "actionDescription": "take it",
                "resultDescription": "not yet",
            },
            {"actionId": "a2", "actionType": "stateRequest", "actionStatus": "FINISHED"},
        ],
        "batteryState": {
            "batteryCharge": 78.5,
            "batteryVoltage": 48.1,
            "batteryHealth": 99,
            "charging": False,
            "reach": 12000,
        },
        "operatingMode": "TEACHIN",
        "errors": [
            {
                "errorType": "blocked",
                "errorLevel": "FATAL",
                "errorDescription": "the way is blocked",
                "errorReferences": _REFERENCES,
            }
        ],
        "information": [
            {"infoType": "tour", "infoLevel": "INFO", "infoDescription": "lap 3", "infoReferences": _REFERENCES}
        ],
        "safetyState": {"eStop": "MANUAL", "fieldViolation": True},
        "zoneSetId": "z1",
    }


def _state_1_1() -> dict[str, Any]:
    said = _state_2_0() | {"version": "1.1.0"}
    said["informations"] = said.pop("information")
    for action in said["actionStates"]:
        action["actionStatus"] = action["actionStatus"].lower()
    said["errors"][0]["errorLevel"] = "fatal"
    said["safetyState"]["eStop"] = "manual"
    return said


def _state_2_1() -> dict[str, Any]:
    said = _state_2_0() | {"version": "2.1.0"}
    said["maps"] = [{"mapId": "hall", "mapVersion": "4", "mapStatus": "ENABLED", "mapDescription": "ground floor"}]
    said["errors"][0]["errorHint"] = "clear it"
    return said


def _state_3_0() -> dict[str, Any]:
    said = _state_2_1() | {"version": "3.0.0", "operatingMode": "TEACH_IN"}
    for name in ("agvPosition", "batteryState", "zoneSetId"):
        del said[name]
    said["mobileRobotPosition"] = _POSITION | {"localized": True}
    said["powerSupply"] = {
        "stateOfCharge": 78.5,
        "batteryVoltage": 48.1,
        "batteryCurrent": 3.5,
        "batteryHealth": 99,
        "charging": False,
        "range": 12000,
    }
    said["safetyState"] = {"activeEmergencyStop": "MANUAL", "fieldViolation": True}
    said["instantActionStates"] = [said["actionStates"].pop()]
    said["zoneActionStates"] = [{"actionId": "a3", "actionType": "beep", "actionStatus": "RETRIABLE"}]
    said["zoneSets"] = [{"zoneSetId": "z1", "mapId": "hall", "zoneSetStatus": "ENABLED"}]
    for items, old in (
        (said["nodeStates"], "nodeDescription"),
        (said["edgeStates"], "edgeDescription"),
        (said["maps"], "mapDescription"),
        (said["information"], "infoDescription"),
        (said["actionStates"], "actionDescription"),
    ):
        for item in items:
            item[old.replace("Description", "Descriptor")] = item.pop(old)
    said["actionStates"][0]["actionResult"] = said["actionStates"][0].pop("resultDescription")
    return said
