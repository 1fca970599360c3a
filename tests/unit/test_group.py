"""All clients of one filter: what is gathered, encoded once, kept for newcomers, and forgotten in time."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from tests.unit.builders import EPOCH, Client, Event, reader_of
from vda5050.broadcast import EVERYTHING, Filter, Parcel, Subscription
from vda5050.broadcast import group as group_module
from vda5050.broadcast.batch_log import LOG_BYTES, LOG_S, LogBudget
from vda5050.broadcast.group import CALL_BYTES, FlushTally, Group, ReplayTooLong
from vda5050.frames import Frame, Wire, encode_events, update_json

CONFLATED = Filter(interval_s=0.5)
VIEWS = Filter(interval_s=0.5, as_view=True)


def frame(offset: int, *, robot: str = "A/1", topic: str = "state", size: int = 0) -> Frame:
    """Give an update whose payload holds its offset and `size` more bytes."""
    payload = orjson.dumps({"n": offset, "pad": "x" * size})
    return Frame(offset, robot, topic, update_json(robot, topic, payload))


def group(
    filter_: Filter = EVERYTHING,
    *,
    offset: int = 0,
    view_of: Callable[[str], bytes] = lambda _: b"{}",
    log_bytes: int = LOG_BYTES,
) -> Group:
    """Give a group without clients."""
    budget = LogBudget(log_bytes)
    return Group(filter_, epoch=EPOCH.encode(), offset=offset, snapshot_max_age_s=1.0, view_of=view_of, budget=budget)


def subscription_of(filter_: Filter, wire: Wire = Wire.SSE, resync: Sequence[Parcel] = ()) -> Subscription:
    """Give a client's queue."""
    return Subscription(filter_, wire, max_bytes=10_000_000, opened_at=0.0, resync=lambda _: resync)


def member(of: Group, wire: Wire = Wire.SSE) -> Client:
    """Add a client to a group."""
    subscription = subscription_of(EVERYTHING, wire)
    of.enter(subscription, of.flushed_offset)
    return Client(subscription)


def flush(group: Group, *frames: Frame, now: float = 0.0) -> None:
    """Gather frames, the last of which is the newest of all, and flush them."""
    for one in frames:
        group.add(one)
    group.flush(now, frames[-1].offset)


def offsets(parcels: Sequence[Parcel]) -> list[int]:
    """Give the offsets in parcels of plain SSE."""
    return [event.offset for parcel in parcels for event in read(parcel)]


def read(parcel: Parcel, wire: Wire = Wire.SSE) -> list[Event]:
    """Read a parcel."""
    reader = reader_of(wire)
    return [event for piece in parcel.pieces for event in reader.read(piece)]


def ring_of(*frames: Frame) -> Callable[[int, int], list[Frame]]:
    """Give what the broadcaster's ring would hold."""
    return lambda after, upto: [one for one in frames if after < one.offset <= upto]


def no_ring(after: int, upto: int) -> list[Frame]:
    """Fail: what is asked for must be in the group's own log."""
    raise AssertionError(f"the ring was asked for {after} to {upto}")


@pytest.mark.parametrize(
    ("query", "robot", "topic", "is_wanted"),
    [
        ({}, "A/1", "state", True),
        ({"robots": "A/*"}, "A/1", "state", True),
        ({"robots": "A/*"}, "B/1", "state", False),
        ({"types": "state"}, "A/1", "state", True),
        ({"types": "state"}, "A/1", "order", False),
        ({"robots": "A/*", "types": "state"}, "B/1", "state", False),
        ({"robots": "A/*", "types": "state"}, "", "status", True),
    ],
)
def test_wants(*, query: dict[str, str], robot: str, topic: str, is_wanted: bool) -> None:
    """A group wants the frames that its filter lets through, and every frame about the stream itself."""
    assert group(Filter.parse(**query)).wants(robot, topic) is is_wanted


def test_wants_one_robot() -> None:
    """A group of one robot wants that robot and no other."""
    one = group(Filter.one_robot("A/*", types="state"))

    wanted = [one.wants(robot, topic) for robot, topic in (("A/*", "state"), ("A/1", "state"), ("A/*", "order"))]
    assert wanted == [True, False, False]


def test_flush() -> None:
    """A flush queues all that was gathered, in order and as one parcel, to every client; then nothing waits."""
    one = group()
    clients = [member(one), member(one)]
    flush(one, frame(1), frame(3))

    assert [[event.offset for event in client.take()] for client in clients] == [[1, 3], [1, 3]]
    assert one.flushed_offset == 3
    assert one.flush(0.0, 3) == {}


def test_flush_tells_what_it_did() -> None:
    """A flush reports, for each wire in use, its clients, the frames and the bytes of one client."""
    one = group()
    client, *_ = [member(one), member(one), member(one, Wire.WEBSOCKET)]
    for offset in (1, 2):
        one.add(frame(offset))

    done = one.flush(0.0, 2)
    size = sum(map(len, client.chunks()))
    assert {wire: counts[:2] for wire, counts in done.items()} == {Wire.SSE: (2, 2), Wire.WEBSOCKET: (1, 2)}
    assert done[Wire.SSE][2] == size


def test_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is encoded once for each wire in use, whoever and however many want it, and not for others."""
    encoded: list[Wire] = []

    def count(epoch: bytes, frames: list[Frame], wire: Wire) -> bytes:
        encoded.append(wire)
        return encode_events(epoch, frames, wire)

    monkeypatch.setattr("vda5050.broadcast.batch.encode_events", count)
    one = group()
    clients = [member(one, wire) for wire in [Wire.SSE, Wire.SSE_GZIP] * 3]
    flush(one, frame(1))
    list(one.since(0, Wire.SSE, no_ring))

    chunks = {id(client.chunk()) for client in clients}
    assert sorted(wire.value for wire in encoded) == ["sse", "sse_gzip"]
    assert len(chunks) == 2


def test_nothing_to_flush_moves_on() -> None:
    """A flush with nothing gathered tells that all up to now was none of this group's business."""
    one = group()
    client = member(one)
    one.flush(0.0, 7)

    assert one.flushed_offset == 7
    assert client.take() == []


def test_interval() -> None:
    """With an interval the next flush is due when it has passed, without one at once."""
    groups = [group(), group(CONFLATED)]
    for one in groups:
        flush(one, frame(1), now=100.0)

    assert [one.due_at for one in groups] == [100.0, 100.5]


def test_conflation() -> None:
    """With an interval only the newest state and visualization of each robot go out; all else does, by offset."""
    one = group(CONFLATED)
    client = member(one)
    flush(
        one,
        frame(1),
        frame(2, topic="order"),
        frame(3, topic="visualization"),
        frame(4, robot="B/1"),
        frame(5, topic="connection"),
        frame(6),
        frame(7, topic="order"),
        frame(8, topic="connection"),
        frame(9, topic="visualization"),
        frame(10, topic="factsheet"),
    )

    assert [event.offset for event in client.take()] == [2, 4, 5, 6, 7, 8, 9, 10]


def test_conflation_ends_with_the_batch() -> None:
    """A state that went out is not taken back by the next one."""
    one = group(CONFLATED)
    client = member(one)
    flush(one, frame(1))
    flush(one, frame(2))

    assert [event.offset for event in client.take()] == [1, 2]


def test_nothing_is_conflated_without_interval() -> None:
    """Without an interval every update goes out."""
    one = group()
    client = member(one)
    flush(one, *(frame(offset) for offset in range(1, 2_500)))

    assert len(client.take()) == 2_499


def test_slow_interval_is_bounded() -> None:
    """However much arrives within an interval, what waits is about as much as will go out."""
    one = group(CONFLATED)
    client = member(one)
    waiting = []

    for offset in range(1, 10_001):
        one.add(frame(offset, robot=f"A/{offset % 7}"))
        waiting.append(len(one._pending))  # noqa: SLF001 - memory has no outside sign
    one.flush(0.0, 10_000)
    assert max(waiting) <= group_module.COMPACT_AT
    assert [event.offset for event in client.take()] == list(range(9_994, 10_001))


def test_slow_interval_of_views_is_bounded() -> None:
    """Of however much arrives within an interval, one view of each robot goes out, made when it does."""
    made: list[str] = []

    def view_of(robot: str) -> bytes:
        made.append(robot)
        return b"{}"

    one = group(VIEWS, view_of=view_of)
    client = member(one)
    waiting = []

    for offset in range(1, 10_001):
        one.add(frame(offset, robot=f"A/{offset % 7}", topic=("state", "visualization", "order")[offset % 3]))
        waiting.append(len(one._pending))  # noqa: SLF001 - as above
    made_before = list(made)
    one.flush(0.0, 10_000)
    assert max(waiting) <= group_module.COMPACT_AT
    assert [event.offset for event in client.take()] == list(range(9_994, 10_001))
    assert (made_before, len(made)) == ([], 7)


def test_slow_interval_is_compacted_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where little can be let go, what waits is not looked through again and again."""
    one = group(CONFLATED)
    compact = one._newest  # noqa: SLF001 - its cost has no outside sign
    looked_through: list[int] = []

    def count(frames: list[Frame]) -> list[Frame]:
        looked_through.append(len(frames))
        return compact(frames)

    monkeypatch.setattr(one, "_newest", count)
    for offset in range(1, 10_001):
        one.add(frame(offset, topic="order"))
    assert sum(looked_through) < 2 * 10_000


def test_slow_interval_keeps_what_counts() -> None:
    """Messages that all count are kept however many arrive within an interval, at a bounded cost."""
    one = group(CONFLATED)
    client = member(one)
    flush(one, *(frame(offset, topic="order") for offset in range(1, 3_501)))

    assert [event.offset for event in client.take()] == list(range(1, 3_501))


def test_since() -> None:
    """After any offset come exactly the frames after it that were flushed, be it in the middle of a batch."""
    one = group()
    flush(one, frame(1), frame(2), frame(4))
    flush(one, frame(5), frame(7))
    one.add(frame(8))

    after = {offset: offsets(list(one.since(offset, Wire.SSE, no_ring))) for offset in range(8)}
    everything = [1, 2, 4, 5, 7]
    assert after == {offset: [n for n in everything if n > offset] for offset in range(8)}


@pytest.mark.parametrize("offset", range(5))
def test_since_gives_no_empty_parcel(offset: int) -> None:
    """Where nothing came after an offset, nothing is given: an empty chunk would end an HTTP response."""
    one = group()
    flush(one, frame(1), frame(2))
    flush(one, frame(4))

    assert all(parcel.size for parcel in one.since(offset, Wire.SSE, no_ring))


def test_since_before_the_group() -> None:
    """What was published before the group existed comes from the ring, filtered."""
    ring = ring_of(frame(1), frame(2, robot="B/1"), frame(3), frame(4, robot="B/1"))
    one = group(Filter.parse(robots="A/*"), offset=4)
    flush(one, frame(5), frame(6))

    assert offsets(list(one.since(0, Wire.SSE, ring))) == [1, 3, 5, 6]
    assert offsets(list(one.since(2, Wire.SSE, ring))) == [3, 5, 6]
    assert offsets(list(one.since(4, Wire.SSE, no_ring))) == [5, 6]


def test_since_the_ring_is_conflated() -> None:
    """With an interval the newest of what the ring gives is enough."""
    one = group(CONFLATED, offset=3)

    assert offsets(list(one.since(0, Wire.SSE, ring_of(frame(1), frame(2, topic="order"), frame(3))))) == [2, 3]


def test_since_the_ring_is_of_views() -> None:
    """Who missed more views than the log has gets each robot's as it is now, and no older one after it."""
    frames = [frame(1), frame(2, robot="B/1"), frame(3), frame(4, topic="connection")]
    charge = [0]
    one = group(VIEWS, offset=1, view_of=lambda _: b'{"charge":%d}' % charge[0])
    for number, each in enumerate(frames[1:], 1):
        charge[0] = number
        flush(one, each)
    charge[0] = 4  # by a frame that was not flushed yet

    def seen_after(offset: int) -> list[tuple[str, int, int]]:
        events = [event for parcel in one.since(offset, Wire.SSE, ring_of(*frames)) for event in read(parcel)]
        return [(event.data["topic"], event.offset, event.data["payload"]["charge"]) for event in events]

    assert seen_after(0) == [("B/1", 2, 4), ("A/1", 4, 4)]
    assert seen_after(1) == [("B/1", 2, 1), ("A/1", 3, 2), ("A/1", 4, 3)]


def test_too_much_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the ring has is encoded for one client alone, so there is a bound to it; matching frames count."""
    ring = ring_of(*(frame(offset, robot=f"{'AB'[offset % 2]}/1", size=100) for offset in range(1, 21)))
    one = group(Filter.parse(robots="A/*"), offset=20)
    monkeypatch.setattr(group_module, "MAX_REPLAY_BYTES", 10 * frame(10, size=100).size)

    assert offsets(list(one.since(0, Wire.SSE, ring))) == list(range(2, 21, 2))
    monkeypatch.setattr(group_module, "MAX_REPLAY_BYTES", 9 * frame(10, size=100).size)
    with pytest.raises(ReplayTooLong):
        list(one.since(0, Wire.SSE, ring))


def test_client_ahead_of_its_group() -> None:
    """A client that has more than was flushed gets of the next batch only what is after that; the others get all."""
    one = group()
    client = member(one)
    ahead, far_ahead = [Client(subscription_of(EVERYTHING)) for _ in range(2)]
    one.add(frame(1))
    one.enter(ahead.subscription, 1)
    one.add(frame(2))
    one.enter(far_ahead.subscription, 2)
    one.flush(0.0, 2)
    flush(one, frame(3))

    took = [[event.offset for event in each.take()] for each in (client, ahead, far_ahead)]
    assert took == [[1, 2, 3], [2, 3], [3]]


def test_client_that_left_is_not_flushed_to() -> None:
    """A client that left gets nothing more, ahead of its group or not."""
    one = group()
    clients = [member(one), Client(subscription_of(EVERYTHING))]
    one.add(frame(1))
    one.enter(clients[1].subscription, 1)
    for client in clients:
        one.leave(client.subscription)
    one.add(frame(2))
    one.flush(0.0, 2)

    assert [client.take() for client in clients] == [[], []]


def test_batch_that_cannot_be_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a batch cannot be encoded every client begins again: none is left with a gap."""
    resync = [Parcel.of(b'data: {"type":"reset"}\n\n')]
    one = group()
    clients = [Client(subscription_of(EVERYTHING, wire, resync)) for wire in (Wire.SSE, Wire.SSE)]
    for client in clients:
        one.enter(client.subscription, 0)
    one.add(frame(1))

    def fail(*_: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("vda5050.broadcast.batch.encode_events", fail)
        with pytest.raises(MemoryError):
            one.flush(0.0, 1)
    flush(one, frame(2))
    assert [[event.type for event in client.take()] for client in clients] == [["reset"], ["reset"]]


def test_view_that_cannot_be_made() -> None:
    """Where a robot's view fails every client begins again, nothing goes on waiting, and who resumes misses nothing."""
    fails = [False]

    def view_of(_: str) -> bytes:
        if fails[0]:
            raise ValueError("a fault")
        return b"{}"

    frames = [frame(1), frame(2, robot="B/1"), frame(3)]
    one = group(VIEWS, view_of=view_of)
    client = Client(subscription_of(VIEWS, resync=[Parcel.of(b'data: {"type":"reset"}\n\n')]))
    one.enter(client.subscription, 0)
    flush(one, frames[0])
    client.take()
    fails[0] = True
    with pytest.raises(ValueError, match="a fault"):
        flush(one, frames[1])
    fails[0] = False
    reset = client.take()
    flush(one, frames[2])

    assert [event.type for event in reset] == ["reset"]
    assert [event.offset for event in client.take()] == [3]
    assert offsets(list(one.since(1, Wire.SSE, ring_of(*frames)))) == [2, 3]


@pytest.mark.parametrize(("reason", "forgotten"), [("size", 6), ("age", 8)])
def test_log_forgets(reason: str, forgotten: int) -> None:
    """Batches too old or too many are forgotten; what the log has no longer comes from the ring, each frame once."""
    frames = [frame(offset, size=600) for offset in range(1, 11)]
    one = group(log_bytes=3_000 if reason == "size" else LOG_BYTES)
    for first in range(0, 10, 2):
        flush(one, *frames[first : first + 2], now=first * LOG_S if reason == "age" else 0.0)

    asked: list[tuple[int, int]] = []

    def ring(after: int, upto: int) -> list[Frame]:
        asked.append((after, upto))
        return ring_of(*frames)(after, upto)

    after = {offset: offsets(list(one.since(offset, Wire.SSE, ring))) for offset in range(11)}
    assert after == {offset: list(range(offset + 1, 11)) for offset in range(11)}
    assert {upto for _, upto in asked} == {forgotten}


def test_newest_batch_is_never_forgotten() -> None:
    """A batch larger than the bound stays until the next one."""
    one = group(log_bytes=100)
    flush(one, frame(1, size=600), now=0.0)

    assert offsets(list(one.since(0, Wire.SSE, no_ring))) == [1]


def snapshot_of(group: Group, now: float) -> tuple[int, Any] | None:
    """Give offset and robots of the snapshot that newcomers share."""
    snapshot = group.fresh_snapshot(now)
    if snapshot is None:
        return None
    (event,) = read(snapshot.batch.parcel(Wire.SSE))
    assert event.offset == snapshot.offset
    return event.offset, event.data


def test_snapshot_is_shared_for_a_while() -> None:
    """A snapshot carries the offset it was taken at, and is shared until it is too old."""
    one = group()
    flush(one, frame(3), now=50.0)
    one.set_snapshot(b'{"A/1":{}}', 3, 50.0)

    seen = [snapshot_of(one, now) for now in (50.0, 51.0, 51.1, 50.0)]
    assert seen == [(3, {"A/1": {}}), (3, {"A/1": {}}), None, None]


def test_old_snapshot_is_let_go() -> None:
    """A snapshot that nobody shares any more is not kept in memory by a group that goes on."""
    one = group()
    one.set_snapshot(b"{}", 0, 50.0)
    flush(one, frame(1), now=60.0)

    assert snapshot_of(one, 50.0) is None


def test_snapshot_is_encoded_once() -> None:
    """All who share a snapshot share its bytes."""
    one = group()
    snapshot = one.set_snapshot(b"{}", 0, 0.0)

    assert snapshot.batch.parcel(Wire.SSE_GZIP) is snapshot.batch.parcel(Wire.SSE_GZIP)


def test_snapshot_needs_the_log() -> None:
    """A snapshot is shared only while the log holds everything after it."""
    one = group(log_bytes=1_000)
    one.set_snapshot(b"{}", 0, 0.0)
    seen = []

    for offset in (1, 2, 3):
        flush(one, frame(offset, size=600))
        seen.append(one.fresh_snapshot(0.0) is not None)
    assert seen == [True, False, False]


def test_a_flush_writes_only_so_much_in_its_own_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients beyond what it may write, of all groups, are left to their greenlets; who is behind costs nothing."""
    done: list[str] = []
    is_idle = iter([False, True, True])

    def hand(*_: object) -> bool:
        was_written = next(is_idle)
        done.append("written" if was_written else "behind")
        return was_written

    monkeypatch.setattr(Subscription, "hand", hand)
    monkeypatch.setattr(Subscription, "put", lambda *_: done.append("queued"))
    groups, tally = [group(), group()], FlushTally(left=CALL_BYTES + 1_000)
    for one in groups:
        for _ in range(2):
            member(one)
        one.add(frame(1))
        one.flush(0.0, 1, tally)

    assert done == ["behind", "written", "written", "queued"]
