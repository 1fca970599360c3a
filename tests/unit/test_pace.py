"""How long the streams pause after a flush: little, by the number of clients, and never too long."""

import pytest

from vda5050.broadcast import Pace


@pytest.mark.parametrize(
    ("writes", "updates", "pause_s"),
    [
        (0, 0, 0.0),
        (5, 1, 0.000_12),
        (5, 40, 0.000_96),
        (100, 1, 0.002_4),
        (200, 4, 0.019_2),
        (200, 8, 0.038_4),
        (200, 300, 0.038_4),
        (1_000, 100, 0.1),
    ],
)
def test_pause(writes: int, updates: int, pause_s: float) -> None:
    """Four times what the writes take, up to eight times that where they carry more, at most what is allowed."""
    pace = Pace(0.1, is_watched=True)

    assert pace.flushed(0.000_05, 50.0, writes=writes, updates=updates) == pytest.approx(max(0.000_1, pause_s))
    assert (pace.interval_s, pace.next_flush_at) == pytest.approx((pace.interval_s, 50.0 + pace.interval_s))


@pytest.mark.parametrize(("cost_s", "pause_s"), [(0.000_1, 0.000_96), (0.01, 0.02), (7.0, 0.1)])
def test_most_of_the_time_is_left(cost_s: float, pause_s: float) -> None:
    """A flush that takes long is followed by a pause twice as long, within what is allowed."""
    pace = Pace(0.1)

    assert pace.flushed(cost_s, 0.0, writes=5, updates=40) == pytest.approx(pause_s)


def test_one_dear_flush_changes_nothing() -> None:
    """What counts is the middle one of the last three costs."""
    pace = Pace(0.1)

    pauses = [pace.flushed(cost_s, 0.0, writes=0, updates=1) for cost_s in (0.001, 0.001, 0.02, 0.001, 0.02)]
    assert pauses == pytest.approx([0.002, 0.002, 0.002, 0.002, 0.04])


def test_a_disturbance_passes() -> None:
    """After moments in which the gateway was held up, the pause is what it was: it does not feed on itself.

    8,000 updates a second for five clients, whose flushes take 0.3 ms and 0.06 ms more for each millisecond gathered:
    a pause by the square of the cost stayed at 100 ms here.
    """
    pace = Pace(0.1)

    def run(flushes: int, *, held_up_s: float = 0.0) -> float:
        for _ in range(flushes):
            gathered_s = pace.interval_s + 0.004
            cost_s = 0.0003 + 0.06 * gathered_s + held_up_s
            pace.flushed(cost_s, 0.0, writes=5, updates=max(1, round(8_000 * gathered_s)))
        return pace.interval_s

    before = run(20)
    disturbed = run(5, held_up_s=0.05)

    assert disturbed == 0.1
    assert run(20) == pytest.approx(before, rel=0.05)
