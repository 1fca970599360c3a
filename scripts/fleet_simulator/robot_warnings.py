"""What a simulated robot warns of: by chance now and then, and in answer to instant actions it cannot obey. Pure.

Gives `active`, the present warnings in the order they came. All are of the level WARNING: the robot goes on, slowly
past an obstacle. Chance comes from the random.Random it is given.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

_MEAN_PAUSE_S = 100.0
_SHORTEST_PAUSE_S = 15.0


class WarningKind(Enum):
    """What can be wrong."""

    OBSTACLE = "obstacle"
    SENSOR_SOILED = "sensor soiled"
    BATTERY_LOW = "battery low"
    NO_ORDER_TO_CANCEL = "no order to cancel"
    INVALID_INSTANT_ACTION = "invalid instant action"


@dataclass(frozen=True, slots=True)
class RobotWarning:
    """One active warning; `references` are (key, value) pairs in the standard's words, e.g. ("nodeId", "H1-S1")."""

    kind: WarningKind
    references: tuple[tuple[str, str], ...]


class Warnings:
    """The active warnings of one robot."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._left_s = 0.0
        self._pause_s = self._next_pause()
        self.active: list[RobotWarning] = []

    def step(self, seconds: float, *, is_driving: bool, last_node_id: str) -> None:
        """Let a moment pass: a chance warning comes when its pause is over, and goes when its time is."""
        if self._left_s > 0.0:
            self._left_s -= seconds
            if self._left_s <= 0.0:
                self.clear(WarningKind.OBSTACLE)
                self.clear(WarningKind.SENSOR_SOILED)
                self._pause_s = self._next_pause()
            return
        self._pause_s -= seconds
        if self._pause_s <= 0.0:
            self._left_s = self._chance.uniform(4.0, 12.0)
            kind = WarningKind.OBSTACLE if is_driving else WarningKind.SENSOR_SOILED
            self.report(kind, ("nodeId", last_node_id))

    def has(self, kind: WarningKind) -> bool:
        """Whether a warning of that kind is active."""
        return any(warning.kind is kind for warning in self.active)

    def report(self, kind: WarningKind, *references: tuple[str, str]) -> None:
        """Make a warning active; one of each kind at most, the newest."""
        self.clear(kind)
        self.active = [*self.active, RobotWarning(kind, references)]

    def clear(self, kind: WarningKind) -> None:
        """Take the warnings of a kind away, if there are any."""
        if self.has(kind):
            self.active = [warning for warning in self.active if warning.kind is not kind]

    def _next_pause(self) -> float:
        return _SHORTEST_PAUSE_S + self._chance.expovariate(1.0 / _MEAN_PAUSE_S)
