"""The hub: who is admitted and with what, what a resume gives, when flushes happen, how streams end.

The promise about the order of events has a model of its own in test_broadcast_promise.py.
"""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import gevent.lock
import pytest

from tests.unit.builders import EPOCH, ROBOT, Chain, Client, state
from vda5050.broadcast import EVERYTHING, Filter, flushing, openings, presence
from vda5050.broadcast import broadcaster as module
from vda5050.errors import Stopping, TooManyStreams
from vda5050.frames import Wire

wires = pytest.mark.parametrize("wire", list(Wire))


@pytest.fixture
def chain() -> Iterator[Chain]:
    """Give a chain without robots, whose streams end with the test."""
    chain = Chain()
    yield chain
    chain.close()


def seen(client: Client) -> list[tuple[str, Any]]:
    """Take all that waits: of an update its payload's headerId, of a snapshot its robots, of the rest its type."""
    events = []
    for event in client.take():
        if event.type == "update":
            events.append(("update", event.data["payload"]["headerId"]))
        elif event.type == "snapshot":
            events.append(("snapshot", {robot: entry["payload"]["headerId"] for robot, entry in event.data.items()}))
        else:
            events.append((event.type, event.data))
    return events


def publish(chain: Chain, *header_ids: int, robot: str = ROBOT) -> None:
    """Let a robot send states with these header ids."""
    for header_id in header_ids:
        chain.receive(state(headerId=header_id), robot=robot)


@wires
def test_newcomer(chain: Chain, wire: Wire) -> None:
    """A newcomer gets a snapshot with its offset, then every update after it."""
    publish(chain, 1, 2)
    client = chain.subscribe(wire=wire)
    first = client.take()
    publish(chain, 3, 4)
    chain.flush()

    assert [(event.type, event.offset) for event in first] == [("snapshot", 2)]
    assert seen(client) == [("update", 3), ("update", 4)]


@pytest.mark.parametrize("wire", [Wire.SSE, Wire.SSE_GZIP])
def test_opening(chain: Chain, wire: Wire) -> None:
    """An event stream begins with a reconnection time, drawn so that not all come back at once."""
    clients = [chain.subscribe(wire=wire) for _ in range(20)]
    for client in clients:
        client.take()

    waits = [wait for client in clients for wait in client.retries_ms]
    assert len(waits) == 20
    assert min(waits) >= presence.RETRY_MS[0]
    assert max(waits) <= presence.RETRY_MS[1]
    assert len(set(waits)) > 5


def test_filtered(chain: Chain) -> None:
    """A client sees nothing of other robots, neither in the snapshot nor after it."""
    publish(chain, 1)
    publish(chain, 2, robot="ABB/1")
    client = chain.subscribe(Filter.parse(robots="ABB/*"))
    publish(chain, 3)
    publish(chain, 4, robot="ABB/1")
    chain.flush()

    assert seen(client) == [("snapshot", {"ABB/1": 2}), ("update", 4)]


def test_status_reaches_everybody(chain: Chain) -> None:
    """That the broker was lost is told to every client, whatever its filter."""
    clients = [chain.subscribe(wanted) for wanted in (EVERYTHING, Filter.parse(robots="X/1", types="order"))]
    chain.broadcaster.publish_status(is_connected=False)
    chain.broadcaster.publish_status(is_connected=True)
    chain.flush()

    statuses = [("status", {"broker": "disconnected"}), ("status", {"broker": "connected"})]
    assert [seen(client)[1:] for client in clients] == [statuses, statuses]


@wires
def test_newcomer_while_the_broker_is_gone(chain: Chain, wire: Wire) -> None:
    """Who comes while the broker is gone is told so after the snapshot; who comes when it is back is not."""
    chain.broadcaster.publish_status(is_connected=False)
    chain.flush()
    during = chain.subscribe(wire=wire)
    told = during.take()
    chain.broadcaster.publish_status(is_connected=True)
    chain.flush()
    after = chain.subscribe(wire=wire)

    assert [(event.type, event.data) for event in told] == [("snapshot", {}), ("status", {"broker": "disconnected"})]
    assert [event.id for event in told] == [f"{EPOCH}-1", None]
    assert seen(during) == [("status", {"broker": "connected"})]
    assert after.take()[-1].data in ({}, {"broker": "connected"})


def test_same_filter_same_bytes(chain: Chain) -> None:
    """Clients of one filter and wire are given the very same objects."""
    publish(chain, 1)
    clients = [chain.subscribe(Filter.parse(robots="KUKA/*")) for _ in range(3)]
    openings = [client.chunk() for client in clients]
    snapshots = [client.chunk() for client in clients]
    publish(chain, 2)
    chain.flush()

    updates = [client.chunk() for client in clients]
    assert None not in openings + snapshots + updates
    assert (len(set(map(id, snapshots))), len(set(map(id, updates)))) == (1, 1)


def test_snapshot_is_built_once_a_second(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many arrive, a filter's snapshot is built at most once in a second; who shares it misses nothing."""
    built: list[float] = []
    build = chain.robots.get_snapshot

    def count(*args: Any) -> bytes:
        built.append(chain.clock())
        return build(*args)

    monkeypatch.setattr(chain.robots, "get_snapshot", count)
    clients = []
    for number in range(30):
        publish(chain, number)
        chain.flush()
        clients.append(chain.subscribe(wire=list(Wire)[number % 3]))
        chain.clock.advance(0.1)

    assert 2 <= len(built) <= 3
    for arrived_at, client in enumerate(clients):
        (_, robots), *updates = seen(client)
        assert robots[ROBOT] <= arrived_at
        assert updates == [("update", number) for number in range(robots[ROBOT] + 1, 30)]


@pytest.mark.parametrize("behind", [0, 1, 3])
@wires
def test_resume(chain: Chain, behind: int, wire: Wire) -> None:
    """A client that comes back gets exactly what it missed: no snapshot, nothing twice."""
    publish(chain, 1, 2, 3)
    chain.flush()
    client = chain.subscribe(wire=wire, last_event_id=f"{EPOCH}-{3 - behind}")
    publish(chain, 4)
    chain.flush()

    assert seen(client) == [("update", number) for number in range(4 - behind, 5)]
    assert chain.metric("stream_resets_total", reason="resume") == 0


@pytest.mark.parametrize(
    "last_event_id",
    ["other-2", f"{EPOCH}-4", f"{EPOCH}-x", f"{EPOCH}-", f"{EPOCH}", "-1", "3", f"{EPOCH}--1", f"{EPOCH}-٣",
     f"{EPOCH}-{'9' * 5_000}", f"{EPOCH}-1 ", "é\n-1"],
)  # fmt: skip
def test_resume_from_nowhere(chain: Chain, last_event_id: str) -> None:
    """A client that comes back with an id that is not of this epoch, or of the future, starts again."""
    publish(chain, 1, 2, 3)
    client = chain.subscribe(last_event_id=last_event_id)

    assert seen(client) == [("reset", None), ("snapshot", {ROBOT: 3})]
    assert chain.metric("stream_resets_total", reason="resume") == 1


def test_resume_from_too_long_ago() -> None:
    """A client that missed more than is held starts again; one that missed a little less resumes."""
    chain = Chain(replay_bytes=3_000)
    publish(chain, *range(1, 101))
    chain.flush()
    results = [seen(chain.subscribe(last_event_id=f"{EPOCH}-{offset}")) for offset in range(101)]
    chain.close()

    resets = [result[0][0] == "reset" for result in results[:-1]]
    first_held = resets.index(False)
    assert resets == [True] * first_held + [False] * (100 - first_held)
    assert results[first_held] == [("update", number) for number in range(first_held + 1, 101)]
    assert 90 < first_held < 100


def test_resume_where_nothing_is_held() -> None:
    """Where updates are larger than all that may be held, only who missed nothing resumes."""
    chain = Chain(replay_bytes=10)
    publish(chain, 1, 2)
    chain.flush()
    first = [seen(chain.subscribe(last_event_id=f"{EPOCH}-{offset}"))[:1] for offset in range(3)]
    chain.close()

    assert first == [[("reset", None)], [("reset", None)], []]


def test_resume_from_too_far_back(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that missed more than is written for one alone starts again, although it is held."""
    publish(chain, *range(1, 101))
    monkeypatch.setattr("vda5050.broadcast.group.MAX_REPLAY_BYTES", 5_000)
    near, far = chain.subscribe(last_event_id=f"{EPOCH}-95"), chain.subscribe(last_event_id=f"{EPOCH}-0")

    assert seen(near) == [("update", number) for number in range(96, 101)]
    assert seen(far) == [("reset", None), ("snapshot", {ROBOT: 100})]


def test_ring_is_bounded() -> None:
    """No more bytes are held for replay than is allowed."""
    chain = Chain(replay_bytes=5_000)
    held = []

    for number in range(50):
        publish(chain, number)
        held.append(chain.broadcaster._ring.size)  # noqa: SLF001 - the metric is set by the flush loop
    assert 4_000 < max(held) <= 5_000


def test_resume_ahead_of_the_group(chain: Chain) -> None:
    """An id seen on one filter's stream resumes another's whose last flush was earlier: nothing comes twice."""
    slow = chain.subscribe(Filter.parse(interval="60000"))
    publish(chain, 1)
    chain.flush()
    publish(chain, 2)
    publish(chain, 3, robot="ABB/1")
    fast = chain.subscribe()
    chain.flush()
    resumed = chain.subscribe(Filter.parse(interval="60000"), last_event_id=f"{EPOCH}-{fast.take()[-1].offset}")
    chain.clock.advance(61)
    publish(chain, 4, robot="X/1")
    chain.flush()

    assert seen(resumed) == [("update", 4)]
    assert seen(slow) == [("snapshot", {}), ("update", 1), ("update", 2), ("update", 3), ("update", 4)]


@wires
def test_lagging(wire: Wire) -> None:
    """A client that does not read is reset to the newest state, and the others notice nothing."""
    chain = Chain(max_queue_bytes=20_000)
    slow, quick = chain.subscribe(wire=wire), chain.subscribe(wire=wire)
    slow.take()
    quick.take()
    got = []
    waiting = []
    for number in range(1, 201):
        publish(chain, number)
        chain.flush()
        got += seen(quick)
        waiting.append(slow.subscription.waiting_bytes)
    chain.clock.advance(openings.SNAPSHOT_MAX_AGE_S + 0.1)
    caught_up = seen(slow)
    publish(chain, 201)
    chain.flush()

    assert got == [("update", number) for number in range(1, 201)]
    assert caught_up == [("reset", None), ("snapshot", {ROBOT: 200})]
    assert seen(slow) == [("update", 201)]
    assert 0 < max(waiting) <= 20_000
    assert chain.metric("stream_resets_total", reason="lagging") == 1
    chain.close()


def test_lagging_forgets_what_waited() -> None:
    """The reset of a lagging client is in place of what waited, not behind it."""
    chain = Chain(max_queue_bytes=1_000)
    client = chain.subscribe()
    client.take()
    for number in range(10):
        publish(chain, number)
        chain.flush()
    chain.clock.advance(openings.SNAPSHOT_MAX_AGE_S + 0.1)

    assert [kind for kind, _ in seen(client)] == ["reset", "snapshot"]
    chain.close()


@wires
def test_change_filter(chain: Chain, wire: Wire) -> None:
    """An open stream continues with another filter after a reset and that filter's snapshot."""
    publish(chain, 1)
    publish(chain, 2, robot="ABB/1")
    client = chain.subscribe(Filter.parse(robots="KUKA/*"), wire)
    client.take()
    client.subscription.change_filter(Filter.parse(robots="ABB/*"))
    publish(chain, 3)
    first = seen(client)
    publish(chain, 4, robot="ABB/1")
    publish(chain, 5)
    chain.flush()

    assert first == [("reset", None), ("snapshot", {"ABB/1": 2})]
    assert seen(client) == [("update", 4)]
    client.subscription.lag()
    assert [kind for kind, _ in seen(client)][:2] == ["reset", "snapshot"]
    assert chain.metric("stream_filters") == 1
    assert chain.metric("streams", wire=wire.value) == 1
    assert chain.metric("stream_resets_total", reason="filter") == 1
    assert chain.metric("stream_resets_total", reason="lagging") == 1


def test_newest_filter_counts(chain: Chain) -> None:
    """Of several filters asked for before the client reads, the newest counts."""
    publish(chain, 1)
    publish(chain, 2, robot="ABB/1")
    client = chain.subscribe()
    client.take()
    for robots in ("X/*", "KUKA/*", "ABB/*"):
        client.subscription.change_filter(Filter.parse(robots=robots))

    assert seen(client) == [("reset", None), ("snapshot", {"ABB/1": 2})]


@pytest.mark.parametrize("queries", [["KUKA/*", "ABB/*"], ["KUKA/*"]], ids=["another", "the same"])
def test_filters_in_quick_succession(chain: Chain, monkeypatch: pytest.MonkeyPatch, queries: list[str]) -> None:
    """A client that asks again and again, be it for the same, makes no more snapshots than one in a second."""
    built: list[float] = []
    build = chain.robots.get_snapshot

    def count(*args: Any) -> bytes:
        built.append(chain.clock())
        return build(*args)

    monkeypatch.setattr(chain.robots, "get_snapshot", count)
    monkeypatch.setattr(openings, "gevent", SimpleNamespace(sleep=chain.clock.advance))
    client = chain.subscribe()
    client.take()
    started_at = chain.clock()
    for number in range(20):
        client.subscription.change_filter(Filter.parse(robots=queries[number % len(queries)]))
        client.take()

    assert len(built) - 1 <= chain.clock() - started_at + 1


def test_key_that_is_withdrawn_during_the_pause(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose key is withdrawn while it waits for another filter's snapshot gets none of it."""
    client = chain.subscribe()
    client.take()
    client.subscription.change_filter(Filter.parse(robots="KUKA/*"))
    client.take()

    def withdraw(seconds: float) -> None:
        if seconds:
            client.subscription.withdraw(reason="key")
            publish(chain, 1)

    monkeypatch.setattr(openings, "gevent", SimpleNamespace(sleep=withdraw))
    client.subscription.change_filter(Filter.parse(robots="*/KR_1001"))

    assert seen(client) == []
    assert client.has_ended
    assert chain.metric("stream_resets_total", reason="filter") == 1


def test_unsubscribe(chain: Chain) -> None:
    """A client that went is forgotten, with its filter when it was the last one, even if that is said twice."""
    one, two = chain.subscribe(), chain.subscribe()
    counts = []

    for client in (one, one, two):
        chain.broadcaster.unsubscribe(client.subscription)
        counts.append((chain.broadcaster.stream_count, chain.metric("stream_filters")))
    publish(chain, 1)
    chain.flush()
    assert counts == [(1, 1), (1, 1), (0, 0)]
    assert one.subscription.waiting_bytes == 0


def test_nobody_is_left_to_work_for(chain: Chain) -> None:
    """A filter whose last client went costs nothing any more, also for robots that were heard before."""
    for _ in range(2):
        client = chain.subscribe(Filter.parse(robots="KUKA/*"))
        publish(chain, 1)
        chain.flush()
        chain.broadcaster.unsubscribe(client.subscription)
    publish(chain, 2)

    assert not chain.broadcaster._flushing.dirty  # noqa: SLF001 - memory and time have no outside sign


def test_many_filters_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for newcomers is bounded for all filters together: a thousand filters need no thousand logs."""
    monkeypatch.setattr(module, "LOG_BYTES", 50_000)
    chain = Chain()
    clients = [chain.subscribe(Filter.parse(robots=f"K*,X/{number}")) for number in range(20)]
    kept = []
    for number in range(200):
        publish(chain, number)
        chain.flush()
        chain.clock.advance(0.01)
        kept.append(chain.broadcaster._log_budget.size)  # noqa: SLF001 - memory has no outside sign
    chain.close()

    assert len(clients) == 20
    assert 40_000 < max(kept) <= 50_000
    assert chain.broadcaster._log_budget.size == 0  # noqa: SLF001 - as above


def test_streams_of_one_robot_leave_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes back to a stream of all robots shares bytes with others also beside many streams of one robot each."""
    monkeypatch.setattr(module, "LOG_BYTES", 100_000)
    chain = Chain()
    pages = [chain.subscribe(Filter.one_robot(f"Maker/{number}")) for number in range(30)]
    live = chain.subscribe()
    for number in range(30):
        publish(chain, number, robot=f"Maker/{number}")
        chain.flush()
    last_event_id = live.take()[-20].id
    back = [chain.subscribe(last_event_id=last_event_id) for _ in range(2)]
    chunks = [list(client.chunks())[1:] for client in back]  # each has an opening of its own
    chain.close()

    assert len(pages) == 30
    assert [len(of_one) for of_one in chunks] == [19, 19]
    assert [id(chunk) for chunk in chunks[0]] == [id(chunk) for chunk in chunks[1]]


def test_limit() -> None:
    """A client too many is refused and told when to ask again; when one leaves, the next is let in."""
    chain = Chain(max_streams=2)
    first, _ = chain.subscribe(), chain.subscribe()
    with pytest.raises(TooManyStreams) as raised:
        chain.subscribe()
    chain.broadcaster.unsubscribe(first.subscription)
    chain.subscribe()

    assert raised.value.limit == 2
    assert 1 <= raised.value.retry_after_s <= 60
    assert chain.metric("streams_refused_total", reason="worker") == 1
    chain.close()


@wires
def test_stop(chain: Chain, wire: Wire) -> None:
    """Stopping gives every client what waits and a time to come back after, then ends it; it may be done twice."""
    client = chain.subscribe(wire=wire)
    client.take()
    publish(chain, 1)
    chain.broadcaster.stop()
    chain.broadcaster.stop()

    assert seen(client) == [("update", 1)]
    assert client.has_ended
    waits = client.retries_ms
    assert len(waits) == (0 if wire is Wire.WEBSOCKET else 2)  # at the opening, and now
    assert all(presence.RETRY_MS[0] <= wait <= presence.RETRY_MS[1] for wait in waits)


def test_newcomer_after_the_stop(chain: Chain) -> None:
    """Who comes while the gateway stops is sent away at once, instead of waiting for updates that never come."""
    chain.broadcaster.stop()
    client = chain.subscribe()
    client.take()

    assert client.has_ended


def test_newcomer_while_the_end_is_announced(chain: Chain) -> None:
    """Who comes after that is refused, and told to come back when the process is gone."""
    staying = chain.subscribe()
    chain.broadcaster.refuse(5.0)
    chain.clock.advance(2.0)

    with pytest.raises(Stopping) as raised:
        chain.subscribe()
    assert 3 <= raised.value.retry_after_s <= 5
    staying.take()
    assert not staying.has_ended


def test_counted_traffic(chain: Chain) -> None:
    """Updates and bytes handed to streams are counted by wire, summed over all streams."""
    clients = [chain.subscribe(wire=wire) for wire in (Wire.SSE, Wire.SSE, Wire.WEBSOCKET)]
    for client in clients:
        client.take()
    publish(chain, 1, 2)
    chain.flush()

    sent = [sum(map(len, client.chunks())) for client in clients]
    counts = {wire: chain.metric("stream_events_total", wire=wire) for wire in ("sse", "sse_gzip", "websocket")}
    assert counts == {"sse": 4, "sse_gzip": 0, "websocket": 2}
    assert chain.metric("stream_bytes_total", wire="sse") == sent[0] + sent[1]
    assert chain.metric("stream_bytes_total", wire="websocket") == sent[2]


class Time:
    """In the place of the broadcaster's `gevent.sleep`: time that passes when the test says so."""

    def __init__(self, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slept: list[float] = []
        self.work_s = 0.0
        self.in_pause: list[Callable[[], None]] = []
        self._chain = chain
        self._beats = gevent.lock.Semaphore(0)
        fake = SimpleNamespace(sleep=self._sleep)
        monkeypatch.setattr(flushing, "gevent", fake)
        monkeypatch.setattr(presence, "gevent", fake)

    def beat(self) -> None:
        """Let one of the heartbeat's seconds pass."""
        self._beats.release()
        gevent.sleep(0)
        gevent.sleep(0)

    def _sleep(self, seconds: float) -> None:
        if seconds == 1:
            self._beats.acquire()
            return
        if seconds == 0:
            self._chain.clock.advance(self.work_s)
        else:
            self.slept.append(seconds)
            self._chain.clock.advance(seconds)
            if self.in_pause:
                self.in_pause.pop(0)()
        gevent.sleep(0)


@pytest.fixture
def time(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    """Start the broadcaster's greenlets on a time of the test's own."""
    time = Time(chain, monkeypatch)
    chain.broadcaster.start()
    gevent.sleep(0)
    yield time
    chain.broadcaster.stop()


def let_run() -> None:
    """Let the broadcaster's greenlets do what they can without time passing."""
    for _ in range(6):
        gevent.sleep(0)


@pytest.mark.usefixtures("time")
def test_first_frame_goes_out_at_once(chain: Chain) -> None:
    """After an idle moment a frame is flushed without any wait."""
    client = chain.subscribe()
    client.take()
    got = []

    for number in (1, 2):
        publish(chain, number)
        let_run()
        got.append(seen(client))
    assert got == [[("update", 1)], [("update", 2)]]


@pytest.mark.parametrize(
    ("clients", "updates", "work_s", "pause_s"),
    [
        (1, 1, 0.001, 0.002),
        (1, 1, 0.03, 0.06),
        (1, 1, 9.0, 0.1),
        (30, 1, 0.0, 0.000_72),
        (30, 3, 0.0, 0.002_16),
        (30, 20, 0.0, 0.005_76),
    ],
)
def test_pace(chain: Chain, time: Time, *, clients: int, updates: int, work_s: float, pause_s: float) -> None:
    """The pause after a flush grows with the clients it served and what each got, and is twice its cost at least."""
    for _ in range(clients):
        chain.subscribe()
    time.work_s = work_s
    publish(chain, *range(1, updates + 1))
    let_run()

    assert time.slept == [pytest.approx(pause_s, rel=1e-3)]
    assert chain.metric("batch_interval_seconds") == pytest.approx(pause_s, rel=1e-3)
    assert chain.metric("replay_bytes") > 0


def test_pace_of_different_filters(chain: Chain, time: Time) -> None:
    """One client that sees much does not make those that see little wait; who wants an interval has no part in it."""
    for number in range(40):
        chain.subscribe(Filter.parse(robots=f"Maker/{number}"))
        chain.subscribe(Filter.parse(interval="500"))
    chain.subscribe()
    for number in range(20):
        publish(chain, 1, robot=f"Maker/{number}")
    let_run()

    assert time.slept == [pytest.approx(4 * 6e-6 * 40, rel=1e-3)]


def test_one_dear_flush_changes_nothing(chain: Chain, time: Time) -> None:
    """A flush that costs much more than those around it is followed by the usual pause, two of them by a longer one."""
    chain.subscribe()
    for number, time.work_s in enumerate((0.001, 0.001, 0.02, 0.001, 0.001, 0.02, 0.02), start=1):
        publish(chain, number)
        let_run()

    assert time.slept == pytest.approx([0.002] * 6 + [0.04], rel=1e-3)


def test_what_comes_during_a_pause_is_one_batch(chain: Chain, time: Time) -> None:
    """Frames that arrive while the broadcaster pauses go out together, after the pause."""
    client = chain.subscribe()
    client.take()
    time.work_s = 0.01
    time.in_pause = [lambda: publish(chain, 2), lambda: publish(chain, 3, 4)]
    publish(chain, 1)
    batches: list[list[int]] = []
    for _ in range(12):
        gevent.sleep(0)
        batches += [[event.offset for event in client.reader.read(chunk)] for chunk in client.chunks()]

    assert batches == [[1], [2], [3, 4]]


def test_failed_flush_stops_nobody(
    chain: Chain, time: Time, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A flush that fails is logged with its stack, and the next one goes on."""
    client = chain.subscribe()
    client.take()
    flush = chain.broadcaster._flushing.flush  # noqa: SLF001 - there is no other way to make it fail
    failures = [RuntimeError("a fault")]

    def fail_once(*args: Any) -> None:
        if failures:
            raise failures.pop()
        flush(*args)

    monkeypatch.setattr(chain.broadcaster._flushing, "flush", fail_once)  # noqa: SLF001 - as above
    publish(chain, 1)
    let_run()
    publish(chain, 2)
    let_run()

    assert seen(client) == [("update", 1), ("update", 2)]
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert time.slept


def test_heartbeats(chain: Chain, time: Time) -> None:
    """In `heartbeat_s` seconds each client is written to once, not all of them in the same second."""
    clients = [chain.subscribe(wire=list(Wire)[number % 3]) for number in range(30)]
    for client in clients:
        client.take()
    beats = []

    for _ in range(chain.settings.heartbeat_s):
        time.beat()
        for client in clients:
            client.take()
        beats.append([client.reader.comments for client in clients])
    assert beats[-1] == [1] * 30
    assert [sum(beat) for beat in beats] == [2 * (second + 1) for second in range(chain.settings.heartbeat_s)]


def test_heartbeats_stay_spread(chain: Chain) -> None:
    """As clients come and go, those who are there do not gather in the same second."""
    beats = chain.settings.heartbeat_s
    clients = [chain.subscribe() for _ in range(beats * 10)]
    for number in range(beats * 10):
        chain.broadcaster.unsubscribe(clients[number].subscription)
        clients.append(chain.subscribe())

    slots = [client.subscription.slot for client in clients[-beats * 10 :]]
    assert max(map(slots.count, slots)) <= 20


def test_greenlets_end(chain: Chain) -> None:
    """After a stop no greenlet runs, and the broadcaster can be stopped again."""
    started: list[gevent.Greenlet[..., object]] = []
    gevent.Greenlet.add_spawn_callback(started.append)
    chain.broadcaster.start()
    gevent.Greenlet.remove_spawn_callback(started.append)
    gevent.sleep(0)
    ran = [not greenlet.dead for greenlet in started]
    chain.broadcaster.stop()
    chain.broadcaster.stop()

    assert ran == [True, True]
    assert all(greenlet.dead for greenlet in started)
