"""A Redis, a broker and workers without sockets, that a test can make fail at any step.

`ModelStore` does in Python what `backplane.redis_store` does in Redis; tests/live/test_backplane_store.py compares the
two.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.unit.builders import FakeClock
from vda5050.backplane.hand_over import Intake
from vda5050.backplane.node import Node
from vda5050.backplane.roles import Surroundings
from vda5050.backplane.store import READY, Append, Appended, Head, Held, Item, Lease, Loaded, StoreError
from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.errors import RejectedMessage
from vda5050.frames import entry_frame
from vda5050.replica import Image
from vda5050.topics import parse_topic


@dataclass(slots=True)
class Value:
    """A key that may expire."""

    text: str
    expires_at: float


@dataclass(slots=True)
class Server:
    """What lies in Redis. `is_away`: every command fails before it is done."""

    clock: FakeClock
    is_away: bool = False
    keys: dict[str, Value] = field(default_factory=dict)
    workers: dict[str, float] = field(default_factory=dict)
    head: Head | None = None
    seq: int = 0
    stream: list[Item] = field(default_factory=list)
    state: dict[bytes, bytes] = field(default_factory=dict)
    findings: dict[bytes, bytes] = field(default_factory=dict)

    def lose_everything(self) -> None:
        """Come back empty."""
        self.keys.clear()
        self.workers.clear()
        self.head, self.seq = None, 0
        self.stream.clear()
        self.state.clear()
        self.findings.clear()

    def get(self, key: str) -> str | None:
        """Read a key that has not expired."""
        value = self.keys.get(key)
        return value.text if value is not None and value.expires_at > self.clock() else None

    def set(self, key: str, text: str, ttl_ms: int) -> None:
        """Write a key."""
        self.keys[key] = Value(text, self.clock() + ttl_ms / 1000)


class ModelStore:
    """The steps. `loses_answer`: the next change is made, and its answer lost."""

    def __init__(self, server: Server) -> None:
        self.loses_answer = False
        self._server = server

    def hold(self, token: str, *, ttl_ms: int, until_ms: int) -> Held:
        server = self._reached()
        server.workers[token] = server.clock()
        others = sum(at > server.clock() - ttl_ms / 1000 for at in server.workers.values()) - 1
        now_ms = round(server.clock() * 1_000)
        lease, last = server.get("lease"), server.head.holder if server.head else None
        if lease not in (None, token):
            return Held(Lease.OTHER, None, others, now_ms)
        if lease is None and last != token and now_ms > until_ms:
            return Held(Lease.LATE, None, others, now_ms)
        server.set("lease", token, ttl_ms)
        return Held(Lease.TAKEN if lease is None else Lease.KEPT, server.head, others, now_ms)

    def begin(self, token: str, *, epoch: str, floor: int, body: bytes) -> Head | None:
        server = self._reached()
        if server.get("lease") != token:
            return None
        server.stream.clear()
        offset = max(floor, server.head.offset if server.head else 0)
        server.seq += 1
        server.head = Head(epoch, offset, token, f"{offset}-{server.seq}")
        server.stream.append(Item(server.head.position, epoch, offset + 1, body))
        self._answer()
        return server.head

    def seed(self, token: str, *, state: Mapping[bytes, bytes], findings: Mapping[bytes, bytes]) -> bool:
        server = self._reached()
        if server.get("lease") != token:
            return not (state or findings)  # nothing to be put in was put in
        server.state.update(state)
        server.findings.update(findings)
        return True

    def append(self, token: str, append: Append, *, ttl_ms: int) -> Appended:
        server = self._reached()
        lease, head = server.get("lease"), server.head
        if lease is None:
            return Appended.EXPIRED
        if lease != token or head is None or head.epoch != append.epoch or head.holder != token:
            return Appended.FENCED
        if append.last >= append.first and head.offset == append.last:
            return Appended.DONE
        if head.offset != append.first - 1:
            return Appended.FENCED
        server.seq += 1
        position = f"{append.last}-{server.seq}"
        server.stream.append(Item(position, append.epoch, append.first, append.body))
        server.stream = [item for item in server.stream if int(item.position.partition("-")[0]) >= append.keep_from]
        server.state.update(append.state)
        server.findings.update(append.findings)
        for name in append.forgotten:
            server.findings.pop(name, None)
        server.head = Head(append.epoch, append.last, append.successor or token, position)
        server.set("lease", append.successor or token, ttl_ms)
        self._answer()
        return Appended.DONE

    def release(self, token: str) -> None:
        server = self._reached()
        server.workers.pop(token, None)
        if server.get("lease") == token:
            del server.keys["lease"]

    def claim(self, token: str, *, ttl_ms: int) -> bool:
        server = self._reached()
        if server.get("successor") is not None:
            return False
        server.set("successor", token, ttl_ms)
        return True

    def ready(self, token: str, *, ttl_ms: int) -> None:
        self._reached().set("successor", READY + token, ttl_ms)

    def call_for_successor(self) -> None:
        self._reached().keys.pop("successor", None)

    def successor(self) -> str | None:
        return self._reached().get("successor")

    def head(self) -> Head | None:
        return self._reached().head

    def load(self) -> Loaded | None:
        server = self._reached()
        return None if server.head is None else Loaded(server.head, dict(server.state), dict(server.findings))

    def past(self, upto: str) -> Iterator[Item]:
        yield from [item for item in self._reached().stream if _order(item.position) <= _order(upto)]

    def read(self, after: str, *, block_ms: int) -> list[Item]:
        assert block_ms >= 0
        return [item for item in self._reached().stream if _order(item.position) > _order(after)]

    def _reached(self) -> Server:
        if self._server.is_away:
            raise StoreError("away")
        return self._server

    def _answer(self) -> None:
        if self.loses_answer:
            self.loses_answer = False
            raise StoreError("the answer was lost")


def _order(position: str) -> tuple[int, int]:
    offset, seq = position.split("-")
    return int(offset), int(seq)


class Broker:
    """Sends every message to all who are subscribed, in order, when a test lets it."""

    def __init__(self) -> None:
        self.queues: dict[int, deque[tuple[str, bytes]]] = {}

    def publish(self, topic: str, payload: bytes) -> None:
        """Take a message of QoS 0."""
        for queue in self.queues.values():
            queue.append((topic, payload))


class Subscriber:
    """A bridge: subscribed from `start` to `stop`."""

    def __init__(self, broker: Broker, number: int, intake: Intake) -> None:
        self._broker = broker
        self._number = number
        self._intake = intake
        self.on_link: Any = None

    def start(self) -> None:
        """Subscribe, and say so."""
        assert self._number not in self._broker.queues, "started twice"
        self._broker.queues[self._number] = deque()
        self.on_link(is_up=True)

    def stop(self) -> None:
        """Leave; what was not delivered is gone."""
        self._broker.queues.pop(self._number, None)

    def lose_link(self) -> None:
        """Lose the connection with what was on its way, and subscribe again."""
        self._broker.queues[self._number].clear()
        self.on_link(is_up=False)
        self.on_link(is_up=True)

    def deliver(self, count: int) -> None:
        """Hand on what the broker has sent."""
        queue = self._broker.queues.get(self._number, deque())
        for _ in range(min(count, len(queue))):
            self._intake.receive(*queue.popleft())


class Ledger:
    """What was shown under each id, in whatever worker: it must be the same everywhere."""

    def __init__(self) -> None:
        self.shown: dict[tuple[str, int], Entry] = {}

    def show(self, epoch: str, offset: int, entry: Entry) -> None:
        """Note what a worker shows."""
        known = self.shown.setdefault((epoch, offset), entry)
        assert known == entry, f"{epoch}-{offset} is {entry} here and {known} there"


class ModelReplica:
    """A worker's replica that checks what its clients would: numbers rise by one, but for a restart."""

    def __init__(self, ledger: Ledger) -> None:
        self.epoch, self.offset = "", 0
        self.restarts = 0
        self.is_link_up = False
        self.own: list[Update] = []
        self.known: dict[str, Update] = {}
        self.findings: list[Told] = []
        self._ledger = ledger

    @property
    def oldest_offset(self) -> int:
        """Hold twenty."""
        return max(1, self.offset - 20)

    def put(self, entry: Entry) -> int:
        """Apply an own entry."""
        if isinstance(entry, Update):
            self.own.append(entry)
        self.follow(entry)
        return self.offset

    def follow(self, entry: Entry) -> None:
        """Apply an entry."""
        self.offset += 1
        self._ledger.show(self.epoch, self.offset, entry)
        match entry:
            case Update():
                last = self.known.get(entry.address.robot)
                assert last is None or number_of(entry) == number_of(last) + 1 or self._may_skip(entry, last)
                self.known[entry.address.robot] = entry
            case LinkChange(is_up):
                self.is_link_up = is_up

    def restart(self, image: Image) -> None:
        """Reset every client."""
        self.restarts += 1
        self.epoch, self.offset = image.epoch, image.offset
        self.known = {update.address.robot: update for update in image.updates}
        self._skippable = dict(self.known)
        self.is_link_up = image.link is not None and image.link.is_up
        offsets = [frame.offset for frame in image.frames]
        assert offsets == list(range(image.offset - len(offsets) + 1, image.offset + 1)), "what is held has a gap"
        for frame in image.frames:
            shown = self._ledger.shown.get((image.epoch, frame.offset))
            assert shown is None or entry_frame(frame.offset, shown) == frame

    _skippable: dict[str, Update]

    def _may_skip(self, entry: Update, last: Update) -> bool:
        """Tell whether this is a robot's first message after a restart: it may be any later one."""
        return self._skippable.get(entry.address.robot) == last and number_of(entry) > number_of(last)

    def entries(self) -> Iterator[Entry]:
        """Give all there is to know."""
        yield from self.known.values()


def number_of(update: Update) -> int:
    """Read a message's number."""
    return int(orjson.loads(update.payload)["n"])


class Door:
    """Takes messages in, as `ingest` does."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.accepted = 0

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Make an entry of it."""
        assert self.node is not None
        self.accepted += 1
        self.node.put(Update.of(parse_topic(topic), payload, received_at=0.0, is_retained=is_retained))

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Nothing is rejected."""

    def look_at_retained(self, topic: str, payload: bytes) -> bool:
        """Nothing is retained."""
        raise AssertionError(topic, payload)


class Worker:
    """One worker with all its parts."""

    def __init__(self, number: int, server: Server, broker: Broker, ledger: Ledger) -> None:
        self.store = ModelStore(server)
        self.replica = ModelReplica(ledger)
        self.lost = 0
        self.door = Door()
        intake = Intake(self.door)
        self.subscriber = Subscriber(broker, number, intake)
        epochs = iter(range(1_000_000))
        around = Surroundings(
            server.clock, server.clock, lambda: f"{int(server.clock()):x}-{number}-{next(epochs)}", self._lose,
            lambda _is_up: None,
        )  # fmt: skip
        replica: Any = self.replica
        self.node = Node(f"worker{number}", self.store, replica, intake=intake, source=self.subscriber, around=around)
        self.door.node = self.node
        self.subscriber.on_link = self.node.link_changed

    def _lose(self, count: int) -> None:
        self.lost += count
