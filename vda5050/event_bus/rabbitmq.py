"""RabbitMQ: a durable topic exchange, persistent messages, publisher confirms for a batch at a time.

kombu waits for the confirm of each message before it sends the next; here a batch goes out and then its confirms are
awaited, many of which come together (RabbitMQ's extension of AMQP 0-9-1: https://www.rabbitmq.com/docs/confirms).

Routing key: `manufacturer.serial.topic`; dots in a name are written %2E, so that a key always has three words.
"""

import time
from collections.abc import Sequence
from urllib.parse import quote

import gevent
from amqp import Message
from amqp.exceptions import AMQPError
from kombu.connection import Connection

from vda5050.bus_url import BusUrl
from vda5050.event_bus.events import BusError, Event
from vda5050.logs import get_logger

log = get_logger(__name__)

CONNECT_TIMEOUT_S = 5
HEARTBEAT_S = 10
CONFIRM_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 1.0
MAX_ROUTING_KEY_BYTES = 255
"""AMQP's short string."""
PERSISTENT = 2
_FAILURES = (AMQPError, OSError)


class RabbitPublisher:
    """One channel in confirm mode."""

    def __init__(self, url: BusUrl) -> None:
        """Connect and declare the exchange. Raises BusError."""
        self._exchange = url.target
        self._pending: dict[int, Event] = {}
        """Sent and not confirmed, by delivery tag, in order."""
        self._last_tag = 0
        self._refused: list[Event] = []
        self._connection = _connection(url)
        try:
            self._connection.connect()
            self._channel = self._connection.channel()
            self._channel.exchange_declare(self._exchange, "topic", durable=True, auto_delete=False)
            self._channel.confirm_select()
        except _FAILURES as error:
            self.close()
            raise BusError(_words(error)) from error
        self._channel.events["basic_ack"].add(self._acked)
        self._channel.events["basic_nack"].add(self._nacked)

    def publish(self, events: Sequence[Event]) -> int:
        """Send and wait for every confirm; see `Publisher`."""
        self._pending.clear()
        self._refused.clear()
        handled = unroutable = 0
        try:
            for event in events:
                unroutable += not self._send(event)
                handled += 1
            self._await_confirms()
        except _FAILURES as error:
            raise BusError(_words(error), [*self._pending.values(), *events[handled:]]) from error
        if self._refused:
            raise BusError("RabbitMQ refused to take messages (nack)", self._refused)
        return unroutable

    def keep_alive(self) -> None:
        """Send heartbeats, and notice their absence."""
        try:
            self._connection.heartbeat_check()
            self._drain(0.001)
        except _FAILURES as error:
            raise BusError(_words(error)) from error

    def close(self) -> None:
        """Close the connection, or drop it where RabbitMQ does not answer."""
        try:
            with gevent.Timeout(CLOSE_TIMEOUT_S):
                self._connection.release()
        except (gevent.Timeout, *_FAILURES) as error:
            log.debug("the connection to RabbitMQ was not closed in order", error=error)
            self._connection.collect()

    def _send(self, event: Event) -> bool:
        """Send one event; False where its name is longer than a routing key can be."""
        key = ".".join(quote(word, safe="/ ").replace(".", "%2E") for word in event.robot.split("/", 1))
        key = f"{key}.{event.topic}"
        if len(key.encode()) > MAX_ROUTING_KEY_BYTES:
            return False
        message = Message(
            event.body,
            content_type="application/json",
            delivery_mode=PERSISTENT,
            message_id=event.id,
            timestamp=int(event.received_at),
            type=event.topic,
        )
        self._channel.basic_publish(message, self._exchange, key, timeout=CONFIRM_TIMEOUT_S)
        self._last_tag += 1
        self._pending[self._last_tag] = event
        return True

    def _await_confirms(self) -> None:
        give_up_at = time.monotonic() + CONFIRM_TIMEOUT_S
        while self._pending:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"RabbitMQ did not confirm {len(self._pending)} messages")
            self._drain(1.0)

    def _drain(self, timeout_s: float) -> None:
        try:
            self._connection.drain_events(timeout=timeout_s)
        except TimeoutError:
            self._connection.heartbeat_check()

    def _acked(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - called by amqp
        self._settled(tag, is_multiple=multiple)

    def _nacked(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - called by amqp
        self._refused += self._settled(tag, is_multiple=multiple)

    def _settled(self, tag: int, *, is_multiple: bool) -> list[Event]:
        """Forget what the broker answered, and return it."""
        tags = [sent for sent in self._pending if sent <= tag] if is_multiple else [tag]
        return [self._pending.pop(sent) for sent in tags if sent in self._pending]


def _connection(url: BusUrl) -> Connection:
    host, _, port = url.hosts[0].rpartition(":")
    is_tls = url.scheme == "amqps"
    tls = {"context": {"cafile": url.options.get("cafile")}, "check_hostname": True, "server_hostname": host}
    return Connection(
        transport="pyamqp",
        hostname=host.strip("[]"),
        port=int(port),
        userid=url.username or "guest",
        password=url.password or "guest",
        virtual_host=url.virtual_host,
        ssl=tls if is_tls else False,
        heartbeat=HEARTBEAT_S,
        connect_timeout=CONNECT_TIMEOUT_S,
        transport_options={"max_retries": 1},
    )


def _words(error: Exception) -> str:
    """Say what went wrong without the address's secrets; amqp's errors hold the server's own text."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
