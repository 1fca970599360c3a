"""Whatever lies in the stream, a worker shows it under the same ids as the others do, and can be told to begin anew."""

import pytest

from tests.unit.backplane.model import ModelStore, Server
from tests.unit.backplane.test_writer import nested, update
from tests.unit.builders import Chain, FakeClock
from vda5050.backplane.batches import Batch, encode
from vda5050.backplane.follower import Follower
from vda5050.backplane.store import Append, Appended, Item
from vda5050.broadcast import Filter
from vda5050.doctor import Doctor
from vda5050.doctor.findings import Finding, Severity
from vda5050.entries import Entry, Told
from vda5050.replica import Replica


class Worker:
    """Follows a stream, and shows it to its clients."""

    def __init__(self, store: ModelStore) -> None:
        self.chain = Chain()
        replica = Replica(self.chain.robots, self.chain.broadcaster, Doctor(), wall_clock=self.chain.wall_clock)
        self.follower = Follower(store, replica, token="me", on_note=lambda _note: None)

    def shown(self) -> list[tuple[str | None, str]]:
        """Give ids and types of what a client is told that comes back with the id before all."""
        client = self.chain.subscribe(Filter.parse(types="state,finding"), last_event_id="e-0")
        seen = [(event.id, event.type) for event in client.take()]
        self.chain.close()
        return seen


@pytest.fixture
def store() -> ModelStore:
    """Give a store in which a worker has begun an epoch."""
    store = ModelStore(Server(FakeClock()))
    store.hold("other", ttl_ms=1_000, until_ms=10**15)
    store.begin("other", epoch="e", floor=0, body=encode(Batch("other")))
    return store


def append(store: ModelStore, *entries: Entry) -> None:
    """Let that worker append."""
    head = store.head()
    assert head is not None
    body = encode(Batch("other", entries))
    batch = Append("e", head.offset + 1, head.offset + len(entries), body, keep_from=0)
    assert store.append("other", batch, ttl_ms=1_000) is Appended.DONE


def finding(*, sample_levels: int) -> Told:
    """Give a finding with a message of so many levels."""
    found = Finding(
        rule="schema", severity=Severity.ERROR, robot="ACME/1", topic="state", place="", message="m", clause="c",
        contradicts=None, count=1, first_seen=1.0, last_seen=1.0, offset=1, sample=b"{}",
    )  # fmt: skip
    return Told("ACME/1", found.to_dict() | {"sample": nested(sample_levels)})


def test_finding_too_deep_for_a_frame(store: ModelStore) -> None:
    """A finding that can be written, and not be wrapped, has its place in the stream, also for who reads it later."""
    there, late = Worker(store), Worker(store)
    there.follower.read(0)
    append(store, update(1), finding(sample_levels=253), update(2))

    there.follower.read(0)
    late.follower.read(0)

    assert there.shown() == late.shown() == [("e-1", "update"), ("e-2", "finding"), ("e-3", "update")]


def test_forgetting_while_it_reads(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A follower that is told to load everything again, while it waits for what is new, does."""
    worker = Worker(store)
    worker.follower.read(0)
    append(store, update(1))

    def read(_after: str, *, block_ms: int) -> list[Item]:
        assert block_ms == 0
        worker.follower.forget()
        return []

    monkeypatch.setattr(store, "read", read)
    worker.follower.read(0)

    assert worker.follower.head == store.head()
    assert worker.shown() == [("e-1", "update")]
