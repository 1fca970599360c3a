"""The promise of `vda5050.broadcast`, checked against a model over random histories.

After a snapshot at offset n, or a resume at n, a client gets exactly the frames after n that match its filter, each
once and in order; or `reset` and a snapshot. A snapshot shows the fleet as it was at its offset. With an interval, a
state or visualization may be missing where a newer one of that robot exists.

Bounds are so small here that a few steps lead through every branch: lagging, compaction, parcels cut into pieces, a log
and a ring that have forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qsl

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tests.unit.builders import EPOCH, Chain, Client, Event
from vda5050.broadcast import Filter, Parcel
from vda5050.broadcast.batch_log import LogBudget
from vda5050.broadcast.ring import FRAME_BYTES
from vda5050.frames import Wire, encode_heartbeat

MAX_QUEUE_BYTES = 2_000
RING_BYTES = 10_000
MAX_REPLAY_BYTES = 3_000
ROBOTS = frozenset({"A/1", "A/2", "B/1"})
TOPICS = frozenset({"state", "visualization", "connection", "order"})
CONFLATED = frozenset({"state", "visualization"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter as a client writes it, and what it means, written out."""

    query: str = ""
    robots: frozenset[str] = ROBOTS
    topics: frozenset[str] = TOPICS

    @property
    def filter(self) -> Filter:
        """What the broadcaster is asked for."""
        return Filter.parse(**dict(parse_qsl(self.query)))

    def wants(self, sent: "Sent") -> bool:
        """Tell whether the client is to see this."""
        return not sent.robot or (sent.robot in self.robots and sent.topic in self.topics)


class Sent(NamedTuple):
    """A frame as the model knows it; its offset is its place in `Fleet.sent`, from 1. `size` is that of its JSON."""

    robot: str
    topic: str
    data: Any
    size: int


class Due(Enum):
    """What a client may be told next."""

    RESET = "reset"
    SNAPSHOT = "snapshot"
    UPDATES = "updates"


class Place(NamedTuple):
    """Where a client can be: which of its filters applies, what is due, and the offset it has seen all up to."""

    filter_index: int
    due: Due
    offset: int = 0


class Fleet:
    """Everything that was ever published."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def robots_at(self, offset: int, wanted: Wanted) -> dict[str, dict[str, Any]]:
        """Give what a snapshot at `offset` must show: the last message of each robot and topic."""
        robots: dict[str, dict[str, Any]] = {}
        for sent in self.sent[:offset]:
            if sent.robot and wanted.wants(sent):
                robots.setdefault(sent.robot, {})[sent.topic] = sent.data
        return robots

    def owed(self, wanted: Wanted, after: int, before: int) -> list[int]:
        """Give the offsets in between that a client must not miss."""
        is_conflated = "interval" in wanted.query
        newest = {(sent.robot, sent.topic): offset for offset, sent in enumerate(self.sent, 1)}
        return [
            offset
            for offset, sent in enumerate(self.sent[after : before - 1], after + 1)
            if wanted.wants(sent)
            and not (is_conflated and sent.topic in CONFLATED and newest[sent.robot, sent.topic] > offset)
        ]

    def is_held(self, offset: int) -> bool:
        """Tell whether `RING_BYTES` are enough for everything after `offset`."""
        size = sum(sent.size + FRAME_BYTES for sent in self.sent[offset:])
        return 0 <= offset <= len(self.sent) and size <= RING_BYTES

    def is_long(self, offset: int, wanted: Wanted) -> bool:
        """Tell whether so much was sent after `offset` that a snapshot may take its place."""
        return sum(sent.size for sent in self.sent[offset:] if wanted.wants(sent)) > MAX_REPLAY_BYTES


class Viewer:
    """A client, and the places in which it can be after what it has seen."""

    def __init__(self, fleet: Fleet, client: Client, wanted: Wanted, first: set[Place]) -> None:
        self.client = client
        self.wanted = [wanted]
        self.last_id: str | None = None
        self.was_reset = False
        self.may_hear_that_the_broker_is_gone = False
        self._fleet = fleet
        self._places = first

    def see(self, event: Event) -> None:
        """Follow one event. Fails where no place allows it."""
        if event.type == "status" and event.id is None:
            assert self.may_hear_that_the_broker_is_gone
            assert event.data == {"broker": "disconnected"}
            return
        assert not event.id or event.id == f"{EPOCH}-{event.offset}"
        places = {after for place in self._places for after in self._follow(place, event)}
        assert places, (
            f"{event.id} {event.type} must not follow in {sorted(self._places, key=str)}: {event.text[:300]!r}"
        )
        self._places = places
        self.last_id = None if event.type == "reset" else event.id or self.last_id

    def check_is_complete(self) -> None:
        """Check that the newest filter applies and that nothing is owed, once all was flushed and taken."""
        newest = len(self.wanted) - 1
        everything = len(self._fleet.sent) + 1
        owed = {
            place: place.due is not Due.UPDATES or self._fleet.owed(self.wanted[newest], place.offset, everything)
            for place in self._places
        }
        self._places = {place for place in self._places if place.filter_index == newest and not owed[place]}
        assert self._places, f"{owed} under filter {newest}"

    def _follow(self, place: Place, event: Event) -> Iterator[Place]:
        if event.type == "reset":
            yield from self._follow_reset(place)
        elif event.type == "snapshot":
            wanted = self.wanted[place.filter_index]
            if place.due is Due.SNAPSHOT and messages_in(event) == self._fleet.robots_at(event.offset, wanted):
                yield Place(place.filter_index, Due.UPDATES, event.offset)
        elif place.due is Due.UPDATES and self._is_next(self.wanted[place.filter_index], place.offset, event):
            yield Place(place.filter_index, Due.UPDATES, event.offset)

    def _follow_reset(self, place: Place) -> Iterator[Place]:
        newest = len(self.wanted) - 1
        if place.due is Due.RESET:
            yield Place(place.filter_index, Due.SNAPSHOT)
        elif place.due is Due.UPDATES and self.was_reset:
            for index in range(place.filter_index, newest + 1):
                yield Place(index, Due.SNAPSHOT)

    def _is_next(self, wanted: Wanted, seen: int, event: Event) -> bool:
        if not seen < event.offset <= len(self._fleet.sent):
            return False
        sent = self._fleet.sent[event.offset - 1]
        data = {"topic": sent.robot, "type": sent.topic, "payload": sent.data} if sent.robot else sent.data
        is_same = (event.type, event.data) == ("update" if sent.robot else sent.topic, data)
        return is_same and wanted.wants(sent) and not self._fleet.owed(wanted, seen, event.offset)


def messages_in(snapshot: Event) -> dict[str, dict[str, Any]]:
    """Give a snapshot's messages by robot and topic."""
    for entry in snapshot.data.values():
        assert entry["payload"] == entry["messages"][entry["last_message_type"]]
    return {robot: entry["messages"] for robot, entry in snapshot.data.items()}


anything_wanted = st.sampled_from(
    [
        Wanted(),
        Wanted("robots=A/*", robots=frozenset({"A/1", "A/2"})),
        Wanted("robots=*/1&types=state,order", robots=frozenset({"A/1", "B/1"}), topics=frozenset({"state", "order"})),
        Wanted("robots=B/1", robots=frozenset({"B/1"})),
        Wanted("types=connection", topics=frozenset({"connection"})),
        Wanted("interval=500"),
        Wanted("interval=2000&robots=A/1,B/1", robots=frozenset({"A/1", "B/1"})),
    ]
)
a_message = st.tuples(
    st.sampled_from(sorted(ROBOTS)),
    st.sampled_from([*sorted(TOPICS), "state", "state"]),
    st.integers(0, 250),
)
a_resume = st.one_of(
    st.none(), st.integers(-2, 40), st.sampled_from(["nonsense", "other-1", f"{EPOCH}-", f"{EPOCH}-1x", f"{EPOCH}--1"])
)


class Streams(RuleBasedStateMachine):
    """Messages arrive, time passes, clients come, read, stall, change their mind and go."""

    viewers = Bundle("viewers")

    def __init__(self) -> None:
        super().__init__()
        self.fleet = Fleet()
        self.chain = Chain(max_queue_bytes=MAX_QUEUE_BYTES, replay_bytes=RING_BYTES)
        self.is_broker_connected = True
        self.open: list[Viewer] = []
        # Where the broadcaster waits, time passes.
        fake_gevent = SimpleNamespace(sleep=self.chain.clock.advance, killall=lambda _: None)
        self.patches = [
            mock.patch.multiple("vda5050.broadcast.group", COMPACT_AT=3, MAX_REPLAY_BYTES=MAX_REPLAY_BYTES),
            mock.patch.object(self.chain.broadcaster, "_log_budget", LogBudget(1_500)),
            mock.patch.multiple("vda5050.broadcast.parcel", PIECE_BYTES=200),
            mock.patch("vda5050.broadcast.openings.gevent", fake_gevent),
        ]
        for patch in self.patches:
            patch.start()

    @rule(messages=st.lists(a_message, min_size=1, max_size=8))
    def publish(self, messages: Sequence[tuple[str, str, int]]) -> None:
        """Let robots send."""
        for robot, topic, size in messages:
            document = {"n": len(self.fleet.sent) + 1, "pad": "x" * size}
            payload = orjson.dumps(document)
            envelope = {"type": "update", "data": {"topic": robot, "type": topic, "payload": 0}}
            self.chain.receive(payload, robot=robot, topic=topic)
            self.fleet.sent.append(Sent(robot, topic, document, len(orjson.dumps(envelope)) - 1 + len(payload)))

    @rule(is_connected=st.booleans())
    def publish_status(self, is_connected: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Let the broker come or go."""
        frame = self.chain.broadcaster.publish_status(is_connected=is_connected)
        self.is_broker_connected = is_connected
        data = {"broker": "connected" if is_connected else "disconnected"}
        self.fleet.sent.append(Sent("", "status", data, frame.size))

    @rule(seconds=st.sampled_from([0.05, 0.6, 1.1, 12.0]))
    def let_time_pass(self, seconds: float) -> None:
        """Let snapshots and the log grow old, and intervals end."""
        self.chain.clock.advance(seconds)

    @rule()
    def flush(self) -> None:
        """Flush what is due."""
        self.chain.flush()

    @rule(target=viewers, wanted=anything_wanted, wire=st.sampled_from(Wire), resume=a_resume)
    def subscribe(self, wanted: Wanted, wire: Wire, resume: int | str | None) -> Viewer:
        """Let a client arrive: new, with an id of so many frames ago, or with an id that is none."""
        offset = len(self.fleet.sent) - resume if isinstance(resume, int) else -1
        return self._arrive(wanted, wire, f"{EPOCH}-{offset}" if isinstance(resume, int) else resume)

    @rule(target=viewers, viewer=consumes(viewers), seconds=st.sampled_from([0.0, 2.0]))
    def reconnect(self, viewer: Viewer, seconds: float) -> Viewer:
        """Let a client lose its connection and come back as EventSource does."""
        self._leave(viewer)
        self.chain.clock.advance(seconds)
        return self._arrive(viewer.wanted[-1], viewer.client.subscription.wire, viewer.last_id)

    @rule(viewer=viewers)
    def take_once(self, viewer: Viewer) -> None:
        """Let a client read a little."""
        self._take_once(viewer)

    @rule(viewer=viewers)
    def take_all(self, viewer: Viewer) -> None:
        """Let a client read all that waits."""
        self._take_all(viewer)

    @rule(viewer=viewers, wanted=anything_wanted)
    def change_filter(self, viewer: Viewer, wanted: Wanted) -> None:
        """Let a client ask for something else."""
        viewer.wanted.append(wanted)
        viewer.client.subscription.change_filter(wanted.filter)

    @rule(viewer=viewers)
    def heartbeat(self, viewer: Viewer) -> None:
        """Let the heartbeat reach a client."""
        subscription = viewer.client.subscription
        subscription.put(Parcel.of(encode_heartbeat(subscription.wire)))

    @rule(viewer=consumes(viewers))
    def unsubscribe(self, viewer: Viewer) -> None:
        """Let a client go; the server may notice twice."""
        self._leave(viewer)
        self.chain.broadcaster.unsubscribe(viewer.client.subscription)

    @rule()
    def settle(self) -> None:
        """Let everything be flushed and read: then nobody may be owed anything."""
        self.chain.clock.advance(2.0)
        self.chain.flush()
        self._check_all_are_complete()

    @invariant()
    def counts_are_right(self) -> None:
        """Each open stream is counted once, and each distinct filter."""
        assert self.chain.broadcaster.stream_count == len(self.open)
        assert self.chain.metric("stream_filters") == len({viewer.client.subscription.filter for viewer in self.open})

    def teardown(self) -> None:
        """Stop the broadcaster: every client gets all that was published, and then the end."""
        try:
            self.chain.broadcaster.stop()
            self._check_all_are_complete()
            assert all(viewer.client.has_ended for viewer in self.open)
        finally:
            for viewer in list(self.open):
                self._leave(viewer)
            for patch in self.patches:
                patch.stop()
        self.counts_are_right()

    def _arrive(self, wanted: Wanted, wire: Wire, last_event_id: str | None) -> Viewer:
        epoch, _, digits = (last_event_id or "").rpartition("-")
        offset = int(digits) if epoch == EPOCH and digits.isdigit() else -1
        first = {Place(0, Due.RESET)}
        if last_event_id is None:
            first = {Place(0, Due.SNAPSHOT)}
        elif self.fleet.is_held(offset):
            first = {Place(0, Due.UPDATES, offset)}
            if self.fleet.is_long(offset, wanted):
                first.add(Place(0, Due.RESET))
        client = self.chain.subscribe(wanted.filter, wire, last_event_id)
        viewer = Viewer(self.fleet, client, wanted, first)
        viewer.may_hear_that_the_broker_is_gone = not self.is_broker_connected
        self.open.append(viewer)
        return viewer

    def _leave(self, viewer: Viewer) -> None:
        self.open.remove(viewer)
        self.chain.broadcaster.unsubscribe(viewer.client.subscription)

    def _take_once(self, viewer: Viewer) -> bool:
        resets = self._resets()
        chunk = viewer.client.chunk()
        if self._resets() > resets:
            viewer.was_reset = True
            viewer.may_hear_that_the_broker_is_gone |= not self.is_broker_connected
        for event in viewer.client.reader.read(chunk or b""):
            viewer.see(event)
        return chunk is not None

    def _resets(self) -> float:
        return sum(self.chain.metric("stream_resets_total", reason=reason) for reason in ("lagging", "filter"))

    def _take_all(self, viewer: Viewer) -> None:
        while self._take_once(viewer) and not viewer.client.has_ended:
            pass
        assert viewer.client.reader.is_between_events
        assert viewer.client.subscription.waiting_bytes == 0
        viewer.was_reset = viewer.may_hear_that_the_broker_is_gone = False

    def _check_all_are_complete(self) -> None:
        for viewer in self.open:
            self._take_all(viewer)
            viewer.check_is_complete()


TestStreams = Streams.TestCase
