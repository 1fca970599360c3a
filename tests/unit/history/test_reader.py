"""A page is exactly what was asked for, in order, whichever index it comes from; so is the fleet at a time."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Row

from tests.unit.builders import ROBOT
from tests.unit.history.recorded import START_US, Archive, archive, record
from vda5050.database import Lane
from vda5050.errors import DatabaseUnavailable
from vda5050.history import Reader, Stretch, reader, tables
from vda5050.history.codec import Decoder, Encoded
from vda5050.history.stretch import MICROSECONDS
from vda5050.history.tables import MESSAGES
from vda5050.robot_selection import ALL_ROBOTS, RobotSelection
from vda5050.sinks import Record
from vda5050.topics import TOPICS

ROBOTS = [f"KUKA/{number}" for number in range(4)] + [f"ABB/{number}" for number in range(4)]


def some_records(count: int = 200) -> list[Record]:
    """Give records of eight robots, most of them states, a tenth of a second apart."""
    topics = ["state"] * 5 + ["visualization", "order", "connection"]
    return [
        record(number, b"{}", robot=ROBOTS[number * 7 % 8], topic=topics[number * 5 % 8], at_s=number / 10)
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Give what is in the archive."""
    return some_records()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, records: list[Record]) -> Iterator[Archive]:
    """Give an archive with these records."""
    with archive(tmp_path_factory.mktemp("history")) as found:
        found.write(*records)
        yield found


selections = st.sampled_from(
    [
        ALL_ROBOTS,
        RobotSelection(one="KUKA/1"),
        RobotSelection(pattern=re.compile("KUKA/.*")),
        RobotSelection(pattern=re.compile("(KUKA|ABB)/[12]")),
        RobotSelection(one="nobody/1"),
    ]
)
topic_sets = st.one_of(st.none(), st.frozensets(st.sampled_from(sorted(TOPICS)), min_size=1))
times = st.integers(-10, 220).map(lambda tenth: START_US + tenth * MICROSECONDS // 10)


@settings(max_examples=100)
@given(selections, topic_sets, times, times, st.integers(1, 60), st.booleans(), st.sampled_from([0, 2, 40]))
def test_any_page(  # noqa: PLR0917 - hypothesis gives them so
    kept: Archive,
    records: list[Record],
    robots: RobotSelection,
    topics: frozenset[str] | None,
    start_us: int,
    end_us: int,
    limit: int,
    is_newest_first: bool,  # noqa: FBT001
    few: int,
) -> None:
    """Whatever is asked, a page is what a search through all messages would find, and no index changes it."""
    stretch = Stretch(start_us, end_us, robots, topics)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "FEW_ROBOTS", few)
        page, has_more, last_id = kept.reader.page(stretch, limit=limit, is_newest_first=is_newest_first)

    wanted = [
        one
        for one in records
        if robots.has(one.address.robot)
        and (topics is None or one.address.topic in topics)
        and start_us <= round(one.received_at * MICROSECONDS) < end_us
    ]
    if is_newest_first:
        wanted.reverse()
    assert [stored.record.offset for stored in page] == [one.offset for one in wanted[:limit]]
    assert has_more == (len(wanted) > limit)
    assert last_id == (page[-1].id if page else None)


@given(times, selections, topic_sets)
def test_the_fleet_at_any_time(
    kept: Archive,
    records: list[Record],
    at_us: int,
    robots: RobotSelection,
    topics: frozenset[str] | None,
) -> None:
    """The fleet at a time is the last message before it of each robot and topic."""
    found = kept.reader.last_messages(at_us, Stretch(robots=robots, topics=topics))

    last: dict[tuple[str, str], Record] = {}
    for one in records:
        if (
            robots.has(one.address.robot)
            and (topics is None or one.address.topic in topics)
            and round(one.received_at * MICROSECONDS) < at_us
        ):
            last[one.address.robot, one.address.topic] = one
    assert [stored.record for stored in found] == sorted(last.values(), key=lambda one: one.received_at)


def test_robots_that_come_later_are_found(tmp_path: Path) -> None:
    """A reader that has looked before finds robots, epochs and dictionaries that were added since."""
    with archive(tmp_path) as kept:
        assert kept.offsets() == []
        kept.write(record(1))
        assert kept.offsets(robots=RobotSelection(one=ROBOT)) == [1]
        kept.write(record(2, robot="ABB/9", epoch="another"))
        assert kept.offsets(robots=RobotSelection(one="ABB/9")) == [2]


def test_a_robot_with_a_lower_number_comes_later(tmp_path: Path) -> None:
    """A robot whose number is lower than one that a reader has seen is found: another process was slower to commit."""

    def number(connection: Connection, present: int, wanted: int) -> None:
        robots = tables.ROBOTS
        connection.execute(robots.update().where(robots.c.id == present).values(id=wanted))
        connection.execute(MESSAGES.update().where(MESSAGES.c.robot_id == present).values(robot_id=wanted))

    with archive(tmp_path) as kept:
        kept.write(record(1))
        kept.lane.write(lambda connection: number(connection, 1, 5))
        assert kept.offsets() == [1]
        kept.write(record(2, robot="ABB/9"))
        kept.lane.write(lambda connection: number(connection, 6, 4))

        assert kept.offsets(robots=RobotSelection(one="ABB/9")) == [2]
        assert kept.offsets() == [1, 2]


class FailingLane:
    """A way to an archive that serves one question; every other one fails."""

    def __init__(self, lane: Lane) -> None:
        self._lane: Lane | None = lane

    def read(self, work: Callable[[Connection], Any], **how: Any) -> Any:
        lane, self._lane = self._lane, None
        if lane is None:
            raise DatabaseUnavailable("it is away")
        return lane.read(work, **how)


def test_a_question_that_fails_takes_nothing_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is whole although other questions to the same reader fail while it is made."""
    with archive(tmp_path) as kept:
        kept.write(*(record(number) for number in range(1, 11)))
        kept.reader = Reader(cast(Lane, FailingLane(kept.lane)))

        class Interrupted(Decoder):
            def decode(self, encoded: Encoded) -> bytes:
                with pytest.raises(DatabaseUnavailable):
                    kept.reader.page(Stretch(), limit=1)
                return super().decode(encoded)

        monkeypatch.setattr(reader, "Decoder", Interrupted)

        assert kept.offsets() == list(range(1, 11))


def test_a_robot_that_moved_is_one(tmp_path: Path) -> None:
    """A robot that changed its interface or its version is still one robot."""
    moved = record(2)
    with archive(tmp_path) as kept:
        kept.write(record(1), moved._replace(address=type(moved.address)("vda5050", "v3", "KUKA", "KR_1001", "state")))

        assert kept.offsets(robots=RobotSelection(one=ROBOT)) == [1, 2]


def explain(query: str, connection: Connection) -> Sequence[Row[Any]]:
    """Ask SQLite how it would find the rows."""
    return connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()


def test_indexes_are_used(kept: Archive) -> None:
    """No page of a few robots, or of rare topics, reads the whole table."""
    plans = []
    for strip in (
        *reader._strips([1], frozenset({"state"})),  # noqa: SLF001 - no outside sign but slowness
        *reader._strips(None, frozenset({"order"})),  # noqa: SLF001
        *reader._strips(None, None),  # noqa: SLF001
    ):
        query = MESSAGES.select().where(*strip, MESSAGES.c.id > 5).order_by(MESSAGES.c.id)
        text = str(query.compile(compile_kwargs={"literal_binds": True}))
        rows = kept.lane.read(partial(explain, text))
        plans.append(" ".join(row.detail for row in rows))

    assert ["messages_of_robot" in plans[0], "messages_rare" in plans[1], "PRIMARY KEY" in plans[2]] == [True] * 3
    assert not any("TEMP B-TREE" in plan or "SCAN" in plan for plan in plans)
