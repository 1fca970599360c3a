"""One client's queue: in order, bounded, never half a parcel, and at its end what it was told to say."""

from collections.abc import Callable

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import Client
from vda5050.broadcast import EVERYTHING, Filter, Parcel, StreamEnded, Subscription
from vda5050.broadcast.parcel import JOIN_BYTES, PIECE_BYTES
from vda5050.broadcast.subscription import MAX_NOTICES, PARCEL_BYTES
from vda5050.frames import Wire

MAX_BYTES = 10_000


def subscription(
    *, max_bytes: int = MAX_BYTES, resync: Callable[[Subscription], list[Parcel]] = lambda _: [Parcel.of(b"<resync>")]
) -> Subscription:
    """Give a client's queue."""
    return Subscription(EVERYTHING, Wire.SSE, max_bytes=max_bytes, opened_at=0.0, resync=resync)


def put(queue: Subscription, *texts: bytes) -> None:
    """Queue each text as a parcel."""
    for text in texts:
        queue.put(Parcel.of(text))


def taken(queue: Subscription) -> list[bytes]:
    """Take all that waits, as it would be written."""
    return list(Client(queue).chunks())


@given(st.integers(0, 3 * PIECE_BYTES + 1))
def test_parcel(size: int) -> None:
    """A parcel's pieces are its bytes, cut small."""
    data = bytes(size)

    parcel = Parcel.of(data)
    assert (b"".join(parcel.pieces), parcel.size) == (data, size)
    assert max(map(len, parcel.pieces)) <= PIECE_BYTES


def test_small_parcels_come_together() -> None:
    """Small parcels that wait together are taken as one chunk, in order."""
    queue = subscription()
    put(queue, b"one ", b"two ", b"three")

    assert taken(queue) == [b"one two three"]


def test_many_small_parcels_come_in_few_chunks() -> None:
    """However many small parcels wait, they are taken in large chunks: each chunk is a write of its own."""
    queue = subscription(max_bytes=40 * PIECE_BYTES)
    put(queue, *[b"%0200d" % number for number in range(3_000)])

    chunks = taken(queue)
    assert b"".join(chunks) == b"".join(b"%0200d" % number for number in range(3_000))
    assert len(chunks) <= 3_000 * 200 // JOIN_BYTES + 3
    assert max(map(len, chunks)) <= 2 * JOIN_BYTES


def test_large_parcel_comes_in_pieces() -> None:
    """A large parcel is taken piece by piece, and those after it later."""
    queue = subscription(max_bytes=PIECE_BYTES * 3)
    put(queue, b"x" * (PIECE_BYTES + 5), b"next")

    assert taken(queue) == [b"x" * PIECE_BYTES, b"x" * 5, b"next"]


def test_pieces_are_shared() -> None:
    """A parcel that is taken alone is handed on as the same object: a thousand clients hold it once."""
    parcel = Parcel.of(b"some bytes")
    queues = [subscription(), subscription()]
    for queue in queues:
        queue.put(parcel)

    assert [queue.take() is parcel.pieces[0] for queue in queues] == [True, True]


def test_begin_comes_first() -> None:
    """What a client begins with comes before any update, and is not counted against the bound."""
    queue = subscription()
    queue.begin([Parcel.of(b"opening")])
    put(queue, b"update")
    queue.begin([Parcel.of(b"x" * 5 * MAX_BYTES)])

    assert 0 < queue.waiting_bytes <= len(b"update") + PARCEL_BYTES
    assert taken(queue) == [b"opening", b"x" * 5 * MAX_BYTES, b"update"]


def test_waiting_bytes() -> None:
    """What waits is counted, with what each parcel costs, until it is taken."""
    queue = subscription()
    put(queue, b"12345", b"678")
    waiting = queue.waiting_bytes
    taken(queue)

    assert (waiting, queue.waiting_bytes) == (8 + 2 * PARCEL_BYTES, 0)


@pytest.mark.parametrize("size", [1, 700, MAX_BYTES // 2 - PARCEL_BYTES])
def test_as_much_as_is_allowed(size: int) -> None:
    """A client may lag behind by as much as the bound allows, and by no more."""
    queue = subscription()
    waiting = [0]
    while queue.waiting_bytes >= waiting[-1]:
        waiting.append(queue.waiting_bytes)
        put(queue, b"x" * size)

    assert MAX_BYTES - size - PARCEL_BYTES < waiting[-1] <= MAX_BYTES
    assert taken(queue) == [b"<resync>"]


def test_lagging() -> None:
    """A client that falls further behind loses all that waits, and gets a resync in its place; then all goes on."""
    queue = subscription()
    put(queue, b"x" * MAX_BYTES, b"y", b"z")
    waiting = queue.waiting_bytes

    assert (waiting, taken(queue)) == (0, [b"<resync>"])
    put(queue, b"next")
    assert taken(queue) == [b"next"]


def test_lagging_client_holds_nothing() -> None:
    """While a client is lagging nothing is queued for it, however long it stalls."""
    queue = subscription()
    put(queue, *[b"x" * 6_000] * 1_000)

    assert queue.waiting_bytes == 0
    assert taken(queue) == [b"<resync>"]


def test_lagging_keeps_what_was_begun() -> None:
    """What a client is in the middle of is finished before it is resynced: half a parcel is never written."""
    queue = subscription(max_bytes=2 * PIECE_BYTES)
    put(queue, b"a" * PIECE_BYTES + b"b")
    first = queue.take()
    put(queue, b"x" * 2 * PIECE_BYTES, b"y")

    assert [first, *taken(queue)] == [b"a" * PIECE_BYTES, b"b", b"<resync>"]


def test_parcel_larger_than_the_bound() -> None:
    """A parcel larger than the bound is given to a client that waits for nothing else: it would never get any."""
    queue = subscription()
    put(queue, b"x" * 2 * MAX_BYTES)

    assert taken(queue) == [b"x" * 2 * MAX_BYTES]


def test_resync_happens_when_the_client_reads() -> None:
    """The snapshot of a lagging client is made when it reads again, not when it falls behind."""
    resynced: list[Subscription] = []

    def resync(lagging: Subscription) -> list[Parcel]:
        put(lagging, b"flushed meanwhile, and in the snapshot")
        resynced.append(lagging)
        return [Parcel.of(b"<snapshot>")]

    queue = subscription(resync=resync)
    put(queue, b"x" * MAX_BYTES, b"y")
    before = list(resynced)

    assert taken(queue) == [b"<snapshot>"]
    assert (before, resynced) == ([], [queue])


def test_change_filter() -> None:
    """A client that wants another filter loses what waits of the old one, and is resynced when it reads."""
    wanted: list[Filter] = []

    def resync(changed: Subscription) -> list[Parcel]:
        wanted.append(changed.wanted)
        return [Parcel.of(b"<resync>")]

    queue = subscription(resync=resync)
    put(queue, b"of the old one")
    queue.change_filter(Filter.parse(robots="A/1"))
    queue.change_filter(Filter.parse(robots="B/1"))
    put(queue, b"too early")

    assert (taken(queue), wanted) == ([b"<resync>"], [Filter.parse(robots="B/1")])
    put(queue, b"next")
    assert taken(queue) == [b"next"]


def test_notices_come_first() -> None:
    """An answer to the client itself comes before what waits for it, but never within a parcel."""
    queue = subscription(max_bytes=3 * PIECE_BYTES)
    put(queue, b"a" * PIECE_BYTES + b"b", b"later")
    first = queue.take()
    queue.notify(b"<pong 1>")
    queue.notify(b"<pong 2>")
    queue.end(b"bye", reason="stopping")

    assert [first, *taken(queue)] == [b"a" * PIECE_BYTES, b"b", b"<pong 1><pong 2>", b"later", b"bye"]


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("what", ["lag", "change_filter"])
def test_notices_are_not_dropped(order: str, what: str) -> None:
    """What is dropped because a client lags, or wants another filter, are updates: never an answer."""
    queue = subscription()
    put(queue, b"dropped")
    if order == "before":
        queue.notify(b"<pong>")
    if what == "lag":
        queue.lag()
    else:
        queue.change_filter(EVERYTHING)
    if order == "after":
        queue.notify(b"<pong>")

    assert taken(queue) == [b"<pong>", b"<resync>"]


def test_notice_during_a_resync() -> None:
    """An answer that comes while the client's snapshot is waited for comes before it."""

    def resync(lagging: Subscription) -> list[Parcel]:
        lagging.notify(b"<pong>")
        return [Parcel.of(b"<snapshot>")]

    queue = subscription(resync=resync)
    queue.lag()

    assert taken(queue) == [b"<pong>", b"<snapshot>"]


def test_notices_are_bounded() -> None:
    """Of answers to a client that does not read the newest are kept, and none for one that has gone."""
    queue = subscription()
    for number in range(10 * MAX_NOTICES):
        queue.notify(b"%d " % number)
    last = b"".join(taken(queue)).split()
    queue.notify(b"never read")
    queue.abandon()
    queue.notify(b"too late")

    assert [int(number) for number in last] == list(range(9 * MAX_NOTICES, 10 * MAX_NOTICES))
    assert taken(queue) == []


def test_change_filter_of_an_ended_stream() -> None:
    """A stream that has ended changes no more."""
    queue = subscription()
    queue.end(b"bye", reason="stopping")
    queue.change_filter(Filter.parse(robots="A/1"))

    assert taken(queue) == [b"bye"]


def test_end() -> None:
    """An ended stream gives what waits, then its last words, and takes nothing more in."""
    queue = subscription()
    put(queue, b"last update")
    queue.end(b"bye", reason="stopping")
    queue.end(b"bye again", reason="stopping")
    put(queue, b"too late")

    assert taken(queue) == [b"last update", b"bye"]


def test_end_of_a_lagging_client() -> None:
    """A client that lags when the stream is ended is resynced first: it ends at the newest state."""
    queue = subscription()
    put(queue, b"x" * MAX_BYTES, b"y")
    queue.end(b"bye", reason="stopping")

    assert taken(queue) == [b"<resync>", b"bye"]


def test_abandon() -> None:
    """Nothing is written any more to a client that has gone."""
    queue = subscription()
    queue.begin([Parcel.of(b"opening")])
    put(queue, b"update")
    queue.abandon()
    put(queue, b"too late")

    with pytest.raises(StreamEnded) as raised:
        queue.take()
    assert raised.value.last_words == b""
    assert queue.waiting_bytes == 0


def test_abandon_after_the_end() -> None:
    """A client that goes while its stream is ending gets no last words."""
    queue = subscription()
    put(queue, b"update")
    queue.end(b"bye", reason="stopping")
    queue.abandon()

    assert taken(queue) == []


def let_run() -> None:
    """Let the writer do what it can."""
    for _ in range(3):
        gevent.sleep(0)


def test_take_waits() -> None:
    """A client that has read everything waits, and is woken by the next parcel and by the end."""
    queue = subscription()
    written: list[bytes] = []

    def write() -> None:
        try:
            while True:
                written.append(queue.take())
        except StreamEnded as ended:
            written.append(ended.last_words)

    writer = gevent.spawn(write)
    seen = []
    for texts in ([], [b"one"], [b"two", b"2"], [b"bye"]):
        if texts == [b"bye"]:
            queue.end(b"bye", reason="stopping")
        else:
            put(queue, *texts)
        let_run()
        seen.append(list(written))

    assert seen == [[], [b"one"], [b"one", b"two2"], [b"one", b"two2", b"bye"]]
    assert writer.dead


def test_notice_wakes() -> None:
    """A client that waits is given an answer at once, also where it begins again by what came with it."""
    queue = subscription()
    written: list[bytes] = []
    writer = gevent.spawn(lambda: written.extend(queue.take() for _ in range(3)))
    let_run()
    queue.notify(b"<pong>")
    let_run()
    seen = list(written)
    queue.change_filter(EVERYTHING)
    queue.notify(b"<problem>")
    let_run()

    assert (seen, written) == ([b"<pong>"], [b"<pong>", b"<problem>", b"<resync>"])
    assert writer.dead


def test_waiting_client_does_not_lag() -> None:
    """A client that waits when much arrives at once is lagging only if it does not read before the bound is reached."""
    queue = subscription()
    written: list[bytes] = []

    def write() -> None:
        written.extend(queue.take() for _ in range(2))

    writer = gevent.spawn(write)
    let_run()
    put(queue, b"x" * MAX_BYTES, b"y", b"z")
    let_run()
    put(queue, b"next")
    let_run()

    assert (written, writer.dead) == ([b"<resync>", b"next"], True)


@given(st.lists(st.one_of(st.integers(1, 4_000), st.just("take")), max_size=30))
def test_bounded_and_in_order(steps: list[int | str]) -> None:
    """Whatever is put and taken, what is given is what was put, in order, with gaps only at a resync."""
    queue = subscription(resync=lambda _: [Parcel.of(b"<resync>|")])
    client = Client(queue)
    number = 0
    got: list[str] = []

    for step in [*steps, "take"]:
        if isinstance(step, str):
            got += b"".join(client.chunks()).decode().split("|")[:-1]
        else:
            put(queue, f"{number:0{step}d}|".encode())
            number += 1
        assert queue.waiting_bytes <= MAX_BYTES
    last, is_resynced = -1, False
    for entry in got:
        if entry != "<resync>":
            assert int(entry) == last + 1 or (is_resynced and int(entry) > last)
            last = int(entry)
        is_resynced = entry == "<resync>"
    assert is_resynced or last == number - 1
