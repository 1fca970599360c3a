"""A replica shows what other workers took in as its own, and goes on from an image of everything."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.unit.builders import ROBOT, START_S, Chain, RecordingSink, state
from vda5050.doctor import Doctor
from vda5050.entries import LinkChange, Told, Update
from vda5050.frames import entry_frame
from vda5050.replica import Image, Replica
from vda5050.topics import parse_topic


def update(number: int, *, received_at: float = START_S, is_retained: bool = False) -> Update:
    """Give a robot's numbered state."""
    address = parse_topic(f"uagv/v2/{ROBOT}/state")
    return Update.of(address, orjson.dumps(state(headerId=number)), received_at=received_at, is_retained=is_retained)


def told(count: int, last_seen: str = "2026-11-23T10:00:00.000Z") -> Told:
    """Give a finding as another worker tells it."""
    finding: dict[str, Any] = {
        "rule": "schema", "severity": "error", "robot": ROBOT, "topic": "state", "place": "x", "message": "wrong",
        "clause": "6.10", "contradicts": None, "count": count, "first_seen": "2026-11-23T09:00:00.000Z",
        "last_seen": last_seen, "offset": 3, "sample": {"headerId": 3},
    }  # fmt: skip
    return Told(ROBOT, finding)


class Worker(Chain):
    """A chain whose replica follows another worker."""

    def __init__(self) -> None:
        super().__init__()
        self.doctor = Doctor()
        self.own_sink = RecordingSink()
        self.replica = Replica(
            self.robots,
            self.broadcaster,
            self.doctor,
            sinks=[self.sink],
            own_sinks=[self.own_sink],
            wall_clock=self.wall_clock,
        )

    def header_ids(self, client: Any) -> list[int]:
        """Read the states that a client is sent."""
        return [event.data["payload"]["headerId"] for event in client.take() if event.type == "update"]


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Give a worker whose streams end with the test."""
    worker = Worker()
    yield worker
    worker.close()


def test_follow(worker: Worker) -> None:
    """What came in elsewhere is shown, numbered and given to the sinks of all workers; to our own sinks it is not."""
    client = worker.subscribe()
    client.take()

    worker.replica.follow(update(1))
    assert worker.replica.put(update(2)) == 2
    worker.flush()

    assert worker.header_ids(client) == [1, 2]
    assert [record.offset for record in worker.sink.records] == [1, 2]
    assert [record.offset for record in worker.own_sink.records] == [2]


def test_findings_of_another_worker(worker: Worker) -> None:
    """A finding that another worker told is this one's too, the newest of two; an older one does not replace it."""
    worker.replica.follow(told(2))
    worker.replica.follow(told(1, last_seen="2026-11-23T09:30:00.000Z"))

    (finding,) = worker.doctor.findings(ROBOT)
    assert finding.to_dict() == told(2).finding


def test_restart(worker: Worker) -> None:
    """After a restart every client is reset; who comes back with an id that is held is not."""
    client = worker.subscribe()
    client.take()
    worker.replica.put(update(1))
    worker.flush()
    client.take()

    frames = [entry_frame(offset, update(offset)) for offset in (8, 9)]
    worker.replica.restart(
        Image(
            "f", 9, [update(9, received_at=START_S - 100)], [told(1)], LinkChange(is_up=True, at=START_S - 200), frames
        )
    )
    worker.replica.follow(update(10, received_at=START_S))
    worker.flush()

    reset, snapshot, *rest = client.take()
    assert (reset.type, snapshot.type, rest) == ("reset", "snapshot", [])
    assert snapshot.id == "f-10"
    assert worker.metric("stream_resets_total", reason="epoch") == 1
    resumed = worker.subscribe(last_event_id="f-8")
    assert worker.header_ids(resumed) == [9, 10]
    assert len(list(worker.doctor.findings())) == 1


def test_what_is_skipped_is_told(worker: Worker) -> None:
    """Sinks learn how many entries lie between the last one and where the worker goes on, within one epoch."""
    for epoch, offset in (("f", 9), ("f", 9), ("f", 40), ("g", 100)):
        worker.replica.restart(Image(epoch, offset, [], [], None, []))

    assert (worker.sink.skipped, worker.own_sink.skipped) == (31, 0)


def test_stale_after_restart(worker: Worker) -> None:
    """How long ago a robot was heard is told from when its message was received, also where another worker did."""

    def is_stale(heard_s_ago: float, link_s_ago: float | None) -> bool:
        link = None if link_s_ago is None else LinkChange(is_up=True, at=START_S - link_s_ago)
        worker.replica.restart(Image("f", 9, [update(9, received_at=START_S - heard_s_ago)], [], link, []))
        entry = worker.robots.get_robot(ROBOT)
        assert entry is not None
        return bool(orjson.loads(entry)["is_stale"])

    limit = worker.settings.stale_after_s
    assert not is_stale(1, link_s_ago=100)
    assert is_stale(limit + 1, link_s_ago=100)
    assert is_stale(10, link_s_ago=5)
    assert is_stale(1, link_s_ago=None)


def test_entries(worker: Worker) -> None:
    """What a replica gives of itself makes another one know the same."""
    worker.replica.put(update(5))
    worker.replica.follow(told(3))

    assert list(worker.replica.entries()) == [update(5), told(3)]
