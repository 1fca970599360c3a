"""What waits for Redis is bounded, in order, and what is given up is counted."""

from typing import Any

import orjson
import pytest

from vda5050.backplane.batches import decode
from vda5050.backplane.writer import Writer, field_of
from vda5050.doctor import MAX_FINDINGS_A_ROBOT
from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.topics import Address


class Losses:
    """Counts what is lost."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, count: int) -> None:
        """Count."""
        self.count += count


def update(number: int, *, serial_number: str = "1", topic: str = "state", size: int = 10) -> Update:
    """Give a numbered message."""
    payload = orjson.dumps({"n": number, "filler": "x" * size})
    return Update(Address("uagv", "v2", "ACME", serial_number, topic), payload, 1.0, is_retained=False)


def told(place: str, **override: Any) -> Told:
    """Give a finding."""
    return Told("ACME/1", {"rule": "schema", "topic": "state", "place": place, **override})


def writer(**options: Any) -> tuple[Writer, Losses]:
    """Give a writer that stands at offset 10 of an epoch."""
    losses = Losses()
    made = Writer("worker", lost=losses, **options)
    made.begin("e", 10, applied_offset=10)
    return made, losses


def test_in_order() -> None:
    """Entries are appended in order behind what is there, and put tells the offset they get."""
    made, _ = writer()

    assert [made.put(update(1)), made.put(LinkChange(is_up=True, at=1.0)), made.put(update(2))] == [11, 12, 13]
    batch = made.next(keep_from=1)
    assert batch is not None
    assert (batch.epoch, batch.first, batch.last, batch.keep_from) == ("e", 11, 13, 1)
    assert decode(batch.body).entries == (update(1), LinkChange(is_up=True, at=1.0), update(2))
    assert len(batch.state) == 2  # the newest state, the link


def test_the_same_batch_until_done() -> None:
    """A batch whose answer did not come is given again as it was; what came meanwhile waits behind it."""
    made, _ = writer()
    made.put(update(1))
    first = made.next(keep_from=1)

    assert made.put(update(2)) == 12
    assert made.next(keep_from=5) is first
    made.done()
    second = made.next(keep_from=5)
    assert second is not None
    assert (second.first, second.last) == (12, 12)
    made.done()
    assert made.next(keep_from=5) is None


def test_too_much_waits() -> None:
    """When too much waits the newest of each robot and topic is kept, the rest counted, and the epoch cannot go on."""
    made, losses = writer(max_waiting_bytes=2_000)
    for number in range(10):
        made.put(update(number, serial_number=str(number % 2), size=100))

    assert made.has_hole
    assert not made.stands_at("e", 10)
    assert losses.count == 10 - len(made)
    made.begin("f", 20, applied_offset=10)
    batch = made.next(keep_from=1)
    assert batch is not None
    assert (batch.epoch, batch.first) == ("f", 21)
    assert set(decode(batch.body).entries) >= {update(n, serial_number=str(n % 2), size=100) for n in (8, 9)}


def test_more_robots_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the newest messages alone are too many they are kept, and a message costs little more for it."""
    names = 0

    def counted(entry: Entry) -> bytes:
        nonlocal names
        names += 1
        return field_of(entry)

    monkeypatch.setattr("vda5050.backplane.writer.field_of", counted)
    made, losses = writer(max_waiting_bytes=20_000)
    for number in range(10_000):
        made.put(update(number, serial_number=str(number % 500)))

    assert names < 100_000
    assert losses.count == 10_000 - len(made)
    assert 500 <= len(made) < 700


def test_more_robots_than_the_bound_and_redis_is_back() -> None:
    """What is taken in while the backlog is appended makes no second hole."""
    made, _ = writer(max_waiting_bytes=20_000)
    for number in range(2_000):
        made.put(update(number, serial_number=str(number % 500)))
    made.begin("f", 3_000, applied_offset=10)

    for number in range(20):
        made.put(update(number))

    assert not made.has_hole


def test_acknowledgement_that_was_lost() -> None:
    """What was read back from the stream before another epoch began is not appended once more; what was not, is."""
    for applied_offset, expected in ((11, [update(2)]), (10, [update(1), update(2)])):
        made, losses = writer()
        made.put(update(1))
        made.next(keep_from=1)
        made.put(update(2))

        made.begin("f", 30, applied_offset=applied_offset)
        batch = made.next(keep_from=1)

        assert batch is not None
        assert list(decode(batch.body).entries) == expected
        assert losses.count == 0


def test_drop() -> None:
    """A worker whose time is over counts the messages it could not append; findings are no messages."""
    made, losses = writer()
    made.put(update(1))
    made.next(keep_from=1)
    made.put(update(2))
    made.put(told("a"))

    made.drop()
    assert losses.count == 2
    assert not made
    assert made.next(keep_from=1) is None


def test_findings_in_the_store_are_bounded() -> None:
    """Of a robot's findings the one not told for longest is forgotten, also one from before this worker's time."""
    made, _ = writer()
    made.begin("e", 10, applied_offset=10, findings=[told("oldest"), told("second")])
    for number in range(MAX_FINDINGS_A_ROBOT - 2):
        made.put(told(str(number)))
    made.put(told("oldest"))
    made.put(told("one too many"))

    batch = made.next(keep_from=1)
    assert batch is not None
    assert batch.forgotten == (b"ACME/1\0schema\0state\0second",)
    assert len(batch.findings) == MAX_FINDINGS_A_ROBOT


def nested(levels: int) -> Any:
    """Give lists in lists."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_entry_that_cannot_be_written(caplog: pytest.LogCaptureFixture) -> None:
    """An entry that cannot be written is left out and logged; what came with it is appended."""
    made, losses = writer()
    made.put(update(1))
    made.put(told("deep", sample=nested(254)))
    made.put(update(2))

    batch = made.next(keep_from=1)

    assert batch is not None
    assert (batch.first, batch.last) == (11, 12)
    assert decode(batch.body).entries == (update(1), update(2))
    assert losses.count == 0  # a finding is no message
    assert ["left out" in record.getMessage() for record in caplog.records] == [True]


def test_nothing_that_can_be_written() -> None:
    """Where nothing of what waits can be written nothing is appended, and a message among it is counted as lost."""
    made, losses = writer()
    made.put(told("deep", sample=nested(254)))
    made.put(Update(Address("uagv", "v2", "ACME", "\ud800", "state"), b"{}", 1.0, is_retained=False))

    assert made.next(keep_from=1) is None
    assert losses.count == 1
    assert not made
    assert made.put(update(1)) == 11
