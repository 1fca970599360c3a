"""A broker, the gateway on it, a robot and a stream: one broker and one gateway for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.live.marker import events_before_marker
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.services import Gateway, Service, gateway, mosquitto


@pytest.fixture(scope="module")
def broker() -> Iterator[Service]:
    """Run mosquitto."""
    with mosquitto() as service:
        yield service


@pytest.fixture(scope="module")
def running(broker: Service) -> Iterator[Gateway]:
    """Run the gateway, with the settings of production, connected to `broker`."""
    with gateway(broker) as service:
        yield service


@pytest.fixture
def robot(broker: Service) -> Iterator[Publisher]:
    """Connect to `broker` as a robot does."""
    with Publisher(broker.port) as publisher:
        yield publisher


@pytest.fixture
def stream(running: Gateway, robot: Publisher) -> Iterator[SseClient]:
    """Open `/stream`; what it gets from now on was sent from now on."""
    with SseClient(running.port) as client:
        client.next("snapshot")
        events_before_marker(robot, client)
        yield client
