"""What writes the history rests between the slices of its work."""

import pytest

from tests.unit.builders import FakeClock
from vda5050.history.rests import rests


def test_length_of_a_rest() -> None:
    """A rest is three times as long as the work before it, and a few milliseconds at most."""
    clock = FakeClock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    rest = rests(clock=clock, sleep=sleep)
    for work_s in (0.001, 0.0015, 9.0):
        clock.advance(work_s)
        rest()

    assert slept == pytest.approx([0.003, 0.0045, 0.006], rel=1e-3)
