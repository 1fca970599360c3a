"""Real RabbitMQ, real Kafka protocol: every update arrives, in order; a killed bus costs only what is counted."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.message_buses import KafkaConsumer, RabbitConsumer, RabbitServer, Received, kafka, rabbitmq
from tests.services import LOOPBACK, Gateway, Service, gateway, wait_until
from vda5050.event_bus.bus import RECORD_BYTES

PUBLISHED = "vda5050_event_bus_published_total"
DROPPED = "vda5050_event_bus_dropped_total"
BACK_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def rabbit() -> Iterator[RabbitServer]:
    """Run RabbitMQ."""
    with rabbitmq() as service:
        yield service


@pytest.fixture(scope="module")
def kafka_broker() -> Iterator[Service]:
    """Run a Kafka-compatible broker."""
    with kafka() as service:
        yield service


def publish(robot: Publisher, numbers: range, *, name: str = "ACME/R1") -> None:
    """Publish numbered states."""
    for number in numbers:
        robot.publish(f"uagv/v2/{name}/state", json.dumps({"headerId": number}))


def header_ids(received: list[Received]) -> list[int]:
    """Give the numbers of what a consumer got."""
    return [message.event["data"]["payload"]["headerId"] for message in received]


def bus_says(running: Gateway) -> tuple[bool, str]:
    """Ask /ready how the event bus is; the gateway itself must be ready whatever the bus does."""
    answer = running.get("/ready")
    assert answer.status == 200
    bus = answer.json()["dependencies"]["event_bus"]
    return bus["ready"], bus["detail"]


def test_rabbitmq_gets_what_the_stream_gets(broker: Service, rabbit: Service) -> None:
    """The same JSON under the same id, routed by robot and topic, dots in a name escaped."""
    url = f"amqp://guest:guest@{LOOPBACK}:{rabbit.port}/"
    with (
        gateway(broker, event_bus_url=url) as running,
        RabbitConsumer(rabbit.port, "ACME.*.state", queue="states") as consumer,
        Publisher(broker.port) as robot,
        SseClient(running.port) as stream,
    ):
        stream.next("snapshot")
        publish(robot, range(1), name="OTHER/R1")
        publish(robot, range(500), name="ACME/R.1")

        received = consumer.read(500)

        shown = [stream.next("update") for _ in range(501)][1:]
        assert {message.route for message in received} == {"ACME.R%2E1.state"}
        assert header_ids(received) == list(range(500))
        assert [message.id for message in received] == [event.id for event in shown]
        assert [message.event for message in received] == [event.data for event in shown]
        assert bus_says(running) == (True, f"connected to amqp://{LOOPBACK}:{rabbit.port}, exchange vda5050")


def test_rabbitmq_stands_still(broker: Service, rabbit: RabbitServer) -> None:
    """A RabbitMQ that hangs (SIGSTOP) is given up; once it runs again everything arrives, some of it perhaps twice."""
    url = f"amqp://guest:guest@{LOOPBACK}:{rabbit.port}/"
    with (
        gateway(broker, event_bus_url=url) as running,
        RabbitConsumer(rabbit.port, "HANG.#", queue="hanging") as consumer,
        Publisher(broker.port) as robot,
    ):
        publish(robot, range(10), name="HANG/R1")
        wait_until(lambda: running.metric(PUBLISHED) == 10, what="10 are confirmed", deadline_s=BACK_WITHIN_S)
        rabbit.signal_server(signal.SIGSTOP)
        try:
            publish(robot, range(10, 20), name="HANG/R1")
            wait_until(lambda: not bus_says(running)[0], what="/ready says that it is away", deadline_s=BACK_WITHIN_S)
        finally:
            rabbit.signal_server(signal.SIGCONT)
        wait_until(lambda: bus_says(running)[0], what="the bus is back", deadline_s=BACK_WITHIN_S)
        wait_until(lambda: running.metric(PUBLISHED) == 20, what="all are confirmed", deadline_s=BACK_WITHIN_S)
        received = header_ids(consumer.read(20))

        assert set(received) == set(range(20))


def test_rabbitmq_killed_and_back(broker: Service, rabbit: RabbitServer) -> None:
    """While RabbitMQ is dead streams go on and /ready says why; what was published meanwhile arrives later."""
    url = f"amqp://guest:guest@{LOOPBACK}:{rabbit.port}/"
    with (
        gateway(broker, event_bus_url=url) as running,
        Publisher(broker.port) as robot,
        SseClient(running.port) as stream,
    ):
        stream.next("snapshot")
        with RabbitConsumer(rabbit.port, "KILL.#", queue="killed"):
            publish(robot, range(100), name="KILL/R1")
            wait_until(lambda: running.metric(PUBLISHED) == 100, what="100 are confirmed", deadline_s=BACK_WITHIN_S)
        time.sleep(3)  # RabbitMQ forgets a binding that it has not written to its disk yet

        rabbit.kill()
        publish(robot, range(100, 300), name="KILL/R1")
        wait_until(lambda: not bus_says(running)[0], what="/ready says that the bus is away", deadline_s=BACK_WITHIN_S)
        shown = [stream.next("update").data["data"]["payload"]["headerId"] for _ in range(300)]
        rabbit.start()
        wait_until(lambda: bus_says(running)[0], what="the bus is back", deadline_s=BACK_WITHIN_S)
        with RabbitConsumer(rabbit.port, "KILL.#", queue="killed") as consumer:
            received = consumer.read(300, deadline_s=60)

        assert shown == list(range(300))
        assert header_ids(received) == list(range(300))
        assert running.metric(DROPPED) == 0


def test_kafka_gets_what_the_stream_gets(broker: Service, kafka_broker: Service) -> None:
    """The same JSON under the same id, keyed by robot."""
    with (
        gateway(broker, event_bus_url=f"kafka://{LOOPBACK}:{kafka_broker.port}/fleet") as running,
        Publisher(broker.port) as robot,
        SseClient(running.port) as stream,
    ):
        stream.next("snapshot")
        publish(robot, range(500))
        wait_until(lambda: running.metric(PUBLISHED) == 500, what="500 are confirmed", deadline_s=BACK_WITHIN_S)

        with KafkaConsumer(kafka_broker.port, "fleet") as consumer:
            received = consumer.read(500)

        shown = [stream.next("update") for _ in range(500)]
        assert {message.route for message in received} == {"ACME/R1"}
        assert [message.id for message in received] == [event.id for event in shown]
        assert [message.event for message in received] == [event.data for event in shown]


def test_kafka_killed_and_back(broker: Service, kafka_broker: Service) -> None:
    """While Kafka is dead streams go on and /ready says why; what was published meanwhile arrives when it is back."""
    url = f"kafka://{LOOPBACK}:{kafka_broker.port}/killed"
    with (
        gateway(broker, event_bus_url=url) as running,
        Publisher(broker.port) as robot,
        SseClient(running.port) as stream,
    ):
        stream.next("snapshot")
        publish(robot, range(100))
        wait_until(lambda: running.metric(PUBLISHED) == 100, what="100 are confirmed", deadline_s=BACK_WITHIN_S)

        kafka_broker.kill()
        publish(robot, range(100, 300))
        wait_until(lambda: not bus_says(running)[0], what="/ready says that the bus is away", deadline_s=BACK_WITHIN_S)
        shown = [stream.next("update").data["data"]["payload"]["headerId"] for _ in range(300)]
        kafka_broker.start()
        wait_until(lambda: running.metric(PUBLISHED) == 300, what="300 are confirmed", deadline_s=BACK_WITHIN_S)
        with KafkaConsumer(kafka_broker.port, "killed") as consumer:
            received = consumer.read(200)

        assert shown == list(range(300))
        assert header_ids(received) == list(range(100, 300))
        assert running.metric(DROPPED) == 0


def test_a_bus_that_never_was_costs_only_what_is_counted(broker: Service) -> None:
    """A bus that cannot be reached fills its bounded buffer; the oldest are given up, and each is counted."""
    url = f"amqp://{LOOPBACK}:1"
    with gateway(broker, event_bus_url=url, event_bus_buffer_bytes=20_000) as running, Publisher(broker.port) as robot:
        publish(robot, range(100))
        wait_until(lambda: running.metric("vda5050_messages_total") >= 100, what="all are taken in")

        kept = running.metric("vda5050_event_bus_buffer_bytes") / (len('{"headerId": 99}') + RECORD_BYTES)

        assert 60 <= kept <= 63
        assert running.metric(DROPPED, reason="buffer") == 100 - kept


def test_password_is_nowhere(broker: Service) -> None:
    """Neither the log nor /ready shows the password of the bus."""
    url = f"amqp://fleet:hunter2-secret@{LOOPBACK}:1/?cafile=hunter3-secret"
    with gateway(broker, event_bus_url=url) as running:
        wait_until(lambda: "refused" in bus_says(running)[1], what="the bus refused", deadline_s=BACK_WITHIN_S)

        shown = running.get("/ready").body.decode() + running.output()

        assert "-secret" not in shown
