"""How long the streams pause after a flush: little, in proportion to its cost, and never too long."""

import pytest

from vda5050.broadcast import Pace


@pytest.mark.parametrize(
    ("cost_s", "pause_s"),
    [(0.0, 0.0), (0.0005, 0.002), (0.001, 0.004), (0.002, 0.016), (0.004, 0.064), (0.006, 0.1), (7.0, 0.1)],
)
def test_pause(cost_s: float, pause_s: float) -> None:
    """Four times the cost, more in proportion where that was dear, at most what is allowed."""
    pace = Pace(0.1, is_watched=True)

    assert pace.flushed(cost_s, 50.0) == pytest.approx(pause_s)
    assert (pace.interval_s, pace.next_flush_at) == pytest.approx((pause_s, 50.0 + pause_s))


def test_one_dear_flush_changes_nothing() -> None:
    """What counts is the middle one of the last three costs."""
    pace = Pace(0.1)

    pauses = [pace.flushed(cost_s, 0.0) for cost_s in (0.001, 0.001, 0.02, 0.001, 0.02)]
    assert pauses == pytest.approx([0.004, 0.004, 0.004, 0.004, 0.1])
