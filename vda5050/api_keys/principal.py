"""Who asks, as far as the gateway cares: a role, and the robots that may be seen."""

import re
from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What one may do. Each includes the ones before it, so a key has one."""

    READ = "read"
    """See robots, streams, history."""
    CONTROL = "control"
    """Change what the fleet does: orders, instant actions."""
    ADMIN = "admin"
    """Change the gateway itself."""

    def includes(self, other: "Role") -> bool:
        """Tell whether who has this role may do what `other` may."""
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Principal:
    """One who asks. `robots` is a pattern for `fullmatch` over robot keys, None for all; `expires_at` epoch seconds.

    `key_id` is None where no key was needed.
    """

    name: str
    role: Role
    key_id: str | None = None
    robots: re.Pattern[str] | None = None
    expires_at: int | None = None

    @property
    def robots_source(self) -> str | None:
        """The pattern as text, for `Filter.within`."""
        return None if self.robots is None else self.robots.pattern

    def may_see(self, robot: str) -> bool:
        """Tell whether a robot is one that this one may know of."""
        return self.robots is None or self.robots.fullmatch(robot) is not None


ANYONE = Principal("anyone", Role.ADMIN)
"""Who asks while authentication is off."""
LOCAL = Principal("this machine", Role.ADMIN)
"""Who asks on the loopback while no key was ever made."""
