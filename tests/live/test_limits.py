"""Limits on real gateways: a storm of browsers gets past them, two gateways count together, nobody waits for Redis."""

import resource
import selectors
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.live.stream_client import SseClient
from tests.redis_server import RedisServer, redis_server
from tests.services import Gateway, Service, gateway, wait_until

ARRIVALS, WITHIN_S = 1_000, 2.0
PER_MINUTE = 40


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open as many files as there are clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * ARRIVALS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_storm_of_browsers_gets_in(running: Gateway) -> None:
    """A thousand clients of one address that arrive within two seconds are all admitted by the defaults."""
    clients: list[SseClient] = []
    try:
        started = time.monotonic()
        for number in range(ARRIVALS):
            clients.append(SseClient(running.port, is_gzip=True))
            time.sleep(max(0.0, started + number * WITHIN_S / ARRIVALS - time.monotonic()))
        wait_for_snapshots(clients)
        refused = running.metric("vda5050_streams_refused_total") + running.metric("vda5050_requests_refused_total")

        assert {client.status for client in clients} == {200}
        assert running.metric("vda5050_streams") == ARRIVALS
        assert refused == 0
    finally:
        for client in clients:
            client.close()
    wait_until(lambda: running.metric("vda5050_streams") == 0, what="all have left")


def wait_for_snapshots(clients: list[SseClient]) -> None:
    """Read until each client has its first event. Fails the test when that takes too long."""
    end = time.monotonic() + 40
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ, client)
        while selector.get_map():
            assert time.monotonic() < end, f"{len(selector.get_map())} clients have no snapshot"
            for key, _ in selector.select(1.0):
                if key.data.receive() or key.data.is_ended:
                    selector.unregister(key.data)


@pytest.fixture
def shared() -> Iterator[RedisServer]:
    """Run Redis."""
    with redis_server() as server:
        yield server


def statuses(service: Gateway, count: int) -> list[int]:
    """Ask some times."""
    return [service.get("/schemas").status for _ in range(count)]


def test_two_gateways_count_together(broker: Service, shared: RedisServer) -> None:
    """Over Redis a client has one limit for all gateways; while Redis is away, hangs or returns, nobody gets a 500."""
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(gateway(broker, max_requests_per_minute=PER_MINUTE, limits_redis_url=shared.url))
            for _ in range(2)
        )
        together = statuses(one, PER_MINUTE // 2) + statuses(other, PER_MINUTE // 2 + 5)
        shared.kill()
        away = statuses(one, PER_MINUTE + 1)
        shared.start()

        assert together == [200] * PER_MINUTE + [429] * 5
        assert away == [200] * PER_MINUTE + [429]
        wait_until(lambda: statuses(one, 1) == [200], what="it counts in Redis again, which is empty", deadline_s=20)
        assert "Redis does not answer" in one.output()


def test_redis_that_hangs_keeps_nobody_waiting(broker: Service, shared: RedisServer) -> None:
    """One request waits a moment, those after it not at all."""
    with gateway(broker, limits_redis_url=shared.url) as service:
        statuses(service, 1)
        shared.pause()
        started = time.monotonic()
        answered = statuses(service, 20)
        passed_s = time.monotonic() - started
        shared.resume()

    assert answered == [200] * 20
    assert passed_s < 3.0
