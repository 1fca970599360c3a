"""A minute of everything at once, and beside it, streams through nginx on which nothing happens for 90 s."""

import time
from collections.abc import Iterator

import pytest

from tests.live import soak
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient, WebSocketClient
from tests.nginx import nginx
from tests.services import LOOPBACK, Service, gateway, wait_until

IDLE_S = 90.0
PLAN = soak.Plan(seconds=60.0, clients=60, restart_every_s=25.0)
Idle = tuple[SseClient, WebSocketClient, float]


@pytest.fixture(scope="module")
def idle(broker: Service) -> Iterator[Idle]:
    """Open streams through nginx, of a robot that is silent; give them and when (monotonic seconds)."""
    with gateway(broker, auth="off", trusted_proxies=LOOPBACK) as service, nginx([service, service]) as proxy:
        robot = "robots=ACME/silent"
        with (
            SseClient(proxy.port, f"/stream?{robot}", is_gzip=True, tls=proxy.tls) as sse,
            WebSocketClient(proxy.port, f"/ws?{robot}", tls=proxy.tls) as web_socket,
        ):
            sse.next("snapshot")
            web_socket.next("snapshot")
            yield sse, web_socket, time.monotonic()


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("idle")
def test_soak() -> None:
    """60 clients that come, go, stall and resume, 100 robots, two broker restarts: nothing lost, memory flat."""
    outcome = soak.run(PLAN)

    print(outcome.counts, outcome.memory)  # noqa: T201 - pytest shows it when the test fails
    assert outcome.violations == []
    assert outcome.missing == []
    assert outcome.counts["tracebacks"] == 0
    assert outcome.memory_between(0.9, 1.0) < 1.1 * outcome.memory_between(0.5, 0.6)
    # It was about what it claims:
    assert outcome.counts["broker connects"] == 3
    assert outcome.counts["resumes"] > 200
    assert outcome.counts["resets: resume"] > 0
    assert outcome.counts["updates"] > PLAN.clients * PLAN.seconds * 5


@pytest.mark.timeout(180)
def test_idle_stream_survives_the_proxy(broker: Service, idle: Idle) -> None:
    """A stream on which nothing happens for 90 s is kept by its heartbeats, and then brings the next event."""
    sse, web_socket, since = idle

    def is_over() -> bool:
        sse.receive()
        web_socket.receive()
        return time.monotonic() - since > IDLE_S

    wait_until(is_over, what="90 s have passed", deadline_s=IDLE_S + 10)
    assert (sse.is_ended, web_socket.is_ended) == (False, False)
    assert sse.decoder.comments >= 5
    assert web_socket.pings >= 5

    with Publisher(broker.port) as robot:
        robot.publish("uagv/v2/ACME/silent/state", '{"headerId":1}')
    for client in (sse, web_socket):
        assert client.next("update", deadline_s=5).data["data"]["payload"] == {"headerId": 1}
