"""One MQTT message to publish: what the simulators make and what the session sends. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """Topic, payload, quality of service (0 to 2) and whether the broker keeps it."""

    topic: str
    payload: bytes
    qos: int = 0
    is_retained: bool = False
