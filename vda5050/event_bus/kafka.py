"""Kafka: key `manufacturer/serial`, so that a robot's messages stay in one partition and in order.

librdkafka keeps its connections in threads of its own, outside the hub; nothing here waits for it but by short sleeps,
except `list_topics`, which runs in gevent's threadpool. Idempotent producer: a retry inside librdkafka neither doubles
nor reorders (KIP-98).

What a broker refuses for good it refuses with all that went in the same request (librdkafka does not split what is too
large: KIP-126), so that is sent again, each by itself, and only what is refused alone is given up.

Options after `?` are librdkafka's own (security.protocol, ssl.ca.location, sasl.mechanism, ...).
"""

import logging
from collections.abc import Sequence
from typing import Any

import gevent
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from vda5050.bus_url import BusUrl
from vda5050.event_bus.events import BusError, Event

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
DELIVERY_TIMEOUT_S = 10.0
POLL_S = 0.002
_FOR_GOOD = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,  # told by librdkafka at once, or by the broker
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError._INVALID_DIFFERENT_RECORD,  # noqa: SLF001 - its public name
    }
)
"""Refusals of the messages themselves: sent again together they would fail again, and hold up all behind them."""


class KafkaPublisher:
    """One idempotent producer."""

    def __init__(self, url: BusUrl) -> None:
        """Connect. Raises BusError."""
        self._topic = url.target
        self._problem: str | None = None
        self._pending: dict[int, Event] = {}
        """Handed to librdkafka and not reported on, by place in the batch, in order."""
        self._failed: dict[int, Event] = {}
        self._refused: dict[int, Event] = {}
        try:
            self._producer = Producer(_settings(url, on_error=self._noted), logger=log)
            gevent.get_hub().threadpool.apply(self._producer.list_topics, (self._topic, CONNECT_TIMEOUT_S))
        except (KafkaException, ValueError) as error:
            raise BusError(_words(error)) from error

    def publish(self, events: Sequence[Event]) -> int:
        """Hand over and wait for every delivery report; see `Publisher`."""
        refused = self._deliver(events)
        if len(events) == 1:
            return len(refused)
        alone: list[Event] = []
        for place, event in enumerate(refused):
            try:
                alone += self._deliver([event])
            except BusError as error:
                raise BusError(error.problem, [*alone, *refused[place:]]) from error
        return len(alone)

    def _deliver(self, events: Sequence[Event]) -> list[Event]:
        """Hand events over at once; returns those refused for good, perhaps for others' sake. Raises BusError."""
        self._pending = dict(enumerate(events))
        self._failed, self._refused = {}, {}
        for place, event in enumerate(events):
            try:
                self._produce(place, event)
            except KafkaException as error:
                if error.args[0].code() not in _FOR_GOOD:
                    raise BusError(_words(error), _in_order(self._pending | self._refused)) from error
                self._refused[place] = self._pending.pop(place)
        with gevent.Timeout(2 * DELIVERY_TIMEOUT_S, BusError("Kafka reported nothing", events)):
            while self._pending:
                self._producer.poll(0)
                gevent.sleep(POLL_S)
        if self._failed:
            raise BusError(self._problem or "Kafka did not confirm", _in_order(self._failed | self._refused))
        return _in_order(self._refused)

    def keep_alive(self) -> None:
        """Notice that all brokers are gone."""
        self._problem = None
        self._producer.poll(0)
        if self._problem is not None:
            raise BusError(self._problem)

    def close(self) -> None:
        """Give up what librdkafka still holds: the bus sends it again itself."""
        self._producer.purge()
        self._producer.poll(0)

    def _produce(self, place: int, event: Event) -> None:
        def reported(error: KafkaError | None, _message: Message) -> None:
            pending = self._pending.pop(place, None)
            if error is None or pending is None:
                return
            if error.code() in _FOR_GOOD:
                self._refused[place] = pending
            else:
                self._problem = error.str()
                self._failed[place] = pending

        self._producer.produce(
            self._topic,
            event.body,
            key=event.robot.encode(),
            timestamp=int(event.received_at * 1000),
            headers={"id": event.id, "type": event.topic},
            on_delivery=reported,
        )

    def _noted(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():  # noqa: SLF001 - its public name
            self._problem = error.str()


def _in_order(events: dict[int, Event]) -> list[Event]:
    return [events[place] for place in sorted(events)]


def _settings(url: BusUrl, *, on_error: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "client.id": "vda5050-gateway",
        "enable.idempotence": True,
        "linger.ms": 5,
        "message.timeout.ms": int(DELIVERY_TIMEOUT_S * 1000),
        "reconnect.backoff.max.ms": 2_000,
        "compression.type": "zstd",
        "log_level": 2,  # syslog's critical: it would log every attempt to connect; the bus says once what is wrong
        **url.options,
        "bootstrap.servers": ",".join(url.hosts),
        "error_cb": on_error,
    }
    if url.username is not None:
        settings |= {"sasl.username": url.username, "sasl.password": url.password or ""}
    return settings


def _words(error: Exception) -> str:
    fault = error.args[0] if error.args else error
    return fault.str() if isinstance(fault, KafkaError) else f"{type(error).__name__}: {error}"
