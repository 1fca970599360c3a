"""The factsheet of a simulated robot: what it is and can do, in the words of VDA 5050 2.0, 2.1 and 3.0.

Takes a `RobotType`, a `Dialect` and how often the robot publishes, gives the message's body as a dict. Pure. The
sections are the same in all versions, so each is built once in the words of 2.x; 3.0 renames what `_IN_3_0` lists.
"""

from __future__ import annotations

from typing import Any

from fleet_simulator.dialects import Dialect
from fleet_simulator.instant_actions import COMMON_ACTIONS, MAX_INSTANT_ACTIONS
from fleet_simulator.path_messages import JsonObject
from fleet_simulator.robot_types import RobotType

_IN_3_0 = {
    "agvKinematic": "mobileRobotKinematics",
    "agvClass": "mobileRobotClass",
    "maxLoadMass": "maximumLoadMass",
    "speedMin": "minimumSpeed",
    "speedMax": "maximumSpeed",
    "accelerationMax": "maximumAcceleration",
    "decelerationMax": "maximumDeceleration",
    "heightMin": "minimumHeight",
    "heightMax": "maximumHeight",
    "maxStringLens": "maximumStringLengths",
    "topicSerialLen": "maximumTopicSerialLength",
    "topicElemLen": "maximumTopicElementLength",
    "idLen": "maximumIdLength",
    "maxArrayLens": "maximumArrayLengths",
    "minOrderInterval": "minimumOrderInterval",
    "minStateInterval": "minimumStateInterval",
    "agvActions": "mobileRobotActions",
    "agvGeometry": "mobileRobotGeometry",
    "set": "envelope2dId",
    "polygonPoints": "vertices",
    "maxWeight": "maximumWeight",
    "vehicleConfig": "mobileRobotConfiguration",
}
_NODE_ACTIONS = {
    "pick": "picks a load up",
    "drop": "puts the load down",
    "startCharging": "starts to charge",
    "stopCharging": "ends charging",
}


def factsheet(
    kind: RobotType, dialect: Dialect, *, state_interval_s: float, visualization_interval_s: float
) -> JsonObject:
    """Return the body of a factsheet message; the intervals are the robot's own."""
    body: JsonObject = {
        "typeSpecification": _type_specification(kind, dialect),
        "physicalParameters": _physical_parameters(kind),
        "protocolLimits": {
            "maxStringLens": {"topicSerialLen": 64, "topicElemLen": 64, "idLen": 64},
            "maxArrayLens": {"instantActions": MAX_INSTANT_ACTIONS, "state.loads": 1},
            "timing": {
                "minOrderInterval": 1.0,
                "minStateInterval": 0.01,
                "defaultStateInterval": round(state_interval_s, 3),
                "visualizationInterval": round(visualization_interval_s, 3),
            },
        },
        "protocolFeatures": {"optionalParameters": [], "agvActions": _actions(dialect)},
        "agvGeometry": _geometry(kind),
        "loadSpecification": _load_specification(kind),
    }
    if dialect.version == "2.0.0":
        return {**body, "localizationParameters": {}}
    body["vehicleConfig"] = {"versions": [{"key": "simulator", "value": "1.0"}]}
    return _renamed(body) if dialect.version == "3.0.0" else body


def _type_specification(kind: RobotType, dialect: Dialect) -> JsonObject:
    return {
        "seriesName": kind.series_name,
        "seriesDescription": "simulated",
        "agvKinematic": "DIFFERENTIAL" if dialect.version == "3.0.0" else "DIFF",
        "agvClass": kind.agv_class,
        "maxLoadMass": kind.max_load_kg,
        "localizationTypes": ["NATURAL"],
        "navigationTypes": ["VIRTUAL_LINE_GUIDED"],
    }


def _physical_parameters(kind: RobotType) -> JsonObject:
    return {
        "speedMin": 0.05,
        "speedMax": kind.max_speed,
        "accelerationMax": kind.acceleration,
        "decelerationMax": kind.acceleration,
        "heightMin": kind.height,
        "heightMax": kind.height,
        "width": kind.width,
        "length": kind.length,
    }


def _actions(dialect: Dialect) -> list[JsonObject]:
    actions = [_action(name, text, "NODE", dialect) for name, text in _NODE_ACTIONS.items()]
    instant = sorted(COMMON_ACTIONS | dialect.extra_instant_actions)
    return actions + [_action(name, "see VDA 5050", "INSTANT", dialect) for name in instant]


def _action(action_type: str, description: str, scope: str, dialect: Dialect) -> JsonObject:
    action: JsonObject = {"actionType": action_type, "actionDescription": description, "actionScopes": [scope]}
    if dialect.version == "3.0.0":
        # Only here: 2.0 does not know blockingTypes, and the schema of 2.1 refuses every value for it.
        action["blockingTypes"] = ["HARD" if scope == "NODE" else "NONE"]
        action["pauseAllowed"] = False
        action["cancelAllowed"] = scope == "NODE"
    return action


def _geometry(kind: RobotType) -> JsonObject:
    front, side = kind.length / 2, kind.width / 2
    corners = ((front, side), (-front, side), (-front, -side), (front, -side))
    return {
        "wheelDefinitions": [
            {
                "type": "DRIVE",
                "isActiveDriven": True,
                "isActiveSteered": False,
                "position": {"x": 0.0, "y": y, "theta": 0.0},
                "diameter": 0.2,
                "width": 0.06,
            }
            for y in (side, -side)
        ],
        "envelopes2d": [{"set": "DEFAULT", "polygonPoints": [{"x": x, "y": y} for x, y in corners]}],
    }


def _load_specification(kind: RobotType) -> JsonObject:
    return {
        "loadSets": [
            {
                "setName": "DEFAULT",
                "loadType": kind.load_type,
                "loadDimensions": {"length": 1.2, "width": 0.8, "height": 1.0},
                "maxWeight": kind.max_load_kg,
            }
        ]
    }


def _renamed(value: Any) -> Any:
    """Return the same JSON with the keys of 3.0."""
    if isinstance(value, dict):
        return {_IN_3_0.get(key, key): _renamed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member) for member in value]
    return value
