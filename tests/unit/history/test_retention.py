"""What is too old or too much goes, the oldest first, in steps; what a robot said last stays."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.builders import FakeClock
from tests.unit.history.recorded import Archive, archive, record
from vda5050.history import retention
from vda5050.history.retention import CHECK_S, SWEEP_S, Retention, measure
from vda5050.metrics import Metrics

HOUR_S = 3_600


class Keeper:
    """A retention on fake clocks, over an archive."""

    def __init__(self, kept: Archive, *, max_age_s: float = HOUR_S, max_bytes: int = 1 << 40) -> None:
        self.kept = kept
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.retention = Retention(
            self.metrics, max_age_s=max_age_s, max_bytes=max_bytes, clock=self.clock, wall_clock=self.clock
        )

    def tend(self, after_s: float) -> None:
        """Let time pass and the retention do its work."""
        self.clock.advance(after_s)
        self.retention.tend(self.kept.lane.write)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """Give an empty archive, and steps of ten rows."""
    monkeypatch.setattr(retention, "STEP_ROWS", 10)
    monkeypatch.setattr(retention, "STEPS_S", 30.0)
    with archive(tmp_path) as found:
        yield found


def test_what_is_too_old_goes(kept: Archive) -> None:
    """Messages older than allowed go, and no younger one."""
    kept.write(*(record(minute, b"{}", at_s=60 * minute) for minute in range(100)))
    Keeper(kept).tend(80 * 60)

    assert kept.offsets() == list(range(20, 100))


def test_what_a_robot_said_last_stays(kept: Archive) -> None:
    """The last message of each robot and topic stays however old it is, until another one replaces it."""
    kept.write(
        record(1, topic="connection"), record(2, topic="factsheet"), record(3), record(4), record(5, robot="A/1")
    )
    keeper = Keeper(kept)
    keeper.tend(10 * HOUR_S)
    assert kept.offsets() == [1, 2, 4, 5]

    kept.write(record(6, topic="connection", at_s=10 * HOUR_S))
    keeper.tend(SWEEP_S)

    assert kept.offsets() == [2, 4, 5, 6]


def test_too_much_goes(kept: Archive) -> None:
    """While more is kept than allowed, the oldest go until there is room again; the rest stays."""
    dice = random.Random(1)
    kept.write(*(record(number, dice.randbytes(500), at_s=number) for number in range(5_000)))
    used, _ = kept.lane.read(lambda connection: measure(connection, 0))
    keeper = Keeper(kept, max_age_s=1_000 * HOUR_S, max_bytes=used * 3 // 4)
    keeper.tend(CHECK_S)

    left = kept.offsets()
    assert left == list(range(5_000 - len(left), 5_000))
    assert 3_000 < len(left) < 3_700
    assert kept.lane.read(lambda connection: measure(connection, 0))[0] <= used * 3 // 4
    assert keeper.metrics.registry.get_sample_value("vda5050_history_database_bytes")


def test_looks_now_and_then(kept: Archive) -> None:
    """Between two checks nothing is asked of the database."""
    keeper = Keeper(kept)
    keeper.tend(0)
    asked: list[object] = []

    def note(work: object) -> bool:
        asked.append(work)
        return False

    keeper.retention.tend(note)

    assert asked == []
