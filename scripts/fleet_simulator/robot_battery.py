"""The battery of a simulated robot. Takes time and way, gives charge, voltage, current and range. Pure.

Charge in percent, voltage in volts, current in amperes (negative while it drains), range in metres. A full charge
lasts about 25 minutes of driving and comes back in three: quick, so that a demonstration shows both.
"""

from __future__ import annotations

LOW_PERCENT = 22.0
CHARGE_BELOW_PERCENT = 27.0
CHARGE_UNTIL_PERCENT = 92.0
_DRAIN_PER_S = 0.012
_DRAIN_PER_M = 0.045
_CHARGE_PER_S = 0.5


class Battery:
    """Charge and whether it is charging."""

    def __init__(self, charge_percent: float) -> None:
        self.charge_percent = charge_percent
        self.is_charging = False
        self.current = 0.0

    def step(self, seconds: float, *, driven_m: float) -> None:
        """Drain or charge for a moment, within 1 and 100 percent."""
        change = _CHARGE_PER_S * seconds if self.is_charging else -(_DRAIN_PER_S * seconds + _DRAIN_PER_M * driven_m)
        self.charge_percent = min(max(self.charge_percent + change, 1.0), 100.0)
        self.current = 45.0 if self.is_charging else -(2.5 + 9.0 * driven_m / seconds)

    @property
    def voltage(self) -> float:
        """Volts of a 48 V battery at this charge."""
        return 45.0 + 0.085 * self.charge_percent + (1.2 if self.is_charging else 0.0)

    @property
    def range_m(self) -> int:
        """How far the charge will do."""
        return int(self.charge_percent / _DRAIN_PER_M * 0.8)

    @property
    def is_low(self) -> bool:
        """Whether a warning is due."""
        return self.charge_percent < LOW_PERCENT and not self.is_charging

    @property
    def wants_charge(self) -> bool:
        """Whether the next order should lead to a charger."""
        return self.charge_percent < CHARGE_BELOW_PERCENT

    @property
    def has_enough(self) -> bool:
        """Whether charging may end."""
        return self.charge_percent >= CHARGE_UNTIL_PERCENT
