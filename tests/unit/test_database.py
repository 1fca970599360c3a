"""The database on SQLite: work off the hub, bounded, in transactions; PostgreSQL is in tests/live/test_database.py."""

import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import gevent
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from vda5050.database import METADATA, Database, Lane, check_database_url
from vda5050.errors import DatabaseTooNew, DatabaseUnavailable
from vda5050.service import Service

ADD = text("INSERT INTO shared_secrets (name, secret, created_at) VALUES (:name, x'00', 1)")
COUNT = text("SELECT count(*) FROM shared_secrets")

Build = Callable[..., Database]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Name a file in a folder that is not there yet."""
    return f"sqlite:///{tmp_path}/var/deep/gateway.db"


@pytest.fixture
def database(url: str) -> Database:
    """Build a database that is not opened."""
    return Database(url)


@pytest.fixture
def lane(database: Database) -> Iterator[Lane]:
    """Give a way to it with one thread."""
    lane = database.lane(threads=1)
    yield lane
    lane.close()


def count(connection: Connection) -> int:
    """Count the rows of a table."""
    found: int = connection.execute(COUNT).scalar_one()
    return found


def add(connection: Connection, name: str = "a") -> None:
    """Add a row to it."""
    connection.execute(ADD, {"name": name})


def test_first_use_makes_it(database: Database, lane: Lane, tmp_path: Path) -> None:
    """The first use makes folder, file and tables; the file, which holds hashes of keys, is for its owner alone."""
    assert lane.read(count) == 0

    assert (database.is_open, database.problem) == (True, "")
    assert stat.S_IMODE((tmp_path / "var/deep/gateway.db").stat().st_mode) == 0o600


def test_work_leaves_the_hub_free(lane: Lane) -> None:
    """While work blocks its native thread, other greenlets run."""
    released = threading.Event()
    seen = []

    def release() -> None:
        seen.append("another greenlet")
        released.set()

    gevent.spawn(release)
    assert lane.read(lambda _connection: released.wait(10))
    assert seen == ["another greenlet"]


def test_a_transaction_is_kept_or_undone(lane: Lane) -> None:
    """What `write` did is there afterwards; what raised leaves nothing behind, and the error is the caller's own."""

    def add_and_fail(connection: Connection) -> None:
        add(connection, "b")
        raise ValueError("no")

    lane.write(add)
    with pytest.raises(ValueError, match="no"):
        lane.write(add_and_fail)

    assert lane.read(count) == 1


def test_a_busy_lane_refuses(lane: Lane) -> None:
    """Who finds all threads at work waits for its timeout only, and is told why; the lane recovers."""
    released = threading.Event()
    lane.read(count)
    slow = gevent.spawn(lane.read, lambda _connection: released.wait(10))
    gevent.sleep(0)

    with pytest.raises(DatabaseUnavailable, match="busy"):
        lane.read(count, timeout_s=0.01)

    released.set()
    slow.get()
    assert lane.read(count) == 0


def test_no_answer_is_not_awaited_for_ever(lane: Lane) -> None:
    """A caller waits for its timeout only; the thread and its connection are in use again when the work is done."""
    released = threading.Event()
    lane.read(count)
    with pytest.raises(DatabaseUnavailable, match="no answer"):
        lane.read(lambda _connection: released.wait(10), timeout_s=0.01)

    released.set()

    assert lane.read(count) == 0


def test_lanes_do_not_wait_for_each_other(database: Database, lane: Lane) -> None:
    """A lane whose only thread is at work keeps no other lane waiting."""
    other = database.lane(threads=1)
    released = threading.Event()
    lane.read(count)
    slow = gevent.spawn(lane.read, lambda _connection: released.wait(10))
    gevent.sleep(0)

    assert other.read(count) == 0

    released.set()
    slow.get()
    other.close()


def test_writers_of_two_processes_wait_in_turn(url: str, lane: Lane) -> None:
    """A writer waits for another one's transaction, even where it reads before it writes."""
    other = Database(url).lane(threads=1)
    inside, late_inside, released = threading.Event(), threading.Event(), threading.Event()

    def add_slowly(connection: Connection) -> None:
        add(connection, "slow")
        inside.set()
        released.wait(10)

    def read_then_add(connection: Connection) -> int:
        late_inside.set()
        before = count(connection)
        add(connection, "late")
        return before

    lane.read(count)
    other.read(count)
    slow = gevent.spawn(other.write, add_slowly)
    gevent.sleep(0)
    inside.wait(10)
    late = gevent.spawn(lane.write, read_then_add)
    gevent.sleep(0)
    came_between = late_inside.wait(0.05)
    released.set()
    slow.get()

    assert not came_between
    assert late.get() == 1
    other.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A database that cannot be opened is told with the reason, and is used as soon as it can be."""
    (tmp_path / "var").write_text("a file in the way")
    database = Database(f"sqlite:///{tmp_path}/var/gateway.db")
    lane = database.lane(threads=1)
    with pytest.raises(DatabaseUnavailable):
        lane.read(count)
    assert not database.is_open
    assert "File exists" in database.problem

    (tmp_path / "var").unlink()

    assert lane.read(count) == 0
    assert database.problem == ""
    lane.close()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """A file that is no database is told as such and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at" * 100)
    lane = Database(f"sqlite:///{path}").lane(threads=1)

    with pytest.raises(DatabaseUnavailable, match="not a database"):
        lane.read(count)

    assert path.read_text().startswith("not a database")
    lane.close()


def test_a_newer_schema_is_left_alone(url: str, lane: Lane) -> None:
    """A database that a newer gateway has migrated is not touched; the error names both versions and the way out."""
    lane.read(count)
    lane.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    later = Database(url)
    other = later.lane(threads=1)

    with pytest.raises(DatabaseTooNew, match=r"version 9999.* upgrade the gateway"):
        other.read(count)

    assert "9999" in later.problem
    other.close()


def test_another_connection_takes_no_locks_away(url: str, database: Database, lane: Lane) -> None:
    """What another process writes is seen, also after this one has opened a further connection in between.

    The gateway once looked at the file before each connection; closing it gave up the locks of the others.
    """
    other = database.lane(threads=1)
    lane.read(count)
    other.read(count)
    path = url.removeprefix("sqlite:///")
    statement = "INSERT INTO shared_secrets VALUES ('x', x'00', 1)"
    program = f"import sqlite3; c = sqlite3.connect({path!r}); c.execute({statement!r}); c.commit(); c.close()"
    subprocess.run([sys.executable, "-c", program], check=True)

    assert Path(f"{path}-wal").exists()
    assert (lane.read(count), other.read(count)) == (1, 1)
    other.close()


def test_many_open_it_at_once(url: str) -> None:
    """Several that open a new database at the same moment all find it migrated, once."""
    lanes = [Database(url).lane(threads=1) for _ in range(4)]
    readers = [gevent.spawn(lane.read, count) for lane in lanes]

    gevent.joinall(readers, raise_error=True)
    assert [reader.get() for reader in readers] == [0, 0, 0, 0]
    for lane in lanes:
        lane.close()


def test_opening_waits_for_another_that_writes_to_a_new_file(url: str, lane: Lane) -> None:
    """A file that is not in WAL mode yet, and whose lock another has, is opened when that one is done.

    SQLite refuses the change of mode at once there, whatever its timeout: gateways that started together failed on it.
    """
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        reader = gevent.spawn(lane.read, count)
        reader.join(timeout=0.3)
        assert not reader.ready()
        other.execute("COMMIT")
        assert reader.get(timeout=5) == 0


def test_tables_are_as_declared(lane: Lane) -> None:
    """What the migrations make is what the code declares."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    assert lane.read(differences) == []
    assert Service is not None  # which imports the modules of all tables


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///var/x.db", "SQLite var/x.db"),
        ("sqlite:////srv/x.db", "SQLite /srv/x.db"),
        ("postgresql://gateway:geheim@db.example:5433/fleet?sslmode=require", "PostgreSQL db.example:5433/fleet"),
        ("postgresql+psycopg:///fleet", "PostgreSQL on this machine/fleet"),
    ],
)
def test_shown_names(url: str, name: str) -> None:
    """What is shown of a database says where it is, and neither user nor password."""
    assert Database(url).name == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "none",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x.db?mode=ro",
        "mysql://u:geheim@h/d",
        "postgresql://u:geheim@h",
        "postgresql+asyncpg://u:geheim@h/d",
        "postgresql://u:geheim@h:port/d",
    ],
)
def test_refused_urls(url: str) -> None:
    """What is no database that we know is refused, and a password in it is not repeated."""
    with pytest.raises(ValueError, match=r"needs|expected") as refused:
        check_database_url(url)

    assert "geheim" not in str(refused.value)


def test_a_closed_lane_refuses(lane: Lane) -> None:
    """After `close`, which may be called twice, nothing is opened again."""
    lane.read(count)
    lane.close()
    lane.close()

    with pytest.raises(DatabaseUnavailable, match="closed"):
        lane.read(count)
