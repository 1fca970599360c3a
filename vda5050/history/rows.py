"""Messages -> rows of a table, for spreadsheets and data frames: what the robot view makes of each message.

Takes stored messages, gives rows with one value a column, whatever version of the standard the robot speaks. What a
message does not say is empty. A cell of a CSV that a spreadsheet would take for a formula is made text by a leading
apostrophe: robots name their orders, and who opens the file trusts it.
"""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from vda5050.history.reader import Stored
from vda5050.history.stretch import iso_time
from vda5050.robot_view import GatewayFacts, Reading, build_view

Cell = str | float | bool | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORST = {"FATAL": 3, "CRITICAL": 3, "URGENT": 2, "WARNING": 1}


def _in(group: str, name: str) -> Callable[[dict[str, Any]], Cell]:
    def read(view: dict[str, Any]) -> Cell:
        values = view[group]
        return None if values is None else values[name]

    return read


def _error_types(view: dict[str, Any]) -> Cell:
    return " ".join(str(error["type"]) for error in view["errors"] or ())


def _error_level(view: dict[str, Any]) -> Cell:
    levels = [error["level"] for error in view["errors"] or () if error["level"]]
    return max(levels, key=lambda level: _WORST.get(level, 0), default=None)


COLUMNS: dict[str, tuple[type, Callable[[dict[str, Any]], Cell]]] = {
    "version": (str, lambda view: view["version"]),
    "connection_state": (str, lambda view: view["connection_state"]),
    "x": (float, _in("position", "x")),
    "y": (float, _in("position", "y")),
    "theta": (float, _in("position", "theta")),
    "map_id": (str, _in("position", "map_id")),
    "is_localized": (bool, _in("position", "is_localized")),
    "vx": (float, _in("velocity", "vx")),
    "vy": (float, _in("velocity", "vy")),
    "omega": (float, _in("velocity", "omega")),
    "driving": (bool, lambda view: view["driving"]),
    "paused": (bool, lambda view: view["paused"]),
    "operating_mode": (str, lambda view: view["operating_mode"]),
    "battery_charge": (float, _in("battery", "charge")),
    "battery_voltage": (float, _in("battery", "voltage")),
    "is_charging": (bool, _in("battery", "is_charging")),
    "order_id": (str, _in("order", "order_id")),
    "order_update_id": (float, _in("order", "order_update_id")),
    "last_node_id": (str, _in("order", "last_node_id")),
    "last_node_sequence_id": (float, _in("order", "last_node_sequence_id")),
    "distance_since_last_node": (float, _in("order", "distance_since_last_node")),
    "loads": (float, lambda view: None if view["loads"] is None else len(view["loads"])),
    "emergency_stop": (str, _in("safety", "emergency_stop")),
    "field_violation": (bool, _in("safety", "field_violation")),
    "errors": (str, _error_types),
    "worst_error_level": (str, _error_level),
}
"""What is read out of a robot's view, with the type of the values."""
HEAD = ("received_at", "manufacturer", "serial_number", "type")
"""The columns before these."""


def view_of(stored: Stored) -> dict[str, Any]:
    """Give the robot view of one message by itself."""
    address, payload, received_at, is_retained, _, _ = stored.record
    document = orjson.loads(payload)
    state = document.get("connectionState") if address.topic == "connection" else None
    facts = GatewayFacts(
        address.manufacturer,
        address.serial_number,
        address.major_version,
        state.upper() if isinstance(state, str) else None,
        iso_time(stored.id),
        is_stale=False,
    )
    return build_view({address.topic: Reading(document, received_at, is_retained)}, facts)


def row_of(stored: Stored) -> list[Cell]:
    """Give the values of all columns, HEAD first."""
    view, address = view_of(stored), stored.record.address
    head: list[Cell] = [iso_time(stored.id), address.manufacturer, address.serial_number, address.topic]
    return [*head, *(_typed(read(view), kind) for kind, read in COLUMNS.values())]


def csv_head() -> bytes:
    """Write the line of the columns' names."""
    return _csv([[*HEAD, *COLUMNS]])


def csv_lines(messages: Iterable[Stored]) -> bytes:
    """Write a line for each message (RFC 4180), UTF-8."""
    return _csv([[_harmless(cell) for cell in row_of(stored)] for stored in messages])


def _csv(rows: Iterable[Iterable[Cell]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


def _typed(value: Any, kind: type) -> Cell:
    """Give a value that fits its column, or None: a view holds what robots say."""
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and isinstance(value, str | bool):
        return value
    return None
