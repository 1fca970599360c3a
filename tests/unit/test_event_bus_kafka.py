"""What Kafka refuses for good is given up and counted, and holds up nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from tests.unit.test_event_bus import record
from vda5050.bus_url import BusUrl
from vda5050.event_bus import kafka
from vda5050.event_bus.events import BusError, Event

URL = BusUrl.parse("kafka://localhost")
LARGE, LARGEST, LOST = 1, 2, 3
"""Numbers of the updates that the broker finds too large, that librdkafka does, and that do not get there."""


class ScriptedProducer:
    """librdkafka with a broker that refuses a request as a whole, where one message in it is too large."""

    def __init__(self, *_: object, **__: object) -> None:
        self.got: list[str] = []
        self.is_away = False
        self._queue: list[tuple[str, Callable[[KafkaError | None, Any], None]]] = []

    def list_topics(self, *_: object) -> None:
        """Say nothing."""

    def produce(self, _topic: str, _body: bytes, *, headers: dict[str, str], on_delivery: Any, **_: object) -> None:
        if headers["id"] == f"e-{LARGEST}":
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        self._queue.append((headers["id"], on_delivery))

    def poll(self, _timeout: float) -> None:
        queue, self._queue = self._queue, []
        is_refused = any(name == f"e-{LARGE}" for name, _ in queue)
        for name, report in queue:
            if is_refused:
                report(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)
            elif name == f"e-{LOST}" and self.is_away:
                report(KafkaError(KafkaError._MSG_TIMED_OUT), None)  # noqa: SLF001 - its public name
            else:
                self.got.append(name)
                report(None, None)


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> ScriptedProducer:
    """Stand in for librdkafka."""
    scripted = ScriptedProducer()
    monkeypatch.setattr(kafka, "Producer", lambda *_, **__: scripted)
    return scripted


def events(*numbers: int) -> list[Event]:
    """Give events of these numbers."""
    return [Event.of(record(number)) for number in numbers]


def test_message_that_is_too_large(producer: ScriptedProducer) -> None:
    """A message that the broker will never take is refused, alone; those that went with it arrive in their order."""
    publisher = kafka.KafkaPublisher(URL)

    assert publisher.publish(events(7, LARGE, 8, LARGEST, 9)) == 2
    assert producer.got == ["e-7", "e-8", "e-9"]
    assert publisher.publish(events(LARGE)) == 1


def test_kafka_goes_away_between_those_that_are_sent_again(producer: ScriptedProducer) -> None:
    """What was refused and what is not yet sent again when Kafka went away is unconfirmed, and counted later."""
    publisher = kafka.KafkaPublisher(URL)
    producer.is_away = True

    with pytest.raises(BusError) as lost:
        publisher.publish(events(7, LARGE, LOST, 8))

    assert producer.got == ["e-7"]
    assert [event.id for event in lost.value.unconfirmed] == ["e-1", "e-3", "e-8"]


def test_kafka_goes_away_while_something_is_refused(producer: ScriptedProducer) -> None:
    """What was refused beside a message that did not get there is unconfirmed too, and so counted once, later."""
    publisher = kafka.KafkaPublisher(URL)
    producer.is_away = True

    with pytest.raises(BusError) as lost:
        publisher.publish(events(7, LARGEST, LOST))

    assert [event.id for event in lost.value.unconfirmed] == ["e-2", "e-3"]
