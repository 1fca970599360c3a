"""How long the streams pause after a flush: little, by the number of events, and never too long."""

import pytest

from vda5050.broadcast import Pace


@pytest.mark.parametrize(
    ("writes", "events", "pause_s"),
    [
        (0, 0, 0.000_1),
        (5, 5, 0.000_12),
        (5, 200, 0.000_96),
        (100, 100, 0.002_4),
        (200, 800, 0.019_2),
        (200, 1_600, 0.038_4),
        (200, 60_000, 0.038_4),
        (1_000, 100_000, 0.1),
        (1_001, 1_100, 0.026_4),
    ],
)
def test_pause(writes: int, events: int, pause_s: float) -> None:
    """Four times what a write takes for each event, up to eight events a write, at most what is allowed."""
    pace = Pace(0.1, is_watched=True)

    assert pace.flushed(0.000_05, 50.0, writes=writes, events=events) == pytest.approx(pause_s)
    assert (pace.interval_s, pace.next_flush_at) == pytest.approx((pause_s, 50.0 + pause_s))


@pytest.mark.parametrize(("cost_s", "pause_s"), [(0.000_1, 0.000_96), (0.01, 0.02), (7.0, 0.1)])
def test_most_of_the_time_is_left(cost_s: float, pause_s: float) -> None:
    """A flush that takes long is followed by a pause twice as long, within what is allowed."""
    pace = Pace(0.1)

    assert pace.flushed(cost_s, 0.0, writes=5, events=200) == pytest.approx(pause_s)


def test_one_dear_flush_changes_nothing() -> None:
    """What counts is the middle one of the last three costs."""
    pace = Pace(0.1)

    pauses = [pace.flushed(cost_s, 0.0, writes=0, events=1) for cost_s in (0.001, 0.001, 0.02, 0.001, 0.02)]
    assert pauses == pytest.approx([0.002, 0.002, 0.002, 0.002, 0.04])


@pytest.mark.parametrize(
    ("rate", "whole", "of_one"),
    [
        pytest.param(8_000, 5, 0, id="few that see everything"),
        pytest.param(1_000, 1, 7, id="one that sees everything, and seven for each robot"),
    ],
)
def test_a_disturbance_passes(rate: int, whole: int, of_one: int) -> None:
    """After moments in which the gateway was held up, the pause is what it was: it does not feed on itself.

    So many updates a second, of 200 robots, for `whole` clients and `of_one` more of each robot. A flush takes 0.3 ms
    and 0.06 ms more for each millisecond gathered: a pause by the square of that, or by writes times updates, stayed at
    100 ms here.
    """
    pace = Pace(0.1)

    def run(flushes: int, *, held_up_s: float = 0.0) -> float:
        for _ in range(flushes):
            gathered_s = pace.interval_s + 0.004
            updates = max(1, round(rate * gathered_s))
            cost_s = 0.0003 + 0.06 * gathered_s + held_up_s
            writes, events = whole + of_one * min(updates, 200), (whole + of_one) * updates
            pace.flushed(cost_s, 0.0, writes=writes, events=events)
        return pace.interval_s

    before = run(20)
    disturbed = run(5, held_up_s=0.05)

    assert before < 0.01
    assert disturbed == 0.1
    assert run(20) == pytest.approx(before, rel=0.05)
