"""How streams are: their lag, their queues, why they end."""

from collections.abc import Iterator

import pytest

from tests.unit.builders import Chain
from tests.unit.test_broadcaster import Time, let_run, publish
from vda5050.broadcast import EVERYTHING, Filter
from vda5050.frames import Wire


@pytest.fixture
def chain() -> Iterator[Chain]:
    """Give a chain without robots, whose streams end with the test."""
    chain = Chain(max_streams=7)
    yield chain
    chain.close()


@pytest.fixture
def running(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    """Start the broadcaster's greenlets on a time of the test's own."""
    Time(chain, monkeypatch)
    chain.broadcaster.start()
    let_run()
    yield chain
    chain.broadcaster.stop()


def lags(chain: Chain) -> tuple[float, float]:
    """Read how many lags were observed, and their sum to the microsecond."""
    return chain.metric("stream_lag_seconds_count"), round(chain.metric("stream_lag_seconds_sum"), 6)


def test_lag_is_that_of_the_oldest_update(running: Chain) -> None:
    """A flush is as late as the update that waited longest in it, and counts once for all clients."""
    running.subscribe()
    running.subscribe(Filter.parse(robots="KUKA/*", types="", interval="", view=""))
    publish(running, 1)
    running.wall_clock.advance(0.02)
    publish(running, 2)
    running.wall_clock.advance(0.01)
    let_run()

    assert lags(running) == (1, 0.03)

    running.wall_clock.advance(5)
    publish(running, 3)
    let_run()
    assert lags(running) == (2, 0.03)


def test_lag_that_was_asked_for(running: Chain) -> None:
    """A client that wants its updates every few seconds makes nobody late."""
    running.subscribe(Filter.parse(robots="", types="", interval="5000", view=""))
    publish(running, 1)
    let_run()
    publish(running, 2)
    running.wall_clock.advance(5)
    running.clock.advance(5)
    let_run()

    assert lags(running) == (0, 0)


def test_lag_without_updates_or_clients(running: Chain) -> None:
    """What nobody waits for is no lag, and neither is what is no robot's message."""
    publish(running, 1)
    running.wall_clock.advance(60)
    let_run()
    running.subscribe()
    running.broadcaster.publish_status(is_connected=True)
    let_run()

    assert lags(running) == (0, 0)


def test_clock_that_is_set_back(running: Chain) -> None:
    """A wall clock that is set back between receiving and sending makes no lag below 0."""
    running.subscribe()
    publish(running, 1)
    running.wall_clock.advance(-3_600)
    let_run()

    assert lags(running) == (1, 0)


def test_waiting_bytes(chain: Chain) -> None:
    """What waits in all queues, and in the longest, is told as it is at the scrape."""
    first, second = chain.subscribe(), chain.subscribe()
    first.take()
    publish(chain, 1)
    chain.flush()
    first.take()
    publish(chain, 2)
    chain.flush()

    one, two = first.subscription.waiting_bytes, second.subscription.waiting_bytes
    assert 0 < one < two
    assert chain.metric("stream_waiting_bytes") == one + two
    assert chain.metric("stream_waiting_bytes_max") == two
    chain.close()
    assert chain.metric("stream_waiting_bytes") == chain.metric("stream_waiting_bytes_max") == 0


def test_ends(chain: Chain) -> None:
    """Each stream that ends is counted once, by why it ended."""
    for reason in ("closed", "refused", "closed"):
        subscription = chain.broadcaster.subscribe(EVERYTHING, Wire.WEBSOCKET)
        subscription.end(reason=reason)
        chain.broadcaster.unsubscribe(subscription)
        chain.broadcaster.unsubscribe(subscription)
    chain.subscribe()
    chain.close()

    ends = {reason: chain.metric("stream_ends_total", reason=reason) for reason in ("closed", "refused", "left")}
    assert ends == {"closed": 2, "refused": 1, "left": 1}


def test_limits(chain: Chain) -> None:
    """How many streams may be open is told beside how many are."""
    assert chain.metric("streams_limit") == 7
