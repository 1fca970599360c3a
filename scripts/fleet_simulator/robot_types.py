"""What kinds of robot there are: size, speed, load. Plain data, used by the motion model and by the factsheet.

Metres, kilograms, seconds, radians. The names are VDA 5050's (factsheet, `typeSpecification` and
`physicalParameters`); the figures are those of common vehicles, rounded.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RobotType:
    """One series of robots."""

    series_name: str
    agv_class: str
    load_type: str
    max_load_kg: float
    length: float
    width: float
    height: float
    max_speed: float
    acceleration: float
    max_turn_rate: float
    turn_acceleration: float


ROBOT_TYPES = (
    RobotType("Carrier 1500", "CARRIER", "EPAL", 1500.0, 2.0, 0.8, 0.3, 1.6, 0.6, 1.0, 1.5),
    RobotType("Tug 700", "TUGGER", "ROLL_CONTAINER", 700.0, 1.4, 0.7, 0.4, 1.4, 0.5, 0.9, 1.2),
    RobotType("Lift 1200", "FORKLIFT", "EPAL", 1200.0, 1.9, 0.9, 2.1, 1.2, 0.4, 0.7, 1.0),
)


def type_for(manufacturer: str) -> RobotType:
    """Return the type a make builds: always the same one for the same name."""
    return ROBOT_TYPES[sum(manufacturer.encode()) % len(ROBOT_TYPES)]
