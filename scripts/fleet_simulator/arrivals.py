"""What arrived on MQTT, read as far as it can be: robot, kind of message, JSON or what is wrong with it. Pure.

Takes topic, payload bytes and the time, gives an `Arrival`; nothing that arrives makes it raise. Both layouts end in
<manufacturer>/<serial>/<topic>, so the last three levels tell who and what; fewer levels tell only what. NaN and
infinity are not JSON here, as the standard forbids them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

UNKNOWN_ROBOT = "?"
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message. `message` is the parsed JSON, None where `problem` says why not; texts are as they arrived."""

    topic: str
    robot: str
    kind: str
    payload: bytes
    received: datetime
    is_retained: bool
    message: Any
    problem: str | None


def read_arrival(topic: str, payload: bytes, *, is_retained: bool, received: datetime) -> Arrival:
    """Read what arrived."""
    levels = [level for level in topic.split("/") if level]
    message, problem = _read_json(payload)
    return Arrival(
        topic=topic,
        robot="/".join(levels[-3:-1]) if len(levels) >= 3 else UNKNOWN_ROBOT,
        kind=levels[-1] if levels else "",
        payload=payload,
        received=received,
        is_retained=is_retained,
        message=message,
        problem=problem,
    )


def safe_text(value: object, *, longest: int = _LONGEST_TEXT) -> str:
    """Return text that cannot steer a terminal: what is not printable becomes an escape, what is long is cut."""
    try:
        text = str(value)
    except RecursionError:
        text = "(nested too deeply)"
    cut = text[:longest] + "..." if len(text) > longest else text
    return cut if cut.isprintable() else "".join(_escaped(character) for character in cut)


def raw_text(payload: bytes) -> str:
    """Return bytes as text, with escapes for what is not UTF-8."""
    return payload.decode("utf-8", "backslashreplace")


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _read_json(payload: bytes) -> tuple[Any, str | None]:
    if not payload:
        return None, "empty"
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_refuse_constant), None
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except RecursionError:
        return None, "nested too deeply"
    except ValueError:
        return None, "not JSON"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
