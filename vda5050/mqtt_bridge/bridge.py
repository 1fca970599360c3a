"""paho in one greenlet: connect, subscribe, hand every message on; lose the broker, back off, come back.

Takes the broker's address, gives `(topic, payload, is_retained)` to `receiver` in the order of arrival, and every
change of the link to `on_link`. Neither may raise; both run in the bridge's greenlet.

Why not paho's own loops: `loop`, `loop_start` and `loop_forever` call `select`, which raises for a descriptor of 1024
and more, so with 1,000 streams open a lost broker would never come back (paho.mqtt.python#183, #697). And `loop_read`
takes one packet a call with three or more `recv` each. So:

1. paho keeps the protocol (CONNECT, SUBSCRIBE, PINGREQ, acknowledgements); this module keeps the time and the socket.
2. Below paho sits a `ReadBuffer`: one `recv` of up to 256 kB, then paho's small reads are served from memory.
3. Whole PUBLISH packets are taken out of that buffer before paho sees them (benchmarks/EARLIER.md shows what it is
   worth); those of QoS 1 are acknowledged through paho. Everything else is left to paho.
4. A packet above `max_payload_bytes` is skipped while it arrives and never held in memory.

Subscribed with QoS 1, so that `connection` keeps the quality the standard gives it (VDA 5050 2.1.0, section 6.2).
"""

import random
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import gevent
import paho.mqtt.client as mqtt
from gevent.event import Event
from paho.mqtt.enums import MQTTErrorCode

from vda5050.errors import RejectedMessage
from vda5050.greenlets import start
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.mqtt_bridge.client import Client, new_client
from vda5050.mqtt_bridge.read_buffer import READ, WRITE, Publish, ReadBuffer
from vda5050.mqtt_bridge.rounds import Pace, Rounds
from vda5050.settings import Settings

log = get_logger(__name__)

ANSWER_TIMEOUT_S = 10.0
STABLE_AFTER_S = 10.0
"""A link that stood for so long was a good one; one that is lost sooner is tried again ever more slowly."""
BACK_OFF_S = (0.1, 2.0)
"""First and longest wait between attempts; each is multiplied by a random 0.5 to 1, so that not all come at once."""


class LinkState(Enum):
    """Where the bridge stands; `/ready` says it."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    STOPPED = "stopped"


class Receiver(Protocol):
    """Who gets the messages (`ingest.Ingest`). Must not raise."""

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take one message."""

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Take note of a message that the bridge did not read."""


class LinkObserver(Protocol):
    """Who is told that the link to the broker stands or is lost. Must not raise."""

    def __call__(self, *, is_up: bool) -> None:
        """Take note."""


class MqttBridge:
    """One subscription to one broker, kept up until `stop`."""

    def __init__(
        self,
        settings: Settings,
        receiver: Receiver,
        metrics: Metrics,
        *,
        on_link: LinkObserver,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self.state = LinkState.STOPPED
        self.problem: str | None = "not started"
        """Why the broker is not connected, in words for a person; None while it is."""
        self._settings = settings
        self._broker = settings.mqtt
        self._receiver = receiver
        self._metrics = metrics
        self._on_link = on_link
        self._clock = clock
        self._rounds = Rounds(pace, clock=clock)
        self._client: Client | None = None
        self._failures = 0
        self._connected_at: float | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Start the greenlet; returns at once."""
        self.state = LinkState.CONNECTING
        self.problem = "not connected yet"
        self._greenlet = start(self._run, name="mqtt_bridge")

    def stop(self) -> None:
        """Disconnect and end the greenlet. May be called twice."""
        self.state = LinkState.STOPPED
        self._metrics.broker_connected.set(0)
        if self._client is not None:
            self._client.disconnect()
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self._client = None

    def fence(self, timeout_s: float) -> bool:
        """Wait until everything that the broker sent us up to now has been handed on; False where that takes too long.

        The broker must answer an UNSUBSCRIBE also where nothing was subscribed (MQTT 3.1.1, section 3.10.4), and its
        answer comes behind whatever it had sent before.
        """
        client = self._client
        if client is None or self.state is not LinkState.CONNECTED:
            return False
        answered = Event()
        client.on_unsubscribe = lambda *_: answered.set()
        client.unsubscribe("vda5050-gateway/fence")
        return answered.wait(timeout_s)

    def _run(self) -> None:
        first_s, longest_s = BACK_OFF_S
        while self.state is not LinkState.STOPPED:
            attempt_at = self._clock()
            self._failures += 1
            try:
                self._serve_once()
            except (OSError, ValueError) as error:  # ValueError: paho's word for a host or certificate it cannot use
                self._lose(f"{type(error).__name__}: {error}")
            except Exception as error:
                log.exception("the MQTT bridge failed and starts again")
                self._lose(f"internal error: {type(error).__name__}")
            if self._has_been_stable():
                self._failures = 0
            wait_s = min(longest_s, first_s * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
            gevent.sleep(max(0.05, wait_s - (self._clock() - attempt_at)))

    def _serve_once(self) -> None:
        """Connect and serve until the link is lost."""
        self._connected_at = None
        client = self._client = self._new_client()
        try:
            client.connect(self._broker.host, self._broker.port, keepalive=self._settings.mqtt_keepalive_s)
            answer_by = self._clock() + ANSWER_TIMEOUT_S
            while client.socket() is not None:
                self._pump(client)
                if self.state is not LinkState.CONNECTED and self._clock() > answer_by:
                    client.refusal = f"the broker did not answer for {ANSWER_TIMEOUT_S:g} s"
                    break
        finally:
            client.close()
        read_problem = client.buffer.problem if client.buffer is not None else None
        self._lose(client.refusal or read_problem or "the connection was lost")

    def _has_been_stable(self) -> bool:
        return self._connected_at is not None and self._clock() - self._connected_at > STABLE_AFTER_S

    def _new_client(self) -> Client:
        client = new_client(self._settings)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        return client

    def _pump(self, client: Client) -> None:
        """One round: take what came, or wait for it, and let paho do its part."""
        buffer = client.buffer
        if buffer is None:
            return
        while (too_soon_s := self._rounds.too_soon_s) > 0:  # again: a flush may have come meanwhile
            gevent.sleep(too_soon_s)
        if not buffer.fill():  # under load there is something, and no watcher needs to be set up
            buffer.wait(READ | WRITE if client.want_write() else READ, timeout_s=1.0)
            buffer.fill()
        self._rounds.begin()
        count = self._take_packets(client, buffer)
        self._rounds.end(count, is_full=buffer.is_full)
        if client.socket() is not None and client.want_write():
            client.loop_write()
        client.loop_misc()

    def _take_packets(self, client: Client, buffer: ReadBuffer) -> int:
        """Hand on what is in the buffer; returns the number of messages."""
        yield_after_s = self._rounds.yield_after_s
        yield_at = self._clock() + yield_after_s
        count = 0
        while True:
            for packet in buffer.publishes(self._settings.max_payload_bytes):
                self._take(packet)
                count += 1
                if packet.packet_id:
                    client.ack(packet.packet_id, 1)
                if self._clock() > yield_at:
                    gevent.sleep(0)
                    yield_at = self._clock() + yield_after_s
            if not buffer.is_readable or client.socket() is None:
                return count
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return count

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            assert isinstance(client, Client)
            client.refusal = f"the broker refused: {reason}"
            return
        client.subscribe([(topic_filter, 1) for topic_filter in self._settings.mqtt_topics])

    def _subscribed(self, client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [
            topic_filter
            for topic_filter, reason in zip(self._settings.mqtt_topics, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            assert isinstance(client, Client)
            client.refusal = f"the broker refused to let us subscribe to {', '.join(refused)}"
            client.disconnect()
            return
        self.state = LinkState.CONNECTED
        self.problem = None
        self._connected_at = self._clock()
        log.info("connected to the broker", broker=str(self._broker), topics=self._settings.mqtt_topics)
        self._metrics.broker_connects.inc()
        self._metrics.broker_connected.set(1)
        self._on_link(is_up=True)

    def _take(self, packet: Publish) -> None:
        try:
            topic = packet.topic.decode()
        except UnicodeDecodeError:
            self._receiver.reject("", RejectedMessage("topic", "the topic is not UTF-8"))
            return
        if packet.payload is None:
            allowed = self._settings.max_payload_bytes
            self._receiver.reject(topic, RejectedMessage("size", f"{packet.size} bytes, {allowed} are allowed"))
        else:
            self._receiver.receive(topic, packet.payload, is_retained=packet.is_retained)

    def _lose(self, problem: str) -> None:
        if self.state is LinkState.STOPPED:
            return
        if self.problem != problem:
            log.warning("no link to the broker", broker=str(self._broker), problem=problem)
        self.problem = problem
        if self.state is LinkState.CONNECTED:
            self._metrics.broker_connected.set(0)
            self._on_link(is_up=False)
        self.state = LinkState.CONNECTING
