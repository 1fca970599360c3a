"""paho in one greenlet: connect, subscribe, hand every message on; lose the broker, back off, come back.

Takes the broker's address, gives `(topic, payload, is_retained)` to `on_message` in the order of arrival, and every
change of the link to `on_link`. Neither may raise; both run in the bridge's greenlet.

Why not paho's own loops: `loop`, `loop_start` and `loop_forever` call `select`, which raises for a descriptor of 1024
and more, so with 1,000 streams open a lost broker would never come back (paho.mqtt.python#183, #697). And `loop_read`
takes one packet a call with three or more `recv` each. So:

1. paho keeps the protocol (CONNECT, SUBSCRIBE, PINGREQ, acknowledgements); this module keeps the time and the socket.
2. Below paho sits a `_ReadBuffer`: one `recv` of up to 256 kB, then paho's small reads are served from memory.
3. Whole QoS 0 PUBLISH packets, which is what `state` and `visualization` are, are taken out of that buffer before paho
   sees them: benchmarks/README.md shows what it is worth. Everything else is left to paho.
4. A QoS 0 packet above `max_payload_bytes` is skipped while it arrives and never held in memory.

Subscribed with QoS 1, so that `connection` keeps the quality the standard gives it (VDA 5050 2.1.0, section 6.2).
"""

import logging
import random
import ssl
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Protocol

import gevent
import paho.mqtt.client as mqtt
from gevent.hub import get_hub
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from vda5050.errors import RejectedMessage
from vda5050.metrics import Metrics
from vda5050.settings import Settings

log = logging.getLogger(__name__)

READ_BYTES = 262_144
YIELD_AFTER_S = 0.004
"""A producer that never switches fills every queue before one client runs."""
CONNECT_TIMEOUT_S = 4.0
BACK_OFF_S = (0.1, 2.0)
"""First and longest wait between attempts; each is multiplied by a random 0.5 to 1, so that not all come at once."""
PUBLISH_QOS_0 = 0x30
"""First byte of a PUBLISH with QoS 0, but for its flags DUP (0x08) and RETAIN (0x01)."""
_READ, _WRITE = 1, 2  # libev's event bits


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
        clock: Callable[[], float],
    ) -> None:
        self.state = LinkState.STOPPED
        self.problem: str | None = None
        """Why the broker is not connected, in words for a person; None while it is."""
        self._settings = settings
        self._broker = settings.broker
        self._receiver = receiver
        self._metrics = metrics
        self._on_link = on_link
        self._clock = clock
        self._client: _Client | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Start the greenlet; returns at once."""
        self.state = LinkState.CONNECTING
        self.problem = "not connected yet"
        self._greenlet = gevent.Greenlet(self._run)
        self._greenlet.name = "mqtt_bridge"
        self._greenlet.link_exception(lambda dead: log.critical("the MQTT bridge died: %r", dead.exception))
        self._greenlet.start()

    def stop(self) -> None:
        """Disconnect and end the greenlet. May be called twice."""
        self.state = LinkState.STOPPED
        if self._client is not None:
            self._client.disconnect()
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self._client = None

    def _run(self) -> None:
        wait_s, longest_s = BACK_OFF_S
        while self.state is not LinkState.STOPPED:
            attempt_at = self._clock()
            was_connected = False
            try:
                was_connected = self._serve_once()
            except (OSError, ValueError) as error:  # ValueError: paho's word for a host or certificate it cannot use
                self._lose(f"{type(error).__name__}: {error}")
            except Exception as error:
                log.exception("the MQTT bridge failed and starts again")
                self._lose(f"internal error: {type(error).__name__}")
            wait_s = BACK_OFF_S[0] if was_connected else min(longest_s, wait_s * 2)
            elapsed = self._clock() - attempt_at
            gevent.sleep(max(0.05, wait_s * random.uniform(0.5, 1.0) - elapsed))

    def _serve_once(self) -> bool:
        """Connect and serve until the link is lost. Returns True where it had been connected."""
        client = self._client = self._new_client()
        try:
            client.connect(self._broker.host, self._broker.port, keepalive=self._settings.mqtt_keepalive_s)
            while client.socket() is not None:
                self._pump(client)
        finally:
            client.close()
        was_connected = self.state is LinkState.CONNECTED
        self._lose(client.refusal or "the connection was lost")
        return was_connected

    def _new_client(self) -> "_Client":
        client = _Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, reconnect_on_failure=False)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_queued_messages_set(1_000)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        if self._broker.username is not None:
            client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.is_tls:
            settings = self._settings
            client.tls_set(settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file,
                           cert_reqs=ssl.CERT_REQUIRED)  # fmt: skip
        return client

    def _pump(self, client: "_Client") -> None:
        """One round: wait for the socket, take what came, let paho do its part."""
        buffer = client.buffer
        if buffer is None:
            return
        buffer.wait(_READ | _WRITE if client.want_write() else _READ, timeout_s=1.0)
        buffer.fill()
        self._take_packets(client, buffer)
        if client.socket() is not None and client.want_write():
            client.loop_write()
        client.loop_misc()

    def _take_packets(self, client: "_Client", buffer: "_ReadBuffer") -> None:
        yield_at = self._clock() + YIELD_AFTER_S
        receive = self._receiver.receive
        while True:
            for topic, payload, is_retained in buffer.publishes(self._settings.max_payload_bytes, self._receiver):
                receive(topic, payload, is_retained=is_retained)
                if self._clock() > yield_at:
                    gevent.sleep(0)
                    yield_at = self._clock() + YIELD_AFTER_S
            if not buffer.is_readable or client.socket() is None:
                return
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            assert isinstance(client, _Client)
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
            assert isinstance(client, _Client)
            client.refusal = f"the broker refused to let us subscribe to {', '.join(refused)}"
            client.disconnect()
            return
        self.state = LinkState.CONNECTED
        self.problem = None
        log.info("connected to %s, subscribed to %s", self._broker.url, ", ".join(self._settings.mqtt_topics))
        self._metrics.broker_connects.inc()
        self._metrics.broker_connected.set(1)
        self._on_link(is_up=True)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._receiver.reject("", RejectedMessage("topic", "the topic is not UTF-8"))
            return
        self._receiver.receive(topic, bytes(message.payload), is_retained=message.retain)

    def _lose(self, problem: str) -> None:
        if self.state is LinkState.STOPPED:
            return
        if self.problem != problem:
            log.warning("no link to %s: %s", self._broker.url, problem)
        self.problem = problem
        if self.state is LinkState.CONNECTED:
            self._metrics.broker_connected.set(0)
            self._on_link(is_up=False)
        self.state = LinkState.CONNECTING


class _Client(mqtt.Client):
    """paho's client on a `_ReadBuffer`.

    `_create_socket` is paho's private seam for its transports (TCP, TLS, WebSocket); there is no public one. The lock
    file pins paho, and tests/live would fail at once if the seam moved.
    """

    buffer: "_ReadBuffer | None" = None
    refusal: str | None = None

    def _create_socket(self) -> Any:
        self.buffer = _ReadBuffer(super()._create_socket())
        return self.buffer

    def close(self) -> None:
        """Close the socket, whatever state the protocol is in. May be called twice."""
        if self.buffer is not None:
            self.buffer.close()


class _ReadBuffer:
    """What paho takes for its socket: its reads come from memory, its writes go straight through.

    paho is shown whole packets only, so it is always between two packets when this module looks at the buffer.
    `fill` is the only method that reads from the network, `wait` the only one that switches greenlets.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._data = b""
        self._at = 0
        self._shown_to_paho = 0
        self._to_skip = 0
        self._is_at_end = False

    def wait(self, events: int, *, timeout_s: float) -> None:
        """Wait until the socket can be read (or written), at most `timeout_s`."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():  # decrypted already, no descriptor shows it
            return
        hub = get_hub()
        watcher = hub.loop.io(self._sock.fileno(), events)
        try:
            with gevent.Timeout(timeout_s, exception=False):  # type: ignore[arg-type]  # the stub does not know False
                hub.wait(watcher)
        finally:
            watcher.close()

    def fill(self) -> None:
        """Read once what the network has."""
        try:
            data = self._sock.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            log.debug("reading from the broker failed: %s", error)
            data = b""
        if not data:
            self._is_at_end = True
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def publishes(self, max_payload_bytes: int, receiver: Receiver) -> Iterator[tuple[str, bytes, bool]]:
        """Take whole QoS 0 PUBLISH packets: topic, payload, retained.

        Ends before the first packet that is another one, which is then shown to paho, or that is not whole yet.
        """
        while (header := self._fixed_header()) is not None:
            first, start, end = header
            data = self._data
            if first & 0xF6 != PUBLISH_QOS_0:
                self._shown_to_paho = end if end <= len(data) else 0
                return
            if start + 2 > len(data):
                return
            topic_end = start + 2 + int.from_bytes(data[start : start + 2], "big")
            if end > len(data) and (end - topic_end <= max_payload_bytes or topic_end > len(data)):
                return
            try:
                topic = data[start + 2 : topic_end].decode()
            except UnicodeDecodeError:
                receiver.reject("", RejectedMessage("topic", "the topic is not UTF-8"))
            else:
                if end - topic_end > max_payload_bytes:
                    size = RejectedMessage("size", f"{end - topic_end} bytes, {max_payload_bytes} are allowed")
                    receiver.reject(topic, size)
                else:
                    yield topic, data[topic_end:end], bool(first & 0x01)
            self._at = min(end, len(data))
            self._to_skip = max(0, end - len(data))

    def _fixed_header(self) -> tuple[int, int, int] | None:
        """Read a packet's first byte, where its body starts and ends (MQTT 3.1.1, section 2.2); None when too short."""
        data, at = self._data, self._at
        length = shift = 0
        for index in range(at + 1, min(at + 5, len(data))):
            digit = data[index]
            length |= (digit & 0x7F) << shift
            if digit < 0x80:
                return data[at], index + 1, index + 1 + length
            shift += 7
        if len(data) >= at + 5:  # no such length exists: paho shall see it and give the connection up
            return 0, at, len(data)
        return None

    @property
    def is_readable(self) -> bool:
        """True where paho's next read would get something, be it the end."""
        return self._at < self._shown_to_paho or self._is_at_end

    def recv(self, size: int) -> bytes:
        """Serve paho from memory. Raises BlockingIOError where there is nothing for it, as a socket does."""
        at = self._at
        end = min(at + size, self._shown_to_paho)
        if at < end:
            self._at = end
            if end == self._shown_to_paho:
                self._shown_to_paho = 0
            return self._data[at:end]
        if self._is_at_end:
            return b""
        raise BlockingIOError

    def send(self, data: bytes) -> int:
        """Write through to the network."""
        sent: int = self._sock.send(data)
        return sent

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - as of `socket.socket`
        """Pass paho's wish on."""
        self._sock.setblocking(flag)

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 when it is closed."""
        number: int = self._sock.fileno()
        return number

    def close(self) -> None:
        """Close the socket. May be called twice."""
        self._sock.close()
