"""The writer never stalls who puts, stores what it can, and counts what it cannot."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.unit.history.recorded import Archive, Desk, archive, record
from vda5050.database import Database
from vda5050.errors import DatabaseUnavailable
from vda5050.history import backlog, lease, writer
from vda5050.history.store import Store
from vda5050.history.tables import MESSAGES, WRITER
from vda5050.history.writer import REST_BUDGET_S, Standing


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait."""
    monkeypatch.setattr(writer, "FLUSH_S", 0.005)
    monkeypatch.setattr(writer, "BACK_OFF_S", (0.005, 0.01))
    monkeypatch.setattr(writer, "ASK_S", 0.005)
    monkeypatch.setattr(writer, "YIELD_S", 0)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Archive]:
    """Give an empty archive."""
    with archive(tmp_path) as found:
        yield found


def stands(desk: Desk, standing: Standing) -> None:
    """Wait until a writer stands so."""
    with gevent.Timeout(10):
        while desk.writer.standing is not standing:
            gevent.sleep(0.005)


def is_stored(desk: Desk, count: int) -> None:
    """Wait until a writer has stored so many messages."""
    with gevent.Timeout(10):
        while desk.stored() < count:
            gevent.sleep(0.005)


def two_desks(kept: Archive, *, max_standby_bytes: int = 50_000_000) -> tuple[Desk, Desk]:
    """Start a writer that writes, and one that stands by."""
    first = Desk(kept.database, owner="first")
    second = Desk(kept.database, owner="second", max_standby_bytes=max_standby_bytes)
    for desk, standing in ((first, Standing.WRITING), (second, Standing.STANDBY)):
        desk.writer.start()
        stands(desk, standing)
    return first, second


def test_stores(kept: Archive) -> None:
    """Every message is stored, in order, and nothing waits any more."""
    desk = Desk(kept.database)
    desk.writer.start()
    desk.put([record(1), record(2, topic="visualization"), record(3, topic="order")])
    assert desk.writer.waiting == 3
    desk.writer.stop()

    assert kept.offsets() == [1, 2, 3]
    assert (desk.stored(), desk.writer.waiting, desk.writer.waiting_bytes) == (3, 0, 0)


def test_stored_within_a_moment(kept: Archive) -> None:
    """What was put can be read without the writer being stopped."""
    desk = Desk(kept.database)
    desk.writer.start()
    desk.put([record(1)])
    with gevent.Timeout(10):
        while kept.offsets() != [1]:
            gevent.sleep(0.005)
    desk.writer.stop()

    assert desk.stored() == 1


def test_an_outage(tmp_path: Path) -> None:
    """While the database is away messages wait; afterwards writing goes on by itself."""
    (tmp_path / "var").write_text("a file in the way")
    desk = Desk(Database(f"sqlite:///{tmp_path}/var/history.db"))
    desk.writer.start()
    desk.put(record(number, b"{}") for number in range(1, 11))
    stands(desk, Standing.FAILING)
    assert "File exists" in desk.writer.problem

    (tmp_path / "var").unlink()
    is_stored(desk, 10)
    desk.put([record(16, b"{}")])
    desk.writer.stop()

    with archive(tmp_path / "var") as kept:
        assert kept.offsets() == [*range(1, 11), 16]
    assert desk.stored() == 11


def test_stopped_while_the_database_is_away(tmp_path: Path) -> None:
    """What could not be stored until the process ended is counted as lost."""
    (tmp_path / "var").write_text("a file in the way")
    desk = Desk(Database(f"sqlite:///{tmp_path}/var/history.db"))
    desk.writer.start()
    desk.put([record(1), record(2)])
    stands(desk, Standing.FAILING)
    desk.writer.stop()
    desk.writer.stop()

    assert desk.lost("shutdown") == 2


def test_one_that_is_refused(kept: Archive, caplog: pytest.LogCaptureFixture) -> None:
    """A message that the database does not take is lost alone: those beside it are stored."""
    caplog.set_level(logging.CRITICAL, "vda5050.history")
    desk = Desk(kept.database)
    desk.put(record(2**70 if number == 5 else number, b"{}", at_s=number) for number in range(1, 12))
    desk.writer.start()
    desk.writer.stop()

    assert kept.offsets() == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert (desk.stored(), desk.lost("refused"), desk.writer.waiting_bytes) == (10, 1, 0)


def test_away_in_the_middle_of_halves(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half that is stored is off the writer's hands, whatever becomes of the other one."""
    desk = Desk(kept.database)
    write = Store.write
    troubles: list[Exception | None] = [ValueError("refused"), None, DatabaseUnavailable("away"), None]
    waiting: list[int] = []

    def troubled(*arguments: Any, **options: Any) -> int:
        waiting.append(desk.writer.waiting)
        if (trouble := troubles.pop(0)) is not None:
            raise trouble
        return write(*arguments, **options)

    monkeypatch.setattr(Store, "write", troubled)
    desk.put(record(number) for number in range(1, 11))
    desk.writer.start()
    is_stored(desk, 10)
    desk.writer.stop()

    assert waiting == [10, 10, 5, 5]
    assert kept.offsets() == list(range(1, 11))
    assert (desk.stored(), desk.writer.waiting, desk.writer.waiting_bytes) == (10, 0, 0)


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note for how long each batch may rest."""
    noted: list[float] = []
    write = Store.write

    def noting(*arguments: Any, rest_budget_s: float) -> int:
        noted.append(rest_budget_s)
        return write(*arguments, rest_budget_s=rest_budget_s)

    monkeypatch.setattr(Store, "write", noting)
    return noted


def test_rests_only_where_there_is_time(kept: Archive, monkeypatch: pytest.MonkeyPatch, rests: list[float]) -> None:
    """A batch may rest between its slices; not where more waits than one batch takes."""
    monkeypatch.setattr(backlog, "BATCH_ROWS", 10)
    desk = Desk(kept.database)
    desk.put(record(number) for number in range(1, 16))
    desk.writer.start()
    is_stored(desk, 15)
    desk.writer.stop()

    assert rests == [0.0, REST_BUDGET_S]


def test_no_rest_at_the_end(kept: Archive, rests: list[float]) -> None:
    """A gateway that stops waits for its history, so that is stored without a rest."""
    desk = Desk(kept.database)
    desk.put([record(1)])
    desk.writer.start()
    desk.writer.stop()

    assert kept.offsets() == [1]
    assert rests == [0.0]


def test_only_what_was_written_took_time(kept: Archive) -> None:
    """A batch that finds the lease lost is not written: it counts for no time, nor for that of the batch before it."""
    desk = Desk(kept.database)
    desk.put([record(1)])
    desk.writer.start()
    is_stored(desk, 1)
    kept.lane.write(lambda connection: connection.execute(sa.update(WRITER).values(owner="another", until=1 << 40)))
    desk.put([record(2)])
    stands(desk, Standing.STANDBY)
    desk.writer.stop()

    assert desk.metrics.registry.get_sample_value("vda5050_history_write_seconds_count") == 1


@pytest.mark.parametrize("later_s", [-0.2, 0.0, 0.2])
def test_one_of_two_writes(kept: Archive, later_s: float) -> None:
    """Of two processes that take the same messages in, one stores them; the other takes over without gap or double.

    They need not have received a message at the same moment.
    """
    first, second = two_desks(kept)
    first.put([record(1), record(2)])
    is_stored(first, 2)
    second.put([record(number, at_s=number + later_s, epoch="e2") for number in (1, 2, 3, 4)])
    first.writer.stop()
    stands(second, Standing.WRITING)
    second.writer.stop()

    assert kept.offsets() == [1, 2, 3, 4]
    assert (first.stored(), second.stored()) == (2, 2)
    assert second.lost("shutdown") == 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note who asks for the lease."""
    owners: list[str] = []
    keep = lease.keep

    def note(connection: Connection, owner: str) -> bool:
        owners.append(owner)
        return keep(connection, owner)

    monkeypatch.setattr(lease, "keep", note)
    return owners


def test_the_database_is_left_alone_at_rest(kept: Archive, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing to write, who writes does not ask for the lease again before ASK_S."""
    monkeypatch.setattr(writer, "ASK_S", 60.0)
    desk = Desk(kept.database, owner="first")
    desk.writer.start()
    with gevent.Timeout(10):
        while desk.rounds < 20:
            gevent.sleep(0.005)
    at_rest = list(asked)
    desk.writer.stop()

    assert at_rest == ["first"]


def test_who_was_there_goes_first(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that starts when the lease has just become free leaves it to one that has what came in between."""
    monkeypatch.setattr(writer, "YIELD_S", 2)
    kept.lane.write(lambda connection: lease.take(connection, "last"))
    kept.lane.write(lambda connection: lease.release(connection, "last"))
    newcomer, stayed = Desk(kept.database, owner="newcomer"), Desk(kept.database, owner="stayed")
    newcomer.put([record(2, epoch="e2")])
    newcomer.writer.start()
    stands(newcomer, Standing.STANDBY)
    stayed.ahead_s = writer.STANDBY_S
    stayed.put([record(1), record(2)])
    stayed.writer.start()
    is_stored(stayed, 2)
    newcomer.writer.stop()
    stayed.writer.stop()

    assert kept.offsets() == [1, 2]


def test_a_newcomer_writes_where_nobody_else_does(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits a moment for others, not for ever; who stops does not wait."""
    monkeypatch.setattr(writer, "YIELD_S", 1)
    kept.lane.write(lambda connection: lease.take(connection, "last"))
    kept.lane.write(lambda connection: lease.release(connection, "last"))
    desk = Desk(kept.database)
    desk.put([record(1)])
    desk.writer.start()
    is_stored(desk, 1)
    desk.writer.stop()
    last = Desk(kept.database, owner="last")
    last.put([record(2)])
    last.writer.start()
    last.writer.stop()

    assert kept.offsets() == [1, 2]


def test_who_stands_by_and_stops_asks_once_more(kept: Archive) -> None:
    """Of two that stop one after the other, the second stores what came after the first."""
    first, second = two_desks(kept)
    first.writer.stop()
    second.put([record(1)])
    second.writer.stop()

    assert kept.offsets() == [1]


def test_the_lease_is_renewed_at_rest(kept: Archive, asked: list[str]) -> None:
    """Who has nothing to write stays the one who writes."""
    desk = Desk(kept.database)
    desk.writer.start()
    with gevent.Timeout(10):
        while len(asked) < 5:
            gevent.sleep(0.005)
    desk.writer.stop()

    assert desk.writer.standing is Standing.WRITING


def test_both_are_failing_and_the_other_goes_on(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage for both, what the first had stored before it is not stored again by the other."""
    first, second = two_desks(kept)
    first.put([record(1), record(2)])
    second.put([record(1, epoch="e2"), record(2, epoch="e2")])
    is_stored(first, 2)

    def fail(connection: Connection, owner: str) -> bool:
        raise DatabaseUnavailable(f"{connection} hangs for {owner}")

    with monkeypatch.context() as outage:
        outage.setattr(lease, "keep", fail)
        stands(first, Standing.FAILING)
        stands(second, Standing.FAILING)
        first.writer.stop()
        kept.lane.write(lambda connection: lease.release(connection, "first"))
    second.put([record(3, epoch="e2")])
    second.writer.stop()

    assert kept.offsets() == [1, 2, 3]


def test_another_wrote_in_between(kept: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that stood still while another took the lease, wrote and let it go stores what that one has not."""
    monkeypatch.setattr(writer, "ASK_S", 60.0)
    desk = Desk(kept.database)
    desk.writer.start()
    stands(desk, Standing.WRITING)
    kept.lane.write(lambda connection: lease.release(connection, "me"))
    kept.write(record(1), record(2))
    desk.put([record(1, epoch="e2"), record(2, epoch="e2"), record(3, epoch="e2")])
    desk.writer.stop()

    assert kept.offsets() == [1, 2, 3]


def test_a_message_from_the_future_hides_nothing(kept: Archive) -> None:
    """What was stored while the clock was ahead is not taken for what is stored up to now."""
    kept.write(record(99, at_s=1e8))
    first, second = two_desks(kept)
    second.put([record(1), record(2)])
    first.writer.stop()
    second.writer.stop()

    assert kept.offsets() == [1, 2, 99]


def test_after_the_clock_was_set_back(kept: Archive) -> None:
    """A gateway that starts when the clock was set back by seconds stores what comes, though later times are stored."""
    kept.write(record(1, at_s=6), record(2, at_s=7))
    desk = Desk(kept.database)
    desk.put([record(3, at_s=1, epoch="e2"), record(4, at_s=2, epoch="e2")])
    desk.writer.start()
    desk.writer.stop()

    assert sorted(kept.offsets()) == [1, 2, 3, 4]


def test_what_is_said_twice_is_stored_twice(kept: Archive) -> None:
    """Of two equal messages the one that another process has stored is left out, not both."""
    kept.write(record(1, b'{"same":1}', at_s=1))
    desk = Desk(kept.database)
    desk.put([record(1, b'{"same":1}', at_s=1, epoch="e2"), record(2, b'{"same":1}', at_s=2, epoch="e2")])
    desk.writer.start()
    desk.writer.stop()

    assert kept.offsets() == [1, 2]


def test_a_damaged_message_stops_no_takeover(kept: Archive) -> None:
    """Who takes over compares with what is stored; what of that cannot be read is as if it were not there."""
    kept.write(record(1), record(2))
    kept.lane.write(lambda connection: connection.execute(sa.update(MESSAGES).values(payload=b"damaged")))
    desk = Desk(kept.database)
    desk.put([record(3, epoch="e2")])
    desk.writer.start()
    is_stored(desk, 1)
    desk.writer.stop()

    assert kept.offsets() == [3]


def test_who_stands_by_cannot_hold_all(kept: Archive) -> None:
    """It holds the newest; when it takes over, what it had to let go and nobody stored is counted as lost."""
    payload = b'{"x":"' + bytes(700).replace(b"\0", b"x") + b'"}'
    first, second = two_desks(kept, max_standby_bytes=5_000)
    first.put([record(1, payload), record(2, payload)])
    is_stored(first, 2)
    second.put([record(number, payload, epoch="e2") for number in range(1, 11)])
    second.wall_clock.advance(11)
    with gevent.Timeout(10):
        while second.writer.waiting_bytes > 5_000:
            gevent.sleep(0.005)
    first.writer.stop()
    second.writer.stop()

    assert kept.offsets() == [1, 2, 7, 8, 9, 10]
    assert second.lost("buffer") == 4


def test_who_stands_by_keeps_little(kept: Archive) -> None:
    """A process that stands by lets go what the writing one has stored long since, and counts nothing as lost."""
    kept.lane.write(lambda connection: lease.take(connection, "another"))
    desk = Desk(kept.database)
    desk.writer.start()
    desk.put([record(number, at_s=0) for number in range(1, 50)])
    stands(desk, Standing.STANDBY)
    desk.wall_clock.advance(writer.STANDBY_S + 1)
    with gevent.Timeout(10):
        while desk.writer.waiting:
            gevent.sleep(0.005)
    desk.writer.stop()

    assert desk.lost("shutdown") == 0


def test_dictionaries_come_with_time(kept: Archive) -> None:
    """The writer trains, stores and uses a dictionary by itself, and what it wrote can be read."""
    desk = Desk(kept.database)
    desk.writer.start()
    for start in (1, 1_001):
        desk.put(record(number) for number in range(start, start + 1_000))
        with gevent.Timeout(10):
            while desk.writer.waiting_bytes:
                gevent.sleep(0.005)
    desk.writer.stop()

    assert kept.offsets() == list(range(1, 2_001))
    used = kept.lane.read(
        lambda connection: connection.exec_driver_sql("SELECT DISTINCT dictionary_id FROM messages").scalars().all()
    )
    assert sorted(used) == [0, 1]
