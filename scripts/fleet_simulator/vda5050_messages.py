"""The VDA 5050 messages of a simulated robot, as JSON objects, for every version of the standard.

Takes a `SimulatedRobot` and a `Dialect`, gives dicts without the header; `header()` gives that. `to_json()` makes the
compact UTF-8 text. Pure. Numbers are rounded to what a robot can know: millimetres and a tenth of a milliradian.
Sources: VDA 5050 1.1 to 3.0, "Implementation of the state message", and the official JSON schemas.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fleet_simulator.dialects import Dialect
from fleet_simulator.path_messages import JsonObject, edge_states, node_states, planned_path, rounded_theta
from fleet_simulator.robot_warnings import RobotWarning, WarningKind
from fleet_simulator.route_graph import MAP_ID
from fleet_simulator.simulated_robot import Load, SimulatedRobot
from fleet_simulator.transport_order import Action

# kind: (errorType up to 2.1, errorType in 3.0, description, hint). Predefined ones are the standard's, the others ours.
_ERROR_TEXTS: Mapping[WarningKind, tuple[str, str, str, str]] = {
    WarningKind.OBSTACLE: (
        "obstacleAhead",
        "OBSTACLE_AHEAD",
        "Something stands near the way; driving slowly.",
        "Clear the way.",
    ),
    WarningKind.SENSOR_SOILED: (
        "sensorSoiled",
        "SENSOR_SOILED",
        "The front scanner sees less than it should.",
        "Clean the front scanner.",
    ),
    WarningKind.BATTERY_LOW: ("batteryLow", "BATTERY_LOW", "The battery is low.", "Let the robot charge."),
    WarningKind.NO_ORDER_TO_CANCEL: (
        "noOrderToCancel",
        "NO_ORDER_TO_CANCEL",
        "cancelOrder came while there was no such order.",
        "Look at orderId in the state before cancelling.",
    ),
    WarningKind.INVALID_INSTANT_ACTION: (
        "invalidInstantAction",
        "INVALID_INSTANT_ACTION",
        "The instant action is not one this robot knows.",
        "The factsheet lists the actions.",
    ),
}


def to_json(message: Mapping[str, Any]) -> bytes:
    """Return compact UTF-8 JSON. Raises ValueError for NaN and infinity, which the standard forbids."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def timestamp(now: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds and Z."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def header(dialect: Dialect, *, manufacturer: str, serial: str, header_id: int, now: datetime) -> JsonObject:
    """Return the five fields every message begins with; `header_id` counts per topic."""
    return {
        "headerId": header_id,
        "timestamp": timestamp(now),
        "version": dialect.version,
        "manufacturer": manufacturer,
        "serialNumber": serial,
    }


def state(robot: SimulatedRobot, dialect: Dialect) -> JsonObject:
    """Return the body of a state message."""
    order, motion = robot.order, robot.motion
    body: JsonObject = {
        "orderId": order.order_id,
        "orderUpdateId": order.update_id,
        "lastNodeId": robot.last_node.node_id,
        "lastNodeSequenceId": order.last_stop.sequence_id,
        "driving": robot.is_driving,
        "paused": robot.is_paused,
        "newBaseRequest": order.needs_base,
        "distanceSinceLastNode": round(motion.travelled, 3),
        "operatingMode": "AUTOMATIC",
        "nodeStates": node_states(robot, dialect),
        "edgeStates": edge_states(robot, dialect),
        **position_and_velocity(robot, dialect),
        "loads": [_load(load) for load in robot.loads],
        dialect.power_key: _power(robot, dialect),
        "errors": [_error(warning, dialect) for warning in robot.warnings.active],
        dialect.information_key: _information(robot, dialect),
        "safetyState": {dialect.emergency_stop_key: dialect.no_emergency_stop, "fieldViolation": False},
    }
    body.update(_action_states(robot, dialect))
    if dialect.map_description_key is not None:
        body["maps"] = [
            {"mapId": MAP_ID, "mapVersion": "1.0", "mapStatus": "ENABLED", dialect.map_description_key: "Ground floor"}
        ]
    if dialect.has_planned_path and order.next_edge() is not None:
        body["plannedPath"] = planned_path(robot, dialect)
    return body


def visualization(robot: SimulatedRobot, dialect: Dialect, *, state_header_id: int) -> JsonObject:
    """Return the body of a visualization message; 3.0 names the state message it belongs to."""
    body = position_and_velocity(robot, dialect)
    if dialect.has_planned_path:
        body["referenceStateHeaderId"] = state_header_id
        if robot.order.next_edge() is not None:
            body["plannedPath"] = planned_path(robot, dialect)
    return body


def position_and_velocity(robot: SimulatedRobot, dialect: Dialect) -> JsonObject:
    """Return what state and visualization have in common."""
    motion = robot.motion
    return {
        dialect.position_key: {
            "x": round(motion.x, 3),
            "y": round(motion.y, 3),
            "theta": rounded_theta(motion.theta),
            "mapId": MAP_ID,
            dialect.localized_key: True,
            "localizationScore": round(0.96 + 0.03 * math.sin(robot.elapsed_s / 7.0), 3),
            "deviationRange": 0.03,
        },
        "velocity": {"vx": round(motion.vx, 3), "vy": 0.0, "omega": round(motion.turn_rate, 3)},
    }


def _load(load: Load) -> JsonObject:
    return {
        "loadId": load.load_id,
        "loadType": load.load_type,
        "boundingBoxReference": {"x": 0.0, "y": 0.0, "z": 0.25, "theta": 0.0},
        "loadDimensions": {"length": 1.2, "width": 0.8, "height": 1.0},
        "weight": load.weight_kg,
    }


def _power(robot: SimulatedRobot, dialect: Dialect) -> JsonObject:
    battery = robot.battery
    power: JsonObject = {
        dialect.charge_key: round(battery.charge_percent, 1),
        "batteryVoltage": round(battery.voltage, 1),
        "batteryHealth": 97,
        "charging": battery.is_charging,
        dialect.range_key: battery.range_m,
    }
    if dialect.current_key is not None:
        power[dialect.current_key] = round(battery.current, 1)
    return power


def _error(warning: RobotWarning, dialect: Dialect) -> JsonObject:
    old_type, new_type, description, hint = _ERROR_TEXTS[warning.kind]
    error: JsonObject = {
        "errorType": new_type if dialect.has_upper_case_error_types else old_type,
        "errorLevel": "WARNING",
        "errorDescription": description,
        "errorReferences": [{"referenceKey": key, "referenceValue": value} for key, value in warning.references],
    }
    if dialect.error_hint_key is not None:
        error[dialect.error_hint_key] = hint
    return error


def _information(robot: SimulatedRobot, dialect: Dialect) -> list[JsonObject]:
    """Say in words where the order leads, while there is one."""
    if not robot.has_active_order:
        return []
    goal = robot.order.stops[-1].node
    text = f"on the way to {goal.node_id} ({goal.kind.value})"
    references = [{"referenceKey": "orderId", "referenceValue": robot.order.order_id}]
    return [
        {
            "infoType": "currentTask",
            "infoLevel": "INFO",
            dialect.information_text_key: text,
            "infoReferences": references,
        }
    ]


def _action_states(robot: SimulatedRobot, dialect: Dialect) -> JsonObject:
    """Return order and instant actions: in one array up to 2.1, in two in 3.0."""
    of_order = [_action_state(action, dialect) for action in robot.order.actions]
    instant = [_action_state(action, dialect) for action in robot.instant_actions]
    if dialect.instant_states_key is None:
        return {"actionStates": of_order + instant}
    return {"actionStates": of_order, dialect.instant_states_key: instant}


def _action_state(action: Action, dialect: Dialect) -> JsonObject:
    status = action.status.value
    action_state: JsonObject = {
        "actionId": action.action_id,
        "actionType": action.action_type,
        "actionStatus": status.lower() if dialect.has_lower_case_statuses else status,
    }
    if action.result is not None:
        action_state[dialect.action_result_key] = action.result
    return action_state
