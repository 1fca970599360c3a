"""Which robots are meant: one, those whose key a pattern matches, or all."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RobotSelection:
    """`one` is a robot's key, `pattern` is for `fullmatch` over keys; neither means all robots."""

    one: str | None = None
    pattern: re.Pattern[str] | None = None

    @property
    def is_all(self) -> bool:
        """Tell whether no robot is left out."""
        return self.one is None and self.pattern is None

    def has(self, robot: str) -> bool:
        """Tell whether a robot is meant."""
        if self.one is not None:
            return self.one == robot
        return self.pattern is None or self.pattern.fullmatch(robot) is not None


ALL_ROBOTS = RobotSelection()
