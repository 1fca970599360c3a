"""The scripts in Redis do what the model does that the backplane's property test is built on."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.redis_server import RedisServer, redis_server
from tests.services import wait_until
from tests.unit.backplane.model import ModelStore, Server
from tests.unit.builders import FakeClock
from vda5050.backplane.connection import client_maker
from vda5050.backplane.redis_store import RedisStore
from vda5050.backplane.store import Append, Appended, Lease, Store, StoreError
from vda5050.redis_url import RedisUrl

TTL_MS = 60_000
EVER = 10**15
tokens = st.sampled_from(["one", "two"])
small = st.integers(0, 6)
members = st.dictionaries(st.sampled_from([b"a", b"b", b"c"]), st.binary(max_size=5), max_size=2)
appends = st.builds(
    Append,
    epoch=st.sampled_from(["e1", "e2"]),
    first=small,
    last=small,
    body=st.binary(max_size=5),
    keep_from=st.just(0),  # what is trimmed Redis may still hold for a while
    state=members,
    findings=members,
    forgotten=st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=2),
    successor=st.sampled_from(["", "", "one", "two"]),
)
steps = st.one_of(
    st.tuples(st.just("hold"), tokens, st.sampled_from([0, EVER, EVER])),
    st.tuples(st.just("begin"), tokens, st.sampled_from(["e1", "e2"]), small),
    st.tuples(st.just("append"), tokens, appends),
    st.tuples(st.just("append_next"), tokens, st.integers(0, 3), st.sampled_from(["", "", "one", "two"])),
    st.tuples(st.just("seed"), tokens, members),
    st.tuples(st.just("release"), tokens),
    st.tuples(st.just("claim"), tokens),
    st.tuples(st.just("ready"), tokens),
    st.tuples(st.just("call_for_successor")),
)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Run a Redis."""
    with redis_server() as server:
        yield server


def connect(server: RedisServer) -> RedisStore:
    """Connect as the backplane does."""
    url = RedisUrl.parse(server.url)
    return RedisStore(client_maker(url, name="writer"), client_maker(url, name="reader", longest_wait_s=1))


def take(store: Store, step: tuple[Any, ...]) -> object:
    """Take a step; the time that Redis tells is left out."""
    name, *rest = step
    match name:
        case "hold":
            return store.hold(rest[0], ttl_ms=TTL_MS, until_ms=rest[1])[:3]
        case "begin":
            return store.begin(rest[0], epoch=rest[1], floor=rest[2], body=b"begins")
        case "append":
            return store.append(rest[0], rest[1], ttl_ms=TTL_MS)
        case "append_next":
            return append_next(store, *rest)
        case "seed":
            return store.seed(rest[0], state=rest[1], findings=rest[1])
        case _:
            options = {"ttl_ms": TTL_MS} if name in ("claim", "ready") else {}
            return getattr(store, name)(*rest, **options)


def append_next(store: Store, token: str, count: int, successor: str) -> object:
    """Append where the stream stands."""
    head = store.head()
    if head is None:
        return None
    append = Append(head.epoch, head.offset + 1, head.offset + count, b"next", 0, successor=successor)
    return store.append(token, append, ttl_ms=TTL_MS)


def everything(store: Store) -> object:
    """Look at all there is."""
    head = store.head()
    past = [] if head is None else list(store.past(head.position))
    return head, store.load(), past, store.read("0-0", block_ms=1), store.successor()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=st.lists(steps, max_size=25))
def test_redis_does_what_the_model_does(redis: RedisServer, taken: list[tuple[Any, ...]]) -> None:
    """Every step has the same answer and leaves the same behind."""
    with redis.client() as client:
        client.flushall()
    model, real = ModelStore(Server(FakeClock())), connect(redis)

    for step in taken:
        assert take(real, step) == take(model, step)
    assert everything(real) == everything(model)


def test_lease_runs_out(redis: RedisServer) -> None:
    """A lease that is not renewed is another's for the asking; its old holder appends nothing."""
    with redis.client() as client:
        client.flushall()
    store = connect(redis)
    store.hold("one", ttl_ms=200, until_ms=EVER)
    head = store.begin("one", epoch="e1", floor=0, body=b"")
    assert head is not None

    wait_until(lambda: store.hold("two", ttl_ms=TTL_MS, until_ms=EVER).lease is Lease.TAKEN, what="the lease runs out")
    assert store.append("one", Append("e1", 1, 1, b"late", 0), ttl_ms=TTL_MS) is Appended.FENCED
    assert store.head() == head


def test_expired_lease_is_told_from_a_lost_one(redis: RedisServer) -> None:
    """A holder whose lease has run out and that nobody has replaced is told so: it may take it again and go on."""
    with redis.client() as client:
        client.flushall()
    store = connect(redis)
    store.hold("one", ttl_ms=100, until_ms=EVER)
    store.begin("one", epoch="e1", floor=0, body=b"")
    append = Append("e1", 1, 1, b"body", 0)

    wait_until(lambda: store.append("one", append, ttl_ms=1) is Appended.EXPIRED, what="the lease runs out")


def test_what_clients_cannot_be_given_is_trimmed(redis: RedisServer) -> None:
    """The stream does not grow beyond what the holder's clients can be given, but for a node of Redis's own."""
    with redis.client() as client:
        client.flushall()
    store = connect(redis)
    store.hold("one", ttl_ms=TTL_MS, until_ms=EVER)
    store.begin("one", epoch="e1", floor=0, body=b"")
    for offset in range(1, 400):
        store.append("one", Append("e1", offset, offset, b"x" * 1_000, max(0, offset - 50)), ttl_ms=TTL_MS)

    held = store.read("0-0", block_ms=1)
    assert held[0].first <= 349
    with redis.client() as client:
        assert 50 <= client.xlen("{vda5050}:stream") < 200


def test_away() -> None:
    """A Redis that is not there is a StoreError, whatever is asked."""
    with redis_server() as server:
        store = connect(server)
        assert store.head() is None
        server.kill()
        for step in (
            store.head,
            store.load,
            lambda: store.hold("one", ttl_ms=1, until_ms=EVER),
            lambda: list(store.past("1-1")),
        ):
            with pytest.raises(StoreError):
                step()
