"""Each message is stored once, in the order of time, whatever the clock does and however often it is tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.builders import ROBOT
from tests.unit.history.recorded import START_US, Archive, archive, record
from vda5050.history import store
from vda5050.history.store import LATE_US, Store
from vda5050.topics import Address


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Archive]:
    """Give an empty archive."""
    with archive(tmp_path) as found:
        yield found


def test_comes_back_as_it_came(kept: Archive) -> None:
    """A record comes back whole: address, bytes, time, whether it was retained, and the id of its event."""
    records = [
        record(1, b'{"a": 1 ,"b":"\xc3\xa9"}'),
        record(2, robot="ABB/1", topic="connection", is_retained=True, epoch="e2"),
        record(3)._replace(address=Address("/vda5050", None, "KUKA", "KR 1", "order")),
    ]
    kept.write(*records)

    assert [stored.record for stored in kept.all()] == records


def test_ids_are_the_time(kept: Archive) -> None:
    """A message's id is when it was received, in microseconds; of several at once each is a microsecond later."""
    kept.write(record(1, at_s=1.5), record(2, at_s=1.5), record(3, at_s=1.5), record(4, at_s=2))

    assert [stored.id - START_US for stored in kept.all()] == [1_500_000, 1_500_001, 1_500_002, 2_000_000]


def test_a_second_try_stores_nothing_twice(kept: Archive) -> None:
    """A batch that was stored although nobody heard of it is recognised when it is tried again."""
    records = [record(1), record(2)]
    ids = kept.store.number(records)
    stored = []
    for _ in range(2):
        stored.append(kept.lane.write(lambda connection: kept.store.write(connection, records, ids)))
        kept.lane.write(kept.store.load)

    assert kept.offsets() == [1, 2]
    assert stored == [2, 0]


def test_slices(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is written in slices, and is there when all are."""
    monkeypatch.setattr(store, "SLICE_ROWS", 10)
    records = [record(number, topic=("state", "order")[number % 2]) for number in range(1, 26)]

    assert kept.write(*records) == 25
    assert [stored.record for stored in kept.all()] == records


def test_sqlite_is_not_kept_from_others(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that writes keeps everybody else from it, so there is no rest within it."""
    monkeypatch.setattr(store, "SLICE_ROWS", 1)
    rests: list[float] = []
    monkeypatch.setattr(store, "_sleep", rests.append)
    records = [record(1), record(2)]
    ids = kept.store.number(records)
    kept.lane.write(lambda connection: kept.store.write(connection, records, ids, rest_budget_s=1.0))

    assert kept.offsets() == [1, 2]
    assert rests == []


def test_a_clock_set_back(kept: Archive) -> None:
    """What comes after the clock was set back keeps its own time, beside what was stored at that time before."""
    kept.write(*(record(number) for number in (1, 2, 3, 100)))
    kept.write(record(101, at_s=1), record(102, at_s=2), record(103, at_s=4))

    assert kept.offsets() == [1, 101, 2, 102, 3, 103, 100]
    assert kept.all()[1].id - START_US == 1_000_001


def test_a_clock_that_is_slewed(kept: Archive) -> None:
    """A clock that goes back a little does not change the order in which messages came."""
    kept.write(record(1, at_s=10), record(2, at_s=9.9), record(3, at_s=10))

    assert kept.offsets() == [1, 2, 3]


def test_refused_without_a_trace(kept: Archive) -> None:
    """Of a batch that the database refuses, nothing is stored, and names that it brought are looked up again."""
    kept.write(record(1))
    with pytest.raises(OverflowError):
        kept.write(record(2, robot="ABB/1"), record(2**70, b"{}", robot="ABB/2", at_s=3))
    kept.store.forget()
    kept.write(record(3, robot="ABB/1"))

    assert kept.offsets() == [1, 3]
    assert [stored.record.address.robot for stored in kept.all()] == [ROBOT, "ABB/1"]


def test_another_life_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    """A store that is loaded knows the dictionaries that are there, and reads with them what was written."""
    with archive(tmp_path) as first:
        first.write(*(record(number) for number in range(1, 400)))
        candidates = first.store.candidates()
        kept = first.lane.write(lambda connection: Store.keep(connection, candidates, 0.0))
        first.store.use(kept)
        first.write(record(400))
    with archive(tmp_path) as second:
        second.lane.write(second.store.load)
        second.write(record(401))

        assert len(candidates) == 1
        assert second.offsets() == list(range(1, 402))


times = st.lists(st.integers(-3 * LATE_US, 3 * LATE_US), min_size=1, max_size=30)


@settings(max_examples=15)
@given(st.lists(times, min_size=1, max_size=4))
def test_any_times(tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]) -> None:
    """However the clock jumps between and within batches, every message is stored once, near its time."""
    with archive(tmp_path_factory.mktemp("history")) as kept:
        offset = 0
        wanted = {}
        for batch in batches:
            records = []
            for at in batch:
                offset += 1
                wanted[offset] = at
                records.append(record(offset, b"{}", at_s=at / 1e6))
            kept.write(*records)

        found = kept.all()
        assert sorted(stored.record.offset for stored in found) == sorted(wanted)
        assert [stored.id for stored in found] == sorted({stored.id for stored in found})
        late = [abs(stored.id - START_US - wanted[stored.record.offset]) for stored in found]
        assert max(late) <= LATE_US + offset
