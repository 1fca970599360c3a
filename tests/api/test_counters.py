"""Counting costs little, is bounded, and never fails because Redis does."""

import logging

import pytest
from limits.storage import RedisStorage
from redis.exceptions import ConnectionError as RedisConnectionError

from vda5050.api import counters
from vda5050.api.counters import RETRY_S, Counters, WindowCounts


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


def test_a_window_ends(clock: Clock) -> None:
    """Counts add up for as long as the window lasts, and begin again after it."""
    counts = WindowCounts(clock)
    seen = [counts.incr("a", 60) for _ in range(3)]
    clock.now += 59.9
    last = counts.incr("a", 60)
    clock.now += 0.1

    assert [*seen, last] == [1, 2, 3, 4]
    assert counts.get("a") == 0
    assert counts.incr("a", 60) == 1


def test_keys_are_bounded(clock: Clock) -> None:
    """An attacker with endless addresses makes the oldest forgotten, and not memory grow."""
    counts = WindowCounts(clock, max_keys=100)
    for number in range(1_000):
        counts.incr(f"address {number}", 60)

    assert len(counts) <= 100
    assert counts.get("address 999") == 1


def test_what_has_ended_goes_first(clock: Clock) -> None:
    """Room is made of windows that have ended, where there are any."""
    counts = WindowCounts(clock, max_keys=3)
    counts.incr("long", 300)
    counts.incr("short", 60)
    counts.incr("other", 60)
    clock.now += 61
    counts.incr("new", 60)

    assert [counts.get(key) for key in ("long", "short", "new")] == [1, 0, 1]


def test_redis_that_fails_is_left_alone(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While Redis is away the worker counts for itself, without asking again for each request."""
    asked: list[str] = []

    def fail(_self: RedisStorage, key: str, *_: object) -> int:
        asked.append(key)
        raise RedisConnectionError("redis://:secret@example")

    monkeypatch.setattr(RedisStorage, "incr", fail)
    store = Counters(redis_url="redis://127.0.0.1:1", clock=clock)
    counted = [store.incr("a", 60) for _ in range(5)]
    clock.now += RETRY_S
    counted.append(store.incr("a", 60))

    assert counted == [1, 2, 3, 4, 5, 6]
    assert len(asked) == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "secret" not in caplog.text


def test_redis_is_bounded() -> None:
    """A request never waits for Redis longer than a moment, and connections do not grow with requests."""
    pool = vars(counters._open("redis://127.0.0.1:1"))["storage"].connection_pool  # noqa: SLF001 - what was set, not who

    assert pool.max_connections == counters.REDIS_CONNECTIONS
    assert pool.connection_kwargs["socket_timeout"] == pool.connection_kwargs["socket_connect_timeout"] <= 0.25
