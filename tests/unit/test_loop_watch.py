"""What blocks the event loop is seen, and said once in a while."""

import gevent
import pytest

from tests.unit.builders import FakeClock
from vda5050.loop_watch import INTERVAL_S, SAID_EVERY_S, LoopWatch
from vda5050.metrics import Metrics


class Loop:
    """A watch on a loop that is as late as the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.late_s = 0.0
        self.watch = LoopWatch(
            self.metrics, clock=self.clock, sleep=lambda seconds: self.clock.advance(seconds + self.late_s)
        )

    def look(self, late_s: float) -> None:
        """Let one sample be so late."""
        self.late_s = late_s
        self.watch.look()

    def sample(self, name: str, **labels: str) -> float | None:
        """Read the histogram."""
        return self.metrics.registry.get_sample_value(f"vda5050_loop_late_seconds_{name}", labels)


def test_late() -> None:
    """A timer that runs late is counted where it belongs, one in time as well."""
    loop = Loop()
    for late_s in (0.0, -0.001, 0.3, 2.0):
        loop.look(late_s)

    assert loop.sample("count") == 4
    assert loop.sample("sum") == pytest.approx(2.3)
    assert loop.sample("bucket", le="0.001") == 2
    assert loop.sample("bucket", le="0.5") == 3


def test_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """A long block is told in the log with its length, the next one only after a while."""
    loop = Loop()
    for _ in range(3):
        loop.look(1.5)
    loop.clock.advance(SAID_EVERY_S)
    loop.look(0.5)
    loop.look(4.0)

    seconds = [record.msg["seconds"] for record in caplog.records if isinstance(record.msg, dict)]
    assert seconds == [1.5, 4.0]


def test_in_a_real_loop() -> None:
    """A greenlet that does not let others run is seen by its length."""
    metrics = Metrics()
    clock = FakeClock()
    watch = LoopWatch(metrics, clock=clock)
    watch.start()
    gevent.sleep(0)
    clock.advance(INTERVAL_S + 0.7)  # as if it had been blocked; the timer itself is real
    gevent.sleep(2 * INTERVAL_S)
    watch.stop()
    watch.stop()

    assert metrics.registry.get_sample_value("vda5050_loop_late_seconds_sum") == pytest.approx(0.7)
