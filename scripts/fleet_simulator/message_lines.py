"""Arrivals as text: a line or a block for people, a JSON object for programs. Pure.

Takes an `Arrival`, gives `Part`s (text and what it means, for a colour) or a string. Reads the field names of every
version of VDA 5050, shows what is there and leaves out what is not; a field of the wrong type counts as not there.
Everything that comes from a robot goes through `safe_text()`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from enum import Enum
from typing import Any

from fleet_simulator.arrivals import Arrival, raw_text, safe_text

_LONGEST_BLOCK = 50_000


class Meaning(Enum):
    """What a part of a line means; `render()` gives each a colour."""

    PLAIN = ""
    FAINT = "2"
    NAME = "1"
    GOOD = "32"
    NOTE = "33"
    BAD = "31"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line."""

    text: str
    meaning: Meaning = Meaning.PLAIN


def line(arrival: Arrival) -> list[Part]:
    """Return one line: time, robot, kind of message, and the essentials of its content."""
    time_of_day = arrival.received.astimezone().strftime("%H:%M:%S.%f")[:-3]
    parts = [
        Part(time_of_day, Meaning.FAINT),
        Part(f"{safe_text(arrival.robot):<24}", Meaning.NAME),
        Part(f"{safe_text(arrival.kind):<14}"),
    ]
    parts += essentials(arrival)
    return [*parts, Part("(retained)", Meaning.FAINT)] if arrival.is_retained else parts


def block(arrival: Arrival) -> list[str]:
    """Return the whole message, indented, as safe lines."""
    if arrival.problem is not None:
        return [f"    {safe_text(raw_text(arrival.payload), longest=_LONGEST_BLOCK)}"]
    try:
        text = json.dumps(arrival.message, indent=2, ensure_ascii=False)
    except RecursionError:
        text = raw_text(arrival.payload)
    lines = text[:_LONGEST_BLOCK].split("\n")
    if len(text) > _LONGEST_BLOCK:
        lines.append(f"... {len(text) - _LONGEST_BLOCK} more characters")
    return [f"    {safe_text(row, longest=_LONGEST_BLOCK)}" for row in lines]


def json_line(arrival: Arrival) -> str:
    """Return one JSON object in ASCII: topic, robot, type, received, retained, payload, or problem and raw instead."""
    fields: dict[str, Any] = {
        "topic": arrival.topic,
        "robot": arrival.robot,
        "type": arrival.kind,
        "received": arrival.received.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "retained": arrival.is_retained,
    }
    if arrival.problem is None:
        try:
            return json.dumps({**fields, "payload": arrival.message}, separators=(",", ":"), allow_nan=False)
        except RecursionError:
            fields["problem"] = "nested too deeply"
        except ValueError:  # 1e999 is JSON, but becomes infinity, which is not
            fields["problem"] = "number out of range"
    fields = {"problem": arrival.problem, **fields, "payload": None, "raw": raw_text(arrival.payload)}
    return json.dumps(fields, separators=(",", ":"))


def render(parts: list[Part], *, colours: bool) -> str:
    """Join parts to a line, with ANSI colours or without."""
    texts = [part.text if part.meaning is Meaning.PLAIN or not colours else _coloured(part) for part in parts]
    return "  ".join(texts).rstrip()


def _coloured(part: Part) -> str:
    return f"\x1b[{part.meaning.value}m{part.text}\x1b[0m"


def essentials(arrival: Arrival) -> list[Part]:
    """Return what matters in a message of this kind."""
    if arrival.problem is not None:
        size = f"{len(arrival.payload)} bytes"
        return [Part(f"{arrival.problem}, {size}: {safe_text(raw_text(arrival.payload[:80]))}", Meaning.BAD)]
    message = arrival.message
    if not isinstance(message, dict):
        return [Part(f"JSON, but no object: {safe_text(message, longest=80)}", Meaning.BAD)]
    reader = _READERS.get(arrival.kind)
    if reader is None:
        return [Part(f"{len(message)} fields, {len(arrival.payload)} bytes", Meaning.FAINT)]
    return list(reader(message))


def _state(message: dict[str, Any]) -> Iterator[Part]:
    yield from _position(message)
    yield from _power(message)
    yield _movement(message)
    yield from _order_progress(message)
    loads = _list(message, "loads")
    if loads:
        yield Part(f"{len(loads)} load" + ("s" if len(loads) > 1 else ""))
    yield from _unusual(message)
    for error in _list(message, "errors"):
        if isinstance(error, dict):
            level = safe_text(error.get("errorLevel", "?")).upper()
            meaning = Meaning.NOTE if level == "WARNING" else Meaning.BAD
            yield Part(f"{level} {safe_text(error.get('errorType', '?'))}", meaning)


def _position(message: dict[str, Any]) -> Iterator[Part]:
    position = _object(message, "agvPosition", "mobileRobotPosition")
    x, y, theta = (_number(position, key) for key in ("x", "y", "theta"))
    if x is not None and y is not None:
        heading = "" if theta is None else f" {math.degrees(theta):4.0f}°"
        yield Part(f"({x:7.2f}, {y:7.2f}){heading}")


def _power(message: dict[str, Any]) -> Iterator[Part]:
    power = _object(message, "batteryState", "powerSupply")
    charge = _number(power, "batteryCharge", "stateOfCharge")
    if charge is not None:
        charging = "+" if power.get("charging") is True else " "
        yield Part(f"{charge:3.0f} %{charging}", Meaning.NOTE if charge < 20 else Meaning.PLAIN)


def _movement(message: dict[str, Any]) -> Part:
    if message.get("paused") is True:
        return Part("paused ", Meaning.NOTE)
    if message.get("driving") is not True:
        return Part("stands ", Meaning.FAINT)
    velocity = _object(message, "velocity")
    speed, turning = _number(velocity, "vx"), _number(velocity, "omega")
    if turning and not speed:
        return Part("turns  ", Meaning.GOOD)
    return Part("drives " if speed is None else f"{speed:+.1f} m/s", Meaning.GOOD)


def _order_progress(message: dict[str, Any]) -> Iterator[Part]:
    order_id = message.get("orderId")
    if isinstance(order_id, str) and order_id:
        nodes = len(_list(message, "nodeStates"))
        ahead = f"{nodes} to go" if nodes else "done"
        update = safe_text(message.get("orderUpdateId", "?"))
        yield Part(
            f"{safe_text(order_id, longest=40)}/{update} {ahead}, at {safe_text(message.get('lastNodeId', '?'))}"
        )
    for action in _list(message, "actionStates") + _list(message, "instantActionStates"):
        if isinstance(action, dict) and safe_text(action.get("actionStatus")).upper() in (
            "INITIALIZING",
            "RUNNING",
            "PAUSED",
        ):
            yield Part(f"{safe_text(action.get('actionType', '?'))} {safe_text(action['actionStatus']).lower()}")


def _unusual(message: dict[str, Any]) -> Iterator[Part]:
    """Tell what is silent when all is well: mode, emergency stop, field violation, lost localization."""
    mode = message.get("operatingMode", "AUTOMATIC")
    if mode != "AUTOMATIC":
        yield Part(safe_text(mode), Meaning.NOTE)
    safety = _object(message, "safetyState")
    stop = safety.get("eStop", safety.get("activeEmergencyStop", "NONE"))
    if safe_text(stop).upper() != "NONE":
        yield Part(f"emergency stop {safe_text(stop)}", Meaning.BAD)
    if safety.get("fieldViolation") is True:
        yield Part("field violation", Meaning.BAD)
    position = _object(message, "agvPosition", "mobileRobotPosition")
    if False in (position.get("positionInitialized"), position.get("localized")):
        yield Part("not localized", Meaning.BAD)


def _visualization(message: dict[str, Any]) -> Iterator[Part]:
    yield from _position(message)
    velocity = _object(message, "velocity")
    speed, turning = _number(velocity, "vx"), _number(velocity, "omega")
    if speed is not None:
        yield Part(f"{speed:+.2f} m/s")
    if turning:
        yield Part(f"{math.degrees(turning):+.0f}°/s")


def _connection(message: dict[str, Any]) -> Iterator[Part]:
    connection_state = safe_text(message.get("connectionState", "?"))
    meanings = {"ONLINE": Meaning.GOOD, "OFFLINE": Meaning.NOTE, "HIBERNATING": Meaning.NOTE}
    yield Part(connection_state, meanings.get(connection_state, Meaning.BAD))
    yield Part(f"VDA 5050 {safe_text(message.get('version', '?'))}", Meaning.FAINT)


def _factsheet(message: dict[str, Any]) -> Iterator[Part]:
    kind = _object(message, "typeSpecification")
    for key in ("seriesName", "agvClass", "mobileRobotClass"):
        if key in kind:
            yield Part(safe_text(kind[key]))
    yield Part(f"VDA 5050 {safe_text(message.get('version', '?'))}", Meaning.FAINT)


def _order(message: dict[str, Any]) -> Iterator[Part]:
    nodes = [node for node in _list(message, "nodes") if isinstance(node, dict)]
    released = sum(node.get("released") is True for node in nodes)
    names = f"{safe_text(message.get('orderId', '?'))}/{safe_text(message.get('orderUpdateId', '?'))}"
    yield Part(f"{names} {len(nodes)} nodes, {released} released")


def _instant_actions(message: dict[str, Any]) -> Iterator[Part]:
    for action in _list(message, "actions") + _list(message, "instantActions"):
        if isinstance(action, dict):
            yield Part(safe_text(action.get("actionType", action.get("actionName", "?"))), Meaning.NOTE)


_READERS = {
    "state": _state,
    "visualization": _visualization,
    "connection": _connection,
    "factsheet": _factsheet,
    "order": _order,
    "instantActions": _instant_actions,
}


def _object(message: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return the first of the fields that is an object, else an empty one."""
    return next((message[key] for key in keys if isinstance(message.get(key), dict)), {})


def _list(message: dict[str, Any], key: str) -> list[Any]:
    value = message.get(key)
    return value if isinstance(value, list) else []


def _number(message: dict[str, Any], *keys: str) -> float | None:
    """Return the first of the fields that is a number and fits a float."""
    for key in keys:
        value = message.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
            return float(value)
    return None
