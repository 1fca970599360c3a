"""The database on PostgreSQL: many start at once, the server dies and comes back, nothing waits for ever."""

import multiprocessing
from collections.abc import Iterator

import gevent
import pytest
from sqlalchemy import Connection, text

from tests.postgres import Postgres, postgres
from tests.services import free_port, wait_until
from tests.unit.history.recorded import record
from vda5050.database import Database, Lane
from vda5050.errors import DatabaseUnavailable
from vda5050.history import store
from vda5050.history.store import LONGEST_REST_S, Store
from vda5050.site_maps import LAYOUT, Placement
from vda5050.site_maps.uploads import Uploads

ADD = text("INSERT INTO shared_secrets (name, secret, created_at) VALUES (:name, '\\x00', 1)")
PROCESSES = 4


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Run one server for this module."""
    with postgres() as server:
        yield server


@pytest.fixture
def lane(server: Postgres) -> Iterator[Lane]:
    """Give a way to its database."""
    lane = Database(server.url).lane(threads=2)
    yield lane
    lane.close()


def one(connection: Connection) -> int:
    """Ask for a 1."""
    found: int = connection.execute(text("SELECT 1")).scalar_one()
    return found


def count(connection: Connection) -> int:
    """Count the messages that are stored."""
    found: int = connection.execute(text("SELECT count(*) FROM messages")).scalar_one()
    return found


def can_be_read(lane: Lane) -> bool:
    """Tell whether the database answers."""
    try:
        return lane.read(one) == 1
    except DatabaseUnavailable:
        return False


def _open(url: str) -> int:
    lane = Database(url).lane(threads=1)
    try:
        return lane.read(one)
    finally:
        lane.close()


def test_many_processes_open_it_at_once(server: Postgres, lane: Lane) -> None:
    """Several processes that start on an empty database at the same moment all find it migrated, once."""
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        assert pool.map(_open, [server.url] * PROCESSES) == [1] * PROCESSES

    versions = lane.read(lambda connection: connection.execute(text("SELECT version_num FROM alembic_version")).all())
    assert len(versions) == 1


def test_a_slow_statement_leaves_the_hub_free(lane: Lane) -> None:
    """While the server works, other greenlets run, and another query of the lane is answered."""
    lane.read(one)
    slow = gevent.spawn(lane.read, lambda connection: connection.execute(text("SELECT pg_sleep(0.5)")).all())

    assert lane.read(one) == 1
    assert not slow.ready()
    slow.get()


def test_a_server_that_dies_and_comes_back(server: Postgres, lane: Lane) -> None:
    """A killed server is told as such at once; as soon as it is back, the same lane works again."""
    assert lane.read(one) == 1
    server.kill()
    with pytest.raises(DatabaseUnavailable):
        lane.read(one)

    server.start()

    wait_until(lambda: can_be_read(lane), what="the database is read again", deadline_s=30)


def test_a_restart_between_two_uses_is_not_seen(server: Postgres, lane: Lane) -> None:
    """A connection that the server has closed meanwhile is replaced, without an error."""
    assert lane.read(one) == 1
    server.kill()
    server.start()
    wait_until(lambda: _is_up(server), what="the server takes connections", deadline_s=30)

    assert lane.read(one) == 1


def _is_up(server: Postgres) -> bool:
    other = Database(server.url).lane(threads=1)
    try:
        return can_be_read(other)
    finally:
        other.close()


@pytest.mark.parametrize(("budget_s", "rest_s"), [(0.0, None), (0.003, 0.001), (9.0, LONGEST_REST_S)])
def test_a_batch_rests_between_its_slices(
    lane: Lane, monkeypatch: pytest.MonkeyPatch, budget_s: float, rest_s: float | None
) -> None:
    """A batch of messages is there whole when it has been written, with as much rest in between as it was given."""
    monkeypatch.setattr(store, "SLICE_ROWS", 10)
    rests: list[float] = []
    monkeypatch.setattr(store, "_sleep", rests.append)
    records, keeper = [record(number, at_s=budget_s * 1_000 + number) for number in range(1, 26)], Store()
    lane.write(keeper.load)
    before = lane.read(count)
    stored = lane.write(
        lambda connection: keeper.write(connection, records, keeper.number(records), rest_budget_s=budget_s)
    )

    assert (stored, lane.read(count) - before) == (25, 25)
    assert keeper.rested_s == pytest.approx(sum(rests))
    assert rests == ([] if rest_s is None else pytest.approx([rest_s] * 2))


def test_an_error_of_the_caller_stays_one(lane: Lane) -> None:
    """What `work` raises is raised, the transaction is undone, and the connection serves the next."""

    def add_and_fail(connection: Connection) -> None:
        connection.execute(ADD, {"name": "x"})
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lane.write(add_and_fail)

    rows = lane.read(lambda connection: connection.execute(text("SELECT count(*) FROM shared_secrets")).scalar_one())
    assert rows == 0


@pytest.mark.parametrize("map_id", ["a\x00b", "a\nb", "", "m" * 5_000], ids=["NUL", "line break", "empty", "long"])
def test_a_map_that_cannot_be_is_not_there(server: Postgres, map_id: str) -> None:
    """An id that no map can have is looked up and deleted as one that none has: PostgreSQL takes no NUL."""
    uploads = Uploads(Database(server.url))

    assert (uploads.layout(map_id), uploads.floor_plan(map_id)) == (None, None)
    assert not uploads.delete(map_id, LAYOUT)
    assert uploads.place_floor_plan(map_id, Placement(metres_per_pixel=1.0)) is None
    uploads.close()


def test_nobody_listens() -> None:
    """A server that is not there is told with a reason that holds no password."""
    database = Database(f"postgresql://gateway:geheim@127.0.0.1:{free_port()}/fleet")
    lane = database.lane(threads=1)
    with pytest.raises(DatabaseUnavailable):
        lane.read(one)

    assert "refused" in database.problem
    assert "geheim" not in database.problem
    lane.close()
